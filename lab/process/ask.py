"""The command line's side of the control socket: asks the lab's process, and is answered."""

import http.client
import json
import socket
from typing import Any, Literal
from urllib.parse import quote

from lab.errors import LabError
from lab.paths import LabPaths

Json = dict[str, Any]
_LIMIT_S = 120
_OK = 200


class _Connection(http.client.HTTPConnection):
    """HTTP over a socket that is a file. The standard library starts 0.3 s faster than others."""

    def __init__(self, path: str) -> None:
        super().__init__("lab", timeout=_LIMIT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def ask(paths: LabPaths, method: str, path: str) -> Json | None:
    """The answer of the lab's process; None when it does not run. LabError when it refuses."""
    connection = _Connection(str(paths.control))
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        text = answer.read()
    except (FileNotFoundError, ConnectionError, http.client.HTTPException):
        return None
    except PermissionError as error:
        raise LabError(
            f"lab {paths.name}: belongs to somebody else; give yours a name: `--name NAME`"
        ) from error
    except TimeoutError as error:
        raise LabError(
            f"lab {paths.name}: its process has not answered for {_LIMIT_S} s; "
            f"`bin/lab logs` shows what it does, `bin/lab down` removes it"
        ) from error
    finally:
        connection.close()
    try:
        body: Json = json.loads(text)
    except ValueError:
        # Not one of its own answers: it failed over the question, and its log says how.
        body = {"error": f"lab {paths.name}: cannot do that now; `bin/lab logs` says why"}
    if answer.status != _OK:
        raise LabError(body["error"])
    return body


def ask_running(paths: LabPaths, method: str, path: str) -> Json:
    """The same, for what makes no sense without the process."""
    answer = ask(paths, method, path)
    if answer is None:
        raise LabError(f"lab {paths.name}: is not running; start it with `bin/lab up`")
    return answer


def switch_host(paths: LabPaths, host: str, verb: Literal["start", "stop"]) -> None:
    """Switch a machine on or off; `host` is what a person called it, whatever that is."""
    place = quote(host, safe="", errors="surrogateescape")
    ask_running(paths, "POST", f"/hosts/{place}/{verb}")
