"""Quoting for systemd: values of environment files, words of command lines."""

from collections.abc import Mapping, Sequence


def env_line(name: str, value: str) -> str:
    """`NAME="value"`, which systemd reads back as exactly that value.

    ValueError where no environment can hold it: a NUL, or a line break.
    """
    if "\0" in value or "\n" in value:
        raise ValueError(f"{name}: a value holds no NUL and no line break")
    quoted = "".join(f"\\{c}" if c in '\\"`$' else c for c in value)
    return f'{name}="{quoted}"'


def env_file(owner: str, values: Mapping[str, str]) -> str:
    """An environment file, sorted by name, so that the same values are the same bytes."""
    lines = [f"# berth: {owner}", "# Written by each deploy; what is changed here is lost."]
    lines += [env_line(name, values[name]) for name in sorted(values)]
    return "\n".join(lines) + "\n"


def command_line(words: Sequence[str]) -> str:
    """Words of ExecStart, each one word, nothing in it expanded."""
    return " ".join(_word(word) for word in words)


def _word(word: str) -> str:
    if "\0" in word or "\n" in word:
        raise ValueError("a word of a command holds no NUL and no line break")
    plain = word.replace("%", "%%").replace("$", "$$")
    safe = word and all(c.isalnum() or c in "/._-+=:,@%$" for c in word) and word.isascii()
    if safe and word != ";":
        return plain
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'
