"""Sockets in other network namespaces: a thread enters, binds and hands the socket back."""

import ctypes
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_CLONE_NEWNET = 0x40000000
_BACKLOG = 512


def network_of(pid: int) -> Path:
    """The network namespace of a process."""
    return Path(f"/proc/{pid}/ns/net")


def run_in_network(namespace: Path, work: Callable[[], T]) -> T:
    """Do `work` in a thread of its own inside `namespace`; what it raises is raised here.

    A socket stays in the namespace it was made in, also when this process uses it.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def inside() -> None:
        try:
            _enter(namespace)
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=inside, name=f"in {namespace.name}")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def open_socket_in(
    namespace: Path, address: str, port: int, *, kind: socket.SocketKind = socket.SOCK_STREAM
) -> socket.socket:
    """A non-blocking socket bound to `address` in `namespace`; a stream socket listens.

    `namespace`: a file such as `enter.namespace_file(paths)`, or `network_of(pid)` for that of a
    container. Raises OSError as `bind` does.
    """

    def make() -> socket.socket:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        made = socket.socket(family, kind)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind((address, port))
            if kind == socket.SOCK_STREAM:
                made.listen(_BACKLOG)
        except BaseException:
            made.close()
            raise
        made.settimeout(0)
        return made

    return run_in_network(namespace, make)


def _enter(namespace: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(descriptor, _CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(namespace))
    finally:
        os.close(descriptor)
