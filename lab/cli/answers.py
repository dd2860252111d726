"""What the services of a stack file answer, asked through the lab as their users would.

Run inside the lab's network, as `python -m lab.cli.answers`, with what to ask as JSON on stdin.
"""

import json
import ssl
import sys
import time
from dataclasses import asdict, dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

LIMIT_S = 15
MESSAGE = {"message": "hello"}
SHOWN = 60


@dataclass(frozen=True)
class Question:
    """One service: where it is, what its health is asked with, and where it streams, if known.

    `verify` is for public names: what a service shows to its own network is its own certificate.
    """

    name: str
    url: str
    health: str
    stream: str | None
    verify: bool = False

    @property
    def connection(self) -> HTTPConnection:
        """A connection to it."""
        parts = urlsplit(self.url)
        if parts.scheme == "http":
            return HTTPConnection(parts.netloc, timeout=LIMIT_S)
        context = ssl.create_default_context()
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return HTTPSConnection(parts.netloc, timeout=LIMIT_S, context=context)


def to_json(questions: list[Question]) -> str:
    """What `main` reads."""
    return json.dumps([asdict(question) for question in questions])


def ask(question: Question) -> bool:
    """Print what the service says; False where it does not say it."""
    try:
        sound = _health(question)
        return sound and (question.stream is None or _stream(question, question.stream))
    except (OSError, HTTPException) as error:
        print(f"{question.name}: {question.url} does not answer: {error or type(error).__name__}")
        return False


def _health(question: Question) -> bool:
    connection = question.connection
    connection.request("GET", question.health)
    response = connection.getresponse()
    text = response.read(SHOWN).decode(errors="replace").strip()
    print(f"{question.name}: GET {question.url}{question.health} {response.status} {text}")
    return response.status < 400


def _stream(question: Question, path: str) -> bool:
    connection = question.connection
    headers = {"Content-Type": "application/json"}
    connection.request("POST", path, json.dumps(MESSAGE), headers)
    response = connection.getresponse()
    print(f"{question.name}: POST {question.url}{path} {response.status}")
    print("  ", end="")
    times, size = _shown(response)
    spread = times[-1] - times[0] if times else 0.0
    print(f"\n  {size} bytes in {len(times)} chunks over {spread:.1f} s")
    return response.status < 400 and len(times) > 1


def _shown(response: HTTPResponse) -> tuple[list[float], int]:
    """Print what comes when it comes; when each part came, and how many bytes in all."""
    times, size = [], 0
    while part := response.read1(1 << 16):
        times.append(time.monotonic())
        size += len(part)
        print(part.decode(errors="replace"), end="", flush=True)
    return times, size


def main() -> None:
    """Ask all; exit code 1 where one does not answer as it must."""
    results = [ask(Question(**one)) for one in json.load(sys.stdin)]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
