"""The units of a service: a socket that keeps its port open, and the service behind it."""

from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import PurePosixPath

from infra.settings.service import Service
from infra.settings.service_places import Places
from infra.settings.ways_result import TlsSettings
from infra.text.quoting import command_line
from infra.text.render import render

LAUNCHER_PYTHON = "/usr/bin/python3"
HOMES = ("/home", "/root", "/run/user")
START_SPARE_S = 15
STOP_SPARE_S = 45


def launcher(name: str) -> str:
    """Where the guest program puts the launcher of a service."""
    return f"/var/lib/berth/services/{name}/launcher.py"


def units(
    places: Places,
    service: Service,
    *,
    owner: str,
    import_path: str,
    tls: TlsSettings | None = None,
) -> dict[str, str]:
    """Text by unit name. A command of one's own opens its port itself, so it has no socket."""
    service_name, socket_name = f"{places.unit}.service", f"{places.unit}.socket"
    socket = None if service.command else socket_name
    text = render(
        "service.service.j2",
        owner=owner,
        name=places.name,
        what=service.app or service.factory or "a command of its own",
        socket=socket,
        unit=places.unit,
        user=places.user,
        root_user=places.user == "root",
        root=places.root,
        env_file=places.env_file,
        command=_command(places, service, import_path, tls),
        start_limit_s=service.health.limit_s + START_SPARE_S,
        stop_limit_s=service.drain_s + STOP_SPARE_S,
        files=service.limits.files,
        memory_mb=service.limits.memory_mb,
        sandbox=service.sandbox,
        writable=places.writable,
        code_in_homes=_in_homes([places.root]),
        writable_in_homes=_in_homes(places.writable),
    )
    renewal = _renewal(places, owner=owner, tls=tls) if tls and tls.names else {}
    if socket is None:
        return {service_name: text, **renewal}
    listen = listen_stream(service.listen, service.port)
    opened = render("service.socket.j2", owner=owner, name=places.name, listen=listen)
    return {socket_name: opened, service_name: text, **renewal}


def _renewal(places: Places, *, owner: str, tls: TlsSettings) -> dict[str, str]:
    """What makes the host's own certificate anew before it expires."""
    name = f"{places.unit}-certificate"
    program = f"/var/lib/berth/services/{places.name}/certificate.py"
    words = [LAUNCHER_PYTHON, "-I", program, tls.certificate, tls.key, places.user, *tls.names]
    command, values = command_line(words), {"owner": owner, "name": places.name}
    return {
        f"{name}.service": render("certificate.service.j2", command=command, **values),
        f"{name}.timer": render("certificate.timer.j2", **values),
    }


def _in_homes(paths: Iterable[str]) -> tuple[str, ...]:
    """Those below the directories that the sandbox hides."""
    return tuple(p for p in paths if any(PurePosixPath(p).is_relative_to(h) for h in HOMES))


def listen_stream(listen: str, port: int) -> str:
    """An address as systemd's ListenStream wants it."""
    return f"[{listen}]:{port}" if ip_address(listen).version == 6 else f"{listen}:{port}"


def _command(places: Places, service: Service, import_path: str, tls: TlsSettings | None) -> str:
    words = [LAUNCHER_PYTHON, "-I", launcher(places.name), "run", places.root]
    words.append(import_path)
    if service.command:
        return command_line([*words, "exec", *service.command])
    words += ["serve", service.app or service.factory or ""]
    words += ["--factory"] if service.factory else []
    words += ["--workers", str(service.workers), "--log-level", service.log_level]
    words += ["--tls", tls.certificate, tls.key] if tls else []
    return command_line([*words, "--drain", str(service.drain_s)])
