"""What a module binds to names, read from its code and never run."""

import ast
from collections.abc import Iterator


def bindings(module: ast.Module | None) -> Iterator[tuple[str, ast.AST]]:
    """Names that a module sets at its top, with what sets them, also below `if`, `try`, `with`."""
    waiting: list[ast.AST] = list(module.body) if module else []
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _assigned(target, node.value)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            yield from ((name, node.value) for name in _names(node.target))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node
            yield from _made_global(node)
        elif isinstance(node, ast.Import):
            yield from (((a.asname or a.name).partition(".")[0], node) for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((a.asname or a.name, node) for a in node.names)
        elif isinstance(node, ast.If | ast.Try | ast.With | ast.For | ast.While):
            waiting = [*ast.iter_child_nodes(node), *waiting]
        elif isinstance(node, ast.ExceptHandler):
            waiting = [*node.body, *waiting]
        elif isinstance(node, ast.Expr):
            walked = (part for part in ast.walk(node) if isinstance(part, ast.NamedExpr))
            yield from ((part.target.id, part.value) for part in walked)


def _assigned(target: ast.AST, value: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Pairs of names and values; a name that takes a part of a value stands for itself."""
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple | ast.List):
        parts = value.elts if isinstance(value, ast.Tuple | ast.List) else []
        plain = len(parts) == len(target.elts) and not any(
            isinstance(part, ast.Starred) for part in [*parts, *target.elts]
        )
        for number, one in enumerate(target.elts):
            yield from _assigned(one, parts[number] if plain else one)
    elif isinstance(target, ast.Starred):
        yield from _assigned(target.value, target.value)


def _made_global(function: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Names that a function sets in its module; what they then are is not known."""
    for node in ast.walk(function):
        if isinstance(node, ast.Global):
            yield from ((name, ast.Name(name)) for name in node.names)


def _names(target: ast.AST) -> Iterator[str]:
    yield from (node.id for node in ast.walk(target) if isinstance(node, ast.Name))
