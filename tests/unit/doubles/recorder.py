"""An HTTP server that keeps what it was asked; what it answers, a test says."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]
Answer = tuple[int, Any]


class Recorder:
    """`answer` is given method, path with query, and body; requests are kept in order.

    `forced` are answers for a method and a part of the path that come before `answer`, each with
    how many times it holds; None: for ever.
    """

    def __init__(self, answer: Callable[[str, str, Any], Answer]) -> None:
        self.requests: list[Json] = []
        self.forced: list[list[Any]] = []
        self._answer = answer
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, body = recorder._asked(self.command, self.path, dict(self.headers), raw)
                text = json.dumps(body).encode() if body is not None else b""
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def __getattr__(self, name: str) -> Any:
                if name.startswith("do_"):
                    return self.handle_one
                raise AttributeError(name)

            def log_message(self, *_: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()

    def _asked(self, method: str, path: str, headers: Json, raw: bytes) -> Answer:
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = raw.decode()
        self.requests.append({"method": method, "path": path, "headers": headers, "body": body})
        for forced in self.forced:
            wanted, part, answer, left = forced
            if wanted == method and part in path and left != 0:
                forced[3] = None if left is None else left - 1
                return answer  # type: ignore[no-any-return]
        return self._answer(method, path, body)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
