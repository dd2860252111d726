"""The lab's copy of a stack file: secrets, their encryption, endpoint and user exchanged.

Nothing else of the text changes, not a byte; what is no YAML is copied as it is, so that the
engine refuses it in its own words.
"""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import yaml

from lab.stack import tree
from lab.stack.clouds import CloudSide
from lab.stack.passphrase import Passphrase
from lab.stack.roles import SECRETS, Roles, endpoint_node, username_node

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9:/+=.@!_-]*")
_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")
_HTTPS = 443


@dataclass(frozen=True)
class LabSide:
    """What the lab puts in place of a stack's own values.

    `endpoint` is where the lab's Proxmox answers; a stack's own one stays when its (host, port)
    is in `answers_at`, and its user stays when it is in `users`, else `login` takes its place.
    The callables look a value up when it is needed: the API token `USER@REALM!ID=SECRET`, the
    password of a user, the private SSH key, the fingerprint of the key that signs the connector's
    packages. `secrets` are the world's values by name.
    """

    passphrase: Passphrase
    endpoint: str
    answers_at: Collection[tuple[str, int]]
    users: Collection[str]
    login: str
    api_token: Callable[[], str]
    password: Callable[[str], str]
    private_key: Callable[[], str]
    connector_key: Callable[[], str]
    clouds: CloudSide
    secrets: Mapping[str, str] = field(default_factory=dict)

    def user(self, username: str | None) -> str:
        """A stack's own user where the lab knows it, else the one that logs in here."""
        return username if username in self.users and username else self.login

    def answers(self, endpoint: str) -> bool:
        """Whether the lab's Proxmox really is at this address."""
        try:
            parts = urlsplit(endpoint)
            place = ((parts.hostname or "").lower(), parts.port or _HTTPS)
        except ValueError:
            return False
        return parts.scheme == "https" and place in self.answers_at


@dataclass(frozen=True)
class Copy:
    """The text of the copy, and what the stack file states."""

    content: bytes
    roles: Roles


@dataclass(frozen=True)
class _Change:
    start: int
    end: int
    text: str


def lab_copy(source: bytes, side: LabSide) -> Copy:
    """The copy of a stack file's bytes."""
    try:
        text = source.decode()
        root = tree.read_tree(text)
    except (yaml.YAMLError, UnicodeDecodeError):
        return Copy(source, Roles())
    roles = Roles.of(root)
    changes = sorted(_changes(text, root, roles, side), key=lambda change: change.start)
    pieces, position = [], 0
    for change in changes:
        pieces += [text[position : change.start], change.text]
        position = change.end
    return Copy("".join([*pieces, text[position:]]).encode(), roles)


def _changes(text: str, root: tree.Node | None, roles: Roles, side: LabSide) -> Iterator[_Change]:
    if root is None or (isinstance(root, tree.Scalar) and root.start == root.end):
        yield _appended(text, len(text), side)
        return
    if not isinstance(root, tree.Mapping):
        return
    yield from _encryption(text, root, side)
    for path, mapping in tree.mappings(root):
        if (secret := _secure_value(mapping)) is not None:
            plaintext = _plaintext(path, roles, side)
            yield _exchange(text, secret, side.passphrase.encrypt(plaintext))
    if roles.endpoint is not None and not side.answers(roles.endpoint):
        yield _exchange(text, endpoint_node(root), side.endpoint)
    if roles.username is not None and roles.username != side.user(roles.username):
        yield _exchange(text, username_node(root), side.login)
    for node, value in side.clouds.exchanged(root, roles.clouds):
        yield _exchange(text, node, value)


def _encryption(text: str, root: tree.Mapping, side: LabSide) -> Iterator[_Change]:
    """The three top-level keys that say how secrets are encrypted."""
    values = {"encryptionsalt": side.passphrase.salt, "encryptedkey": "", "secretsprovider": ""}
    present = set()
    for key, value in root.entries:
        name = tree.resolve(key)
        if isinstance(name, tree.Scalar) and name.value in values:
            present.add(name.value)
            if isinstance(tree.resolve(value), tree.Scalar):
                yield _exchange(text, value, values[name.value])
    if "encryptionsalt" not in present:
        # A file without one is rewritten by the engine at the first preview.
        yield _added_salt(text, root, side)


def _added_salt(text: str, root: tree.Mapping, side: LabSide) -> _Change:
    salt = f"encryptionsalt: {side.passphrase.salt}"
    if root.flow:
        inside = text.index("{", root.start) + 1
        return _Change(inside, inside, f"{salt}{', ' if root.entries else ''}")
    at_line_start = root.end == len(text) or text[root.end - 1] == "\n"
    if root.column == 0 and at_line_start and text.endswith("\n"):
        # Behind everything: line numbers in the engine's messages stay those of the file.
        return _appended(text, root.end, side)
    indent = " " * root.column
    return _Change(root.start, root.start, f"{salt}{_newline(text)}{indent}")


def _appended(text: str, position: int, side: LabSide) -> _Change:
    newline = _newline(text)
    before = newline if position and text[position - 1] not in "\n\ufeff" else ""
    return _Change(position, position, f"{before}encryptionsalt: {side.passphrase.salt}{newline}")


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _secure_value(mapping: tree.Mapping) -> tree.Node | None:
    """The value of a mapping that the engine takes for a secret: `secure` alone, a string."""
    if len(mapping.entries) != 1:
        return None
    key, value = mapping.entries[0]
    name, content = tree.resolve(key), tree.resolve(value)
    if not isinstance(name, tree.Scalar) or name.value != "secure":
        return None
    return value if isinstance(content, tree.Scalar) and content.is_string else None


def _plaintext(path: tuple[str, ...], roles: Roles, side: LabSide) -> str:
    if path == ("config", SECRETS):
        # All secrets as one encrypted object: the names in it cannot be read here.
        clouds = roles.clouds
        named = {roles.api_token, roles.password, roles.private_key}
        named |= {clouds.cloudflare_token, clouds.tailscale_key, clouds.tailscale_secret}
        names = sorted({*side.secrets, *(name for name in named if name)})
        return json.dumps({name: _value(name, roles, side) for name in names})
    return _value(path[-1] if path else "", roles, side)


def _value(name: str, roles: Roles, side: LabSide) -> str:
    if name == roles.api_token:
        return side.api_token()
    if name == roles.password:
        return side.password(side.user(roles.username))
    if name == roles.private_key:
        return side.private_key()
    if (value := side.clouds.secret(name, roles.clouds)) is not None:
        return value
    if name in side.secrets:
        return side.secrets[name]
    return side.passphrase.throw_away(name)


def _exchange(text: str, node: tree.Node | None, value: str) -> _Change:
    """Another value at the place of a scalar or alias, in its style where that can hold it."""
    if isinstance(node, tree.Alias):
        return _Change(node.start, node.end, _written(value, None))
    if not isinstance(node, tree.Scalar):
        raise TypeError(f"only a scalar can be exchanged, not {node!r}")
    start, raw = node.start, text[node.start : node.end]
    if (properties := _PROPERTIES.match(raw)) is not None:
        start += properties.end()
    blank_end = raw[len(raw.rstrip()) :]
    space = " " if text[start - 1 : start] == ":" else ""
    return _Change(start, node.end, f"{space}{_written(value, node.style)}{blank_end}")


def _written(value: str, style: str | None) -> str:
    if style == "'":
        return "'" + value.replace("'", "''") + "'"
    if style != '"' and _PLAIN.fullmatch(value):
        return value
    return json.dumps(value)
