"""The LXC configuration of one container as text. Pure: nothing here touches the system."""

import hashlib
import shlex
import sys
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from lab.guests import GuestSpec, NetworkInterface
from lab.host.boot_order import FoundDevice, shift_of
from lab.host.controllers import Controllers, unified_limits
from lab.host.stage import STAGE
from lab.paths import CHECKOUT, LabPaths

ID_COUNT = 65_536

_SCRIPTS = Path(__file__).with_name("scripts")
_PRIVILEGED_DEVICES = (
    "c *:* m", "b *:* m", "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm", "c 1:8 rwm", "c 1:9 rwm",
    "c 5:0 rwm", "c 5:1 rwm", "c 5:2 rwm", "c 136:* rwm", "c 10:200 rwm", "c 10:229 rwm",
)  # fmt: skip


def bridge_of(card: NetworkInterface) -> str:
    """The bridge of the lab: each VLAN is a bridge of its own, `vmbr0v20`."""
    return card.bridge if card.vlan is None else f"{card.bridge}v{card.vlan}"


def outer_name(card: NetworkInterface, key: str) -> str:
    """The lab's end of a network card, in Proxmox's form (`veth111i0`) or as short."""
    kind, _, name = key.partition("-")
    if kind == "ct":
        number = card.name.removeprefix("eth")
        suffix = number if number.isdigit() and len(number) < 3 else _digest(card.name, 2)
        return f"veth{name}i{suffix}"[:15]
    return f"v{_digest(f'{key}/{card.name}', 10)}"


def lxc_config(
    spec: GuestSpec,
    paths: LabPaths,
    controllers: Controllers,
    devices: tuple[FoundDevice, ...],
) -> str:
    """The text of the configuration file."""
    directory = paths.guests / spec.key
    group = f"{paths.namespace}/{spec.key}"
    environment = Environment(
        loader=PackageLoader("lab.host", "text"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - no HTML
    )
    environment.filters |= {"bridge": bridge_of, "outer": outer_name, "inside": _inside}
    # LXC takes away quotes around a whole line: with a word in front there are none.
    attach = ["/usr/bin/env", _SCRIPTS / "attach.sh", STAGE, group, directory]
    ended = [
        "/usr/bin/env",
        _SCRIPTS / "ended.sh",
        STAGE,
        group,
        directory,
        CHECKOUT,
        sys.executable,
    ]
    return environment.get_template("lxc.conf.j2").render(
        spec=spec,
        lab=paths.name,
        stage=STAGE,
        group=paths.namespace,
        shift=shift_of(spec),
        id_count=ID_COUNT,
        limits=unified_limits(spec, controllers),
        device_rules=[*_PRIVILEGED_DEVICES, *(f"{found.rule} rwm" for found in devices)],
        attach=shlex.join(map(str, attach)),
        ended=shlex.join(map(str, ended)),
    )


def _inside(path: str) -> str:
    """A path in a mount entry: relative to the root, blanks as octal."""
    return path.lstrip("/").replace("\\", "\\134").replace(" ", "\\040").replace("\t", "\\011")


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]
