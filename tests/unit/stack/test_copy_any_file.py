"""Whatever a stack file looks like, the copy differs in the allowed list only."""

from collections.abc import Iterator
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.stack.copy import LabSide, lab_copy
from tests.unit.stack.conftest import Decrypter

_names = st.text("abcxyz09-_é 'é#:", min_size=1, max_size=8)
_secret = st.builds(lambda text: {"secure": f"v1:{text}:Q0lQSEVS"}, st.text("abcXYZ09+/="))
_plain = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.floats(allow_nan=False)
)
_values = st.recursive(
    _plain | _secret,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=3),
    max_leaves=12,
)
_documents = st.fixed_dictionaries(
    {"config": st.dictionaries(_names, _values, max_size=4)},
    optional={
        "encryptionsalt": st.just("v1:old:v1:nonce:text"),
        "secretsprovider": st.sampled_from(["passphrase", "awskms://alias/x", "default"]),
        "encryptedkey": st.just("AQECAHg="),
        "environment": st.just(["shared"]),
    },
)


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"secure"} and isinstance(value["secure"], str):
            return "a secret"
        return {key: _masked(inner) for key, inner in value.items()}
    return [_masked(inner) for inner in value] if isinstance(value, list) else value


def _secrets(value: Any) -> list[str]:
    if isinstance(value, dict):
        if set(value) == {"secure"} and isinstance(value["secure"], str):
            return [value["secure"]]
        return [s for inner in value.values() for s in _secrets(inner)]
    return [s for inner in value for s in _secrets(inner)] if isinstance(value, list) else []


@settings(max_examples=150, deadline=None)
@given(
    document=_documents,
    flow=st.sampled_from([None, True, False]),
    width=st.sampled_from([20, 80, 1000]),
    windows=st.booleans(),
    mark=st.booleans(),
    comment=st.sampled_from(["", "# end", "# end\n", "\n\n"]),
)
def test_any_copy_differs_in_the_allowed_list_only(
    side: LabSide,
    decrypt: Decrypter,
    document: dict[str, Any],
    flow: bool | None,
    width: int,
    windows: bool,
    mark: bool,
    comment: str,
) -> None:
    text = yaml.safe_dump(
        document, default_flow_style=flow, width=width, allow_unicode=True, sort_keys=False
    )
    text = ("\ufeff" if mark else "") + text + comment
    text = text.replace("\n", "\r\n") if windows else text
    before = yaml.safe_load(text)
    copied = lab_copy(text.encode(), side).content.decode()
    after = yaml.safe_load(copied)

    for key, value in (("encryptedkey", ""), ("secretsprovider", "")):
        assert after.get(key, value) == value
    assert after["encryptionsalt"] == side.passphrase.salt
    free = {"encryptionsalt", "encryptedkey", "secretsprovider"}
    assert {k: v for k, v in _masked(after).items() if k not in free} == {
        k: v for k, v in _masked(before).items() if k not in free
    }
    for secret in _secrets(after):
        assert len(decrypt(secret)) == 32
    added = f"encryptionsalt: {side.passphrase.salt}"
    if "encryptionsalt" not in document:
        newline = "\r\n" if "\r\n" in text else "\n"
        for form in (f"{newline}{added}{newline}", f"{added}{newline}", f"{added}, ", added):
            if _blank(copied.replace(form, "", 1)) == _blank(text):
                return
    assert _blank(copied) == _blank(text)


def _blank(text: str) -> str:
    """The text with nothing where a value may differ, by the places that PyYAML gives."""
    root = yaml.compose(text)
    assert root is not None
    spans = list(_secure_spans(root))
    for key, value in root.value:
        if key.value in {"encryptionsalt", "encryptedkey", "secretsprovider"}:
            spans.append((value.start_mark.index, value.end_mark.index))
    for start, end in sorted(spans, reverse=True):
        text = text[:start] + text[end:]
    return text


def _secure_spans(node: yaml.Node) -> Iterator[tuple[int, int]]:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _secure_spans(item)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == "secure" and len(node.value) == 1 and value.tag.endswith(":str"):
                yield value.start_mark.index, value.end_mark.index
            else:
                yield from _secure_spans(value)
