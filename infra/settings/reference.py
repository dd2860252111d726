"""docs/settings.md, from the models. `python -m infra.settings.reference` writes it."""

from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from infra.settings.models import Container, Existing, Proxmox, Ssh, StackFile, Template
from infra.settings.service import Health, Limits, Sandbox, Service
from infra.settings.ways import (
    Cloudflare,
    Connector,
    HostPair,
    LocalPair,
    Origin,
    Route,
    SecretPair,
    Tailnet,
    TailnetKey,
    Tls,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "settings.md"
_SECTIONS: dict[str, type[BaseModel]] = {
    "berth:": StackFile,
    "berth:proxmox": Proxmox,
    "berth:ssh": Ssh,
    "berth:hosts.NAME.container": Container,
    "berth:hosts.NAME.container.template": Template,
    "berth:hosts.NAME.existing": Existing,
    "berth:services.NAME": Service,
    "berth:services.NAME.health": Health,
    "berth:services.NAME.limits": Limits,
    "berth:services.NAME.sandbox": Sandbox,
    "berth:services.NAME.tls": Tls,
    "berth:services.NAME.tls.files": LocalPair,
    "berth:services.NAME.tls.secrets": SecretPair,
    "berth:services.NAME.tls.on_host": HostPair,
    "berth:services.NAME.routes[]": Route,
    "berth:services.NAME.routes[].origin": Origin,
    "berth:cloudflare": Cloudflare,
    "berth:cloudflare.connector": Connector,
    "berth:tailnet": Tailnet,
    "berth:tailnet.keys.NAME": TailnetKey,
}
_HEAD = """# Every setting

Made from the models by `python -m infra.settings.reference`; a test holds it. `Pulumi.prod.yaml`
shows the keys at work, `schema/berth.schema.json` has them for editors, and
[container-changes.md](container-changes.md) says what a change does to a running container.

Secrets stand below `berth:secrets` and nowhere else, each a name with an encrypted value
(`pulumi config set --secret --path 'berth:secrets.NAME'`); other settings refer to them by name.
"""


def text() -> str:
    """The page as it is committed."""
    return "\n".join([_HEAD, *(_section(title, model) for title, model in _SECTIONS.items())])


def _section(title: str, model: type[BaseModel]) -> str:
    rows = "\n".join(_row(name, field) for name, field in model.model_fields.items())
    return f"## `{title}`\n\n| key | left out | |\n|---|---|---|\n{rows}\n"


def _row(name: str, field: FieldInfo) -> str:
    description = (field.description or "").replace("|", "\\|")
    return f"| `{name}` | {_default(field)} | {description} |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "an error"
    value: Any = field.get_default(call_default_factory=True)
    optional = get_origin(field.annotation) is UnionType and type(None) in get_args(
        field.annotation
    )
    if value is None or optional or isinstance(value, BaseModel) or value in ((), {}):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
