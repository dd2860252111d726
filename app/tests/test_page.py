"""The chat page as a person has it: in Chromium, with keys and clicks."""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from app.chat import PLACEHOLDER_TEXT
from tests.browser import Page, chromium
from tests.server import UVICORN, Server, served

PHONE = {"width": 360, "height": 640}
ANSWER = "#log .theirs"


@pytest.fixture(scope="module")
def slow() -> Iterator[Server]:
    """Slow enough to watch an answer arrive, and to stop it."""
    with served(DELAY_MS="60") as server:
        yield server


@pytest.fixture(scope="module")
def quick() -> Iterator[Server]:
    with served(DELAY_MS="5", MAX_MESSAGE_BYTES="500") as server:
        yield server


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with chromium(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(browser: Page, quick: Server) -> Iterator[Page]:
    """The chat, freshly opened; afterwards the console must be empty."""
    yield from opened(browser, quick)


@pytest.fixture
def slow_page(browser: Page, slow: Server) -> Iterator[Page]:
    yield from opened(browser, slow)


def opened(browser: Page, server: Server) -> Iterator[Page]:
    browser.emulate()
    browser.complaints()
    browser.open(server.url)
    yield browser
    expected = re.compile(r"/api/chat.*(status of|ERR_CONNECTION|ERR_INCOMPLETE)")
    assert [text for text in browser.complaints() if not expected.search(text)] == []


def say(page: Page, text: str) -> None:
    page.until_focused("message")
    page.press(text, Keys.ENTER)


def keep_screenshot(page: Page, name: str) -> None:
    """Where SCREENSHOTS names a directory, leave a picture to be looked at."""
    if directory := os.environ.get("SCREENSHOTS"):
        page.driver.save_screenshot(str(Path(directory) / f"{name}.png"))


def test_the_answer_is_shown_while_it_arrives(slow_page: Page) -> None:
    say(slow_page, "hello")
    slow_page.until_state("Answering…")
    seen = [slow_page.text(ANSWER)]

    def whole(_: object) -> bool:
        seen.append(slow_page.text(ANSWER))
        return seen[-1].endswith(PLACEHOLDER_TEXT)

    WebDriverWait(slow_page.driver, 15, 0.02).until(whole)
    assert len(set(seen)) >= 5
    slow_page.until_state("Ready")
    assert slow_page.texts("#log .mine") == ["You:\nhello"]
    assert slow_page.text(ANSWER) == f"Answer:\n{PLACEHOLDER_TEXT}"


@pytest.mark.parametrize("by", ["key", "button"])
def test_an_answer_can_be_stopped_and_the_service_notices(
    slow_page: Page, slow: Server, by: str
) -> None:
    aborted = sum("aborted" in line for line in slow.log)
    say(slow_page, "stop me")
    slow_page.until_state("Answering…")
    if by == "key":
        slow_page.press(Keys.ESCAPE)
    else:
        slow_page.click("#stop")
    slow_page.until_state("Stopped")
    assert slow_page.text(ANSWER).endswith("Stopped")
    assert PLACEHOLDER_TEXT not in slow_page.text(ANSWER)
    WebDriverWait(slow_page.driver, 10).until(
        lambda _: sum("aborted" in line for line in slow.log) == aborted + 1
    )
    assert not slow_page.visible("#problem")
    assert not slow_page.visible("#stop")
    say(slow_page, "and go on")
    slow_page.until_state("Ready")


def test_everything_can_be_done_with_the_keyboard_alone(slow_page: Page) -> None:
    say(slow_page, "first" + Keys.SHIFT + Keys.ENTER + Keys.NULL + "second")
    slow_page.until_state("Answering…")
    slow_page.press(Keys.TAB)
    assert slow_page.focused() == "stop"
    slow_page.press(Keys.ENTER)
    slow_page.until_state("Stopped")
    assert slow_page.texts("#log .mine") == ["You:\nfirst\nsecond"]
    assert slow_page.focused() == "message"
    slow_page.press(Keys.TAB)
    assert slow_page.focused() == "send"


def test_who_reads_on_with_the_keyboard_is_not_taken_away_when_the_answer_ends(
    slow_page: Page,
) -> None:
    say(slow_page, "a long story")
    slow_page.until_state("Answering…")
    slow_page.press(Keys.SHIFT, Keys.TAB, Keys.NULL)
    slow_page.until_focused("conversation")
    slow_page.until_state("Ready")
    assert slow_page.focused() == "conversation"


def test_a_blank_message_is_not_sent(page: Page) -> None:
    say(page, "   ")
    page.click("#send")
    assert page.texts("#log li") == []
    assert page.text("#state") == "Ready"


def test_a_message_that_is_too_long_is_explained_and_kept_for_shortening(page: Page) -> None:
    say(page, "x" * 600)
    page.until_state("Not answered")
    problem = page.text("#problem")
    assert "Too long." in problem
    assert "larger than 500 bytes" in problem
    assert re.search("Request [0-9a-f]{32}", problem)
    assert not page.visible("#retry")
    assert page.run("return document.getElementById('message').value") == "x" * 600
    assert page.texts("#log li") == []
    keep_screenshot(page, "desktop-light-too-long")


def test_a_service_that_goes_away_is_told_and_can_be_tried_again(browser: Page) -> None:
    browser.emulate(dark=True, **PHONE)
    with served(DELAY_MS="200") as server:
        port = server.port
        browser.open(server.url)
        say(browser, "are you there?")
        browser.until_state("Answering…")
        server.process.kill()
        browser.until_state("Not answered")
        assert "The answer broke off before its end." in browser.text("#problem")
        assert browser.text(ANSWER).endswith("Broke off")
    browser.click("#retry")
    WebDriverWait(browser.driver, 10).until(
        lambda _: "The service does not answer." in browser.text("#problem")
    )
    keep_screenshot(browser, "phone-dark-away")
    with served((*UVICORN, "--port", str(port)), DELAY_MS="0"):
        browser.click("#retry")
        browser.until_state("Ready")
        assert browser.texts(ANSWER)[-1] == f"Answer:\n{PLACEHOLDER_TEXT}"
        assert browser.texts("#log .mine") == ["You:\nare you there?"]
        assert not browser.visible("#problem")


def test_what_is_said_is_shown_as_text_and_never_run(page: Page) -> None:
    said = "<img src=x onerror=document.title='run'><b>bold</b>"
    say(page, said)
    page.until_state("Ready")
    assert page.texts("#log .mine") == [f"You:\n{said}"]
    assert page.run("return document.title") == "Chat"


def test_a_script_from_elsewhere_or_in_the_page_is_refused(page: Page, quick: Server) -> None:
    page.run(
        "const image = document.createElement('img'); image.src = 'http://127.0.0.1:9/x.png';"
        "document.body.append(image);"
    )
    for attack in (
        "document.createElement('script').src = '//cdn.example/x.js'",
        "document.body.setAttribute('onclick', 'document.title = 1')",
        "document.body.innerHTML = '<b>bold</b>'",
    ):
        tried = f"try {{ {attack}; return 'done' }} catch (error) {{ return 'refused' }}"
        assert page.run(tried) == "refused", attack
    told = "\n".join(page.complaints())
    assert "img-src 'self'" in told
    policy = httpx.get(quick.url, trust_env=False).headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'")


def test_nothing_is_loaded_from_elsewhere(page: Page, quick: Server) -> None:
    page.requested()
    for path in ("/", "/docs"):
        page.open(quick.url + path)
        WebDriverWait(page.driver, 10).until(lambda _: page.text("#state") != "Loading…")
    urls = page.requested()
    assert len(urls) > 6
    assert [url for url in urls if not url.startswith(quick.url)] == []


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("size", [PHONE, {"width": 1100, "height": 760}])
def test_it_is_readable_on_every_screen(page: Page, size: dict[str, int], *, dark: bool) -> None:
    page.emulate(dark=dark, **size)
    say(page, "a" + "long" * 30)
    page.until_state("Ready")
    assert page.run("return document.documentElement.scrollWidth <= window.innerWidth")
    for selector in ("#log .mine", ANSWER, "#send", "#state"):
        assert contrast(page, selector) >= 4.5, selector
    assert page.run("return document.getElementById('send').offsetHeight") >= 44
    assert page.run("return parseFloat(getComputedStyle(message).fontSize)") >= 16
    width = "phone" if size is PHONE else "desktop"
    keep_screenshot(page, f"{width}-{'dark' if dark else 'light'}")


def test_the_description_of_the_api_is_readable_too(page: Page, quick: Server) -> None:
    for dark in (False, True):
        page.emulate(dark=dark, **PHONE)
        page.open(f"{quick.url}/docs")
        page.until_state("chat-backend 1.0.0")
        assert "POST/api/chat" in page.text("main").replace("\n", "").replace(" ", "")
        assert "larger than 500 bytes" in page.text("main")
        assert page.run("return document.documentElement.scrollWidth <= window.innerWidth")
        keep_screenshot(page, f"phone-docs-{'dark' if dark else 'light'}")


def contrast(page: Page, selector: str) -> float:
    """The contrast of the text of an element to what lies behind it, as WCAG counts it."""
    colours = page.run(
        """
        const found = document.querySelector(arguments[0]);
        let behind = found;
        while (getComputedStyle(behind).backgroundColor === 'rgba(0, 0, 0, 0)')
          behind = behind.parentElement;
        return [getComputedStyle(found).color, getComputedStyle(behind).backgroundColor];
        """,
        selector,
    )
    light, dark = sorted((luminance(colour) for colour in colours), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    channels = [int(number) / 255 for number in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(part * weight for part, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


@contextmanager
def front_end() -> Iterator[str]:
    """The origin of some other server with an empty page, as a front end in development has."""

    class EmptyPage(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.02])
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_listed_front_end_can_chat_from_a_browser_and_another_one_cannot(
    browser: Page,
) -> None:
    ask = """
        const [url, done] = arguments;
        fetch(url + '/api/chat', {
          method: 'POST',
          headers: {'Content-Type': 'application/json', 'X-Request-Id': 'from-afar'},
          body: JSON.stringify({message: 'hello'}),
        }).then(async (r) => done([await r.text(), r.headers.get('X-Request-Id')]),
                (error) => done([error.name, null]));
    """
    with (
        front_end() as listed,
        front_end() as other,
        served(CORS_ORIGINS=listed, DELAY_MS="5") as server,
    ):
        answers = []
        for origin in (listed, other):
            browser.open(origin)
            answers.append(browser.run_until_done(ask, server.url))
    assert answers == [[PLACEHOLDER_TEXT, "from-afar"], ["TypeError", None]]
