"""The environment of a command that runs in the lab. Pure: makes a mapping from a mapping."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.paths import LabPaths, cache_dir
from lab.stack.copy import LabSide
from lab.stack.roles import Roles

# Whatever could bring a real login, a real address or another state into the lab.
_KEPT_OUT = re.compile(
    r"(PULUMI|PROXMOX_VE|CLOUDFLARE|CF|TAILSCALE|TS|HEADSCALE)_.*"
    r"|OAUTH_CLIENT_(ID|SECRET)|IDENTITY_TOKEN"
    r"|BERTH_(SSH|KNOWN_HOSTS).*"
    r"|SSH_(AUTH_SOCK|AGENT_PID)"
    r"|((https?|all|ftp|no)_proxy|(HTTPS?|ALL|FTP|NO)_PROXY)"
    r"|PYTHONDONTWRITEBYTECODE"
)
# How a command behaves and what it shows, neither of which is a login or a place.
_LET_IN = re.compile(
    r"PULUMI_(RUN_PROGRAM|SKIP_CONFIRMATIONS|CONTINUE_ON_ERROR|PARALLEL_DIFF|DEBUG_GRPC)"
    r"|PULUMI_OPTION_(COLOR|DIFF|EMOJI|JSON|LOGFLOW|LOGTOSTDERR|MESSAGE|NON_INTERACTIVE|PARALLEL"
    r"|REFRESH|RUN_PROGRAM|SHOW_\w+|SKIP_PREVIEW|SUPPRESS_\w+|VERBOSE|YES)"
)


@dataclass(frozen=True)
class Place:
    """Where a command finds the lab's programs, the stack's copy and its state."""

    paths: LabPaths
    programs: tuple[Path, ...]
    stack: str
    copy: Path
    backend: Path


def lab_environment(
    caller: Mapping[str, str], place: Place, side: LabSide, roles: Roles
) -> dict[str, str]:
    """The caller's environment without its logins and settings of providers, with the lab's."""
    kept = {
        name: value
        for name, value in caller.items()
        if _LET_IN.fullmatch(name) or not _KEPT_OUT.fullmatch(name)
    }
    search = [*(str(p) for p in place.programs), *filter(None, [caller.get("PATH")])]
    bundle = str(place.paths.ca_bundle)
    # A stack may have hooks that a destroy needs; nobody should have to know that here.
    kept.setdefault("PULUMI_RUN_PROGRAM", "true")
    return kept | {
        "PATH": os.pathsep.join(search),
        # The engine wants to know who works on a state, and a service or container may not say.
        "USER": caller.get("USER") or f"uid-{os.geteuid()}",
        "PULUMI_HOME": str(place.paths.pulumi_home),
        "PULUMI_BACKEND_URL": place.backend.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": side.passphrase.phrase,
        "PULUMI_STACK": place.stack,
        "PULUMI_OPTION_CONFIG_FILE": str(place.copy),
        # Without it `pulumi stack rm` deletes the checkout's own file.
        "PULUMI_OPTION_PRESERVE_CONFIG": "true",
        "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PYTHONPYCACHEPREFIX": str(cache_dir() / "bytecode"),
        # What providers leave there goes with the lab.
        "TMPDIR": str(place.paths.scratch),
        # Each of them replaces the machine's certificates for some of the programs.
        "SSL_CERT_FILE": bundle,
        "REQUESTS_CA_BUNDLE": bundle,
        "CURL_CA_BUNDLE": bundle,
        "BERTH_KNOWN_HOSTS": str(place.paths.existing_known_hosts),
        # The key of the lab's own connector packages, in the place of the real one.
        "BERTH_CLOUDFLARED_KEY_FINGERPRINT": side.connector_key(),
        **_what_the_stack_leaves_open(place.paths, side, roles),
    }


def _what_the_stack_leaves_open(paths: LabPaths, side: LabSide, roles: Roles) -> dict[str, str]:
    filled: dict[str, str] = {}
    if roles.endpoint is None:
        filled["PROXMOX_VE_ENDPOINT"] = side.endpoint
    if roles.api_token is None and roles.username is None and roles.password is None:
        filled["PROXMOX_VE_API_TOKEN"] = side.api_token()
    elif roles.api_token is None and roles.username is None:
        filled["PROXMOX_VE_USERNAME"] = side.login
    elif roles.api_token is None and roles.password is None:
        filled["PROXMOX_VE_PASSWORD"] = side.password(side.user(roles.username))
    if roles.private_key is None:
        filled["BERTH_SSH_PRIVATE_KEY_FILE"] = str(paths.ssh_key)
    return filled | side.clouds.environment(roles.clouds)
