"""Debian's Chromium without a window, in a profile of its own, kept from talking to anybody."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
FLAGS = (
    "--headless",
    "--no-sandbox",  # refuses to start as root otherwise
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


@contextmanager
def chromium(profile: Path) -> Iterator["Page"]:
    """A browser for one test module. AssertionError with the remedy if there is none."""
    missing = [str(path) for path in (CHROMIUM, DRIVER) if not path.exists()]
    assert not missing, f"missing {missing}; run: apt-get install -y chromium chromium-driver"
    os.environ["SE_OFFLINE"] = "true"
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(str(DRIVER)))
    try:
        yield Page(driver)
    finally:
        driver.quit()


class Page:
    """What a person does with a page, and sees on it."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        self.driver.get(url)

    def emulate(self, *, dark: bool = False, width: int = 1100, height: int = 760) -> None:
        scheme = "dark" if dark else "light"
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia",
            {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
        )
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )

    def text(self, selector: str) -> str:
        return self.driver.find_element(By.CSS_SELECTOR, selector).text

    def texts(self, selector: str) -> list[str]:
        return [found.text for found in self.driver.find_elements(By.CSS_SELECTOR, selector)]

    def visible(self, selector: str) -> bool:
        return self.driver.find_element(By.CSS_SELECTOR, selector).is_displayed()

    def click(self, selector: str) -> None:
        self.driver.find_element(By.CSS_SELECTOR, selector).click()

    def press(self, *keys: str) -> None:
        """Keys go where the focus is, as on a keyboard."""
        self.driver.switch_to.active_element.send_keys(*keys)

    def focused(self) -> str:
        return str(self.driver.switch_to.active_element.get_attribute("id"))

    def until_focused(self, name: str) -> None:
        """A page that was just opened gives its `autofocus` a moment later."""
        WebDriverWait(self.driver, 15, 0.02).until(
            lambda _: self.focused() == name, f"{name} never got the focus"
        )

    def run(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(script, *arguments)

    def run_until_done(self, script: str, *arguments: object) -> Any:
        """Like `run`, for a script that calls its last argument with the result."""
        return self.driver.execute_async_script(script, *arguments)

    def until_state(self, state: str) -> None:
        WebDriverWait(self.driver, 15, 0.02).until(
            lambda _: self.text("#state") == state, f"the page never said {state!r}"
        )

    def complaints(self) -> list[str]:
        """What the console has said since the last time, policy violations included."""
        return [entry["message"] for entry in self._log("browser")]

    def requested(self) -> list[str]:
        """The addresses it has asked for since the last time, one for each request."""
        events = [json.loads(entry["message"])["message"] for entry in self._log("performance")]
        return [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]

    def _log(self, kind: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.driver.get_log(kind)  # type: ignore[no-untyped-call]
        return entries
