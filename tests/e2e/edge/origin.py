"""A service in a machine of the lab, with a certificate of its own: `origin.py PORT CHAIN`."""

import base64
import hashlib
import json
import ssl
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = b"""<!DOCTYPE html><title>page</title><p id="seen">nothing</p><script>
const request = new XMLHttpRequest();
request.open("GET", "/stream", false);
request.send();
document.getElementById("seen").textContent = request.responseText.trim().split("\\n").join(", ");
</script>"""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/page":
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(PAGE)))
            self.end_headers()
            self.wfile.write(PAGE)
        elif self.path == "/stream":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for number in range(4):
                self.chunk(b"piece %d\n" % number)
                time.sleep(0.3)
            self.chunk(b"")
        elif self.path.startswith("/down/"):
            size = int(self.path.removeprefix("/down/"))
            self.send_response(200)
            self.send_header("Content-Length", str(size))
            self.end_headers()
            for _ in range(size // 100_000):
                self.wfile.write(b"x" * 100_000)
        elif self.path == "/ws":
            self.talk()
        else:
            self.say(dict(self.headers))

    def talk(self) -> None:
        """A WebSocket that says each short text twice (RFC 6455)."""
        asked = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accepted = base64.b64encode(
            hashlib.sha1(asked.encode(), usedforsecurity=False).digest()
        ).decode()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accepted)
        self.end_headers()
        self.close_connection = True
        while (head := self.rfile.read(2)) and head[0] == 0x81:
            mask = self.rfile.read(4)
            masked = self.rfile.read(head[1] & 0x7F)
            text = bytes(byte ^ mask[place % 4] for place, byte in enumerate(masked)) * 2
            self.wfile.write(bytes([0x81, len(text)]) + text)

    def do_POST(self) -> None:
        left = size = int(self.headers["Content-Length"])
        while left:
            left -= len(self.rfile.read(min(left, 100_000)))
        self.say({"size": size})

    def chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def say(self, said: dict[str, object]) -> None:
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class Server(ThreadingHTTPServer):
    request_queue_size = 128


server = Server(("127.0.0.1", int(sys.argv[1])), Handler)
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(sys.argv[2])
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
