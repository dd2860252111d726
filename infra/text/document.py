"""The document that one deploy sends to the guest program, from settings alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.release.project import Project
from infra.settings.service import Service
from infra.settings.service_places import Places
from infra.settings.ways_result import TlsSettings
from infra.text.quoting import env_file
from infra.text.units import units

FORMAT = 1
LOCK_LIMIT_S = 600
INCOMING = "/var/lib/berth/incoming"


@dataclass(frozen=True)
class Sent:
    """The archive of a service: the hash that names it, the command that sends it again.

    `incoming` is where archives are copied to on the host, as seen from the home of who logs in.
    """

    service: str
    sha256: str
    send_again: str
    incoming: str = INCOMING

    @property
    def path(self) -> str:
        """Where it is copied to on the host; each service has its own, so one can be removed."""
        return f"{self.incoming}/{self.service}/{self.sha256}.tar.gz"


def named(places: Places, *, owner: str, secrets: tuple[str, ...] = ()) -> dict[str, Any]:
    """The document of `remove` and `status`; `secrets` are values to mask."""
    return {
        "format": FORMAT,
        "service": places.name,
        "owner": owner,
        "unit": places.unit,
        "root": places.root,
        "user": places.user,
        "secrets": sorted(secrets),
        "lock_limit_s": LOCK_LIMIT_S,
    }


def deploy(
    places: Places,
    service: Service,
    project: Project,
    sent: Sent,
    *,
    owner: str,
    secrets: Mapping[str, str],
    tls: TlsSettings | None = None,
    tls_texts: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """The document of `deploy`. `secrets` holds the values by the variables they go into.

    `tls_texts` are certificate and key, where they are sent.
    """
    hidden = {*secrets.values(), *(tls_texts[1:] if tls_texts else ())}
    return named(places, owner=owner, secrets=tuple(hidden)) | {
        "archive": {"sha256": sent.sha256, "path": sent.path, "send_again": sent.send_again},
        "environment": {
            "file": project.lock,
            "sha256": project.lock_sha256,
            "package": project.package,
            "python": service.python,
            "extras": sorted(service.extras),
            "install_project": service.install_project,
            "build_from_source": service.build_from_source,
        },
        "packages": sorted(set(service.packages)),
        "server_only": list(places.server_only),
        "required_on_host": list(service.required_on_host),
        "writable": list(places.writable),
        "env_file": {
            "path": places.env_file,
            "text": env_file(owner, {**service.environment, **secrets}),
        },
        "units": units(places, service, owner=owner, import_path=project.import_path, tls=tls),
        "host": service.listen,
        "port": service.port,
        "health": {
            "path": service.health.path,
            "status": service.health.status,
            "json": service.health.answer,
            "limit_s": service.health.limit_s,
        },
        "tls": tls
        and {
            "certificate": tls.certificate,
            "key": tls.key,
            "texts": tls_texts and {"certificate": tls_texts[0], "key": tls_texts[1]},
            "names": list(tls.names),
            "verified": list(tls.verified),
        },
    }
