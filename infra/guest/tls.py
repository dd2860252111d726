"""The certificate that a service speaks HTTPS with: sent, made here, or the host's own."""

import ssl
from pathlib import Path

from . import account, certificate, files, launcher_file, packages, shown
from .document import Deploy, Tls
from .failure import StepFailed
from .host import Host, Ids


def demand_good(document: Deploy, host: Host) -> None:
    """StepFailed where the host's own certificate is missing, over, does not fit its key, or is
    not for a name that cloudflared verifies.
    """
    tls = document.tls
    if tls is None or tls.texts is not None or tls.names:
        return
    for path in (tls.certificate, tls.key):
        if not host.at(path).is_file():
            raise StepFailed(
                f"{path}: is not on the host",
                remedy="put it there; tls/on_host names what belongs to the host",
            )
    try:
        shown.demand_accepted(host.at(tls.certificate), host.at(tls.key), tls.verified)
    except (ssl.SSLError, ValueError) as error:
        raise StepFailed(
            f"{tls.key}: is not the key of {tls.certificate}, or one of the two is no PEM ({error})"
        ) from error
    except shown.NotAcceptedError as error:
        raise StepFailed(f"{tls.certificate}: {error}", remedy=_remedy(error)) from error


def _remedy(error: shown.NotAcceptedError) -> str:
    if error.name is not None:
        return (
            "give the route origin/server_name or no_tls_verify: true, or put another certificate "
            "there"
        )
    return "renew it on the host, and see whether its clock is right"


def place(document: Deploy, host: Host) -> list[str]:
    """Write or make certificate and key; gives what changed. Nothing restarts for it: whoever
    serves with them reads them again.
    """
    tls = document.tls
    if tls is None:
        return []
    launcher_file.place(host, document.service, "renewal.py")
    ids = account.ids(document.user, host)
    if tls.texts is not None:
        return _write(tls, tls.texts, ids, host)
    if not tls.names:
        _demand_readable(tls, document.user, ids, host)
        return []
    packages.ensure(["openssl"], host)
    launcher_file.place(host, document.service, "certificate.py")
    files.directory(host.at(tls.certificate).parent, mode=0o755, ids=host.root_ids)
    made = certificate.ensure(host.at(tls.certificate), host.at(tls.key), ids.gid, tls.names)
    return ["certificate"] if made else []


def ours(document: Deploy) -> list[str]:
    """The paths of those that go with the service."""
    tls = document.tls
    host_own = tls is None or (tls.texts is None and not tls.names)
    return [] if tls is None or host_own else [tls.certificate, tls.key]


def _write(tls: Tls, texts: dict[str, str], ids: Ids, host: Host) -> list[str]:
    readable = Ids(host.root_ids.uid, ids.gid)
    files.directory(host.at(tls.certificate).parent, mode=0o755, ids=host.root_ids)
    wrote = [
        files.write(host.at(tls.key), texts["key"].encode(), mode=0o640, ids=readable),
        files.write(
            host.at(tls.certificate), texts["certificate"].encode(), mode=0o644, ids=host.root_ids
        ),
    ]
    return ["certificate"] if any(wrote) else []


def _demand_readable(tls: Tls, user: str, ids: Ids, host: Host) -> None:
    if ids.uid == 0:
        return
    for path in (tls.certificate, tls.key):
        status = host.at(path).stat()
        groups = {ids.gid}
        readable = (
            status.st_mode & 0o004
            or (status.st_mode & 0o040 and status.st_gid in groups)
            or (status.st_mode & 0o400 and status.st_uid == ids.uid)
        )
        if not readable:
            raise StepFailed(
                f"{path}: {user} cannot read it",
                remedy=f"on the host: chgrp {user} {path} && chmod 640 {path}",
            )


def gone(paths: list[str], kept: list[str], host: Host) -> None:
    """Remove those that an earlier deploy placed and this one does not."""
    for path in paths:
        if path not in kept:
            host.at(path).unlink(missing_ok=True)
            files.remove_if_empty(Path(host.at(path)).parent)
