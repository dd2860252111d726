"""Commands that messages suggest, for the lab that was named on the command line."""

import re

import typer

_SUGGESTED = re.compile(r"(`bin/lab [a-z]+)(?! --name)\b")
_named: list[str] = []


def remember(context: typer.Context, parameter: typer.CallbackParam, name: str) -> str:
    """Option callback: keep a name that was said; one from the environment says itself again."""
    source = context.get_parameter_source(str(parameter.name))
    _named[:] = [name] if source is not None and source.name == "COMMANDLINE" else []
    return name


def suggest(text: str) -> str:
    """`text` with suggestions that, pasted as they are, act on that lab and on no other."""
    return _SUGGESTED.sub(rf"\1 --name {_named[0]}", text) if _named else text
