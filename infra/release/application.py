"""Finds the ASGI application that a service names, by reading code, never by running it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from infra.release.bindings import bindings
from infra.release.finding import Finding
from infra.release.tree import Tree

USUAL_PATHS = (".", "src")
MAX_HOPS = 5
NO_ASGI = frozenset(
    {
        "APIRouter", "Blueprint", "Bottle", "Celery", "Flask", "Typer", "get_wsgi_application",
        "bool", "bytes", "dict", "float", "frozenset", "getLogger", "int", "list", "object", "set",
        "str", "tuple",
    }
)  # fmt: skip
APPLICATIONS = frozenset({"FastAPI", "Litestar", "Quart", "Sanic", "Starlette"})
LITERALS = (
    ast.Constant | ast.List | ast.Dict | ast.Tuple | ast.Set | ast.JoinedStr | ast.ListComp
    | ast.DictComp | ast.SetComp | ast.GeneratorExp | ast.BinOp | ast.UnaryOp | ast.Compare
)  # fmt: skip


@dataclass(frozen=True)
class Named:
    """An application as the stack file names it: `module:attribute`, made by calling if `factory`.

    `import_path` is where its modules lie in the source, None to look at the usual places.
    """

    text: str
    factory: bool
    import_path: str | None

    @property
    def key(self) -> str:
        """The setting that holds it."""
        return "factory" if self.factory else "app"

    @property
    def module(self) -> str:
        return self.text.partition(":")[0]

    @property
    def attribute(self) -> str:
        return self.text.partition(":")[2].partition(".")[0]


def find_import_path(tree: Tree, named: Named) -> tuple[str, list[Finding]]:
    """Where the application's modules lie in the source, with what is wrong about it."""
    candidates = USUAL_PATHS if named.import_path is None else (named.import_path,)
    for path in candidates:
        if (file := _module_file(tree, path, named.module)) is not None:
            return path, _check(tree, named, path, file)
    where = " and ".join("the source itself" if path == "." else path for path in candidates)
    return candidates[0], [
        Finding(
            named.key, f"module {named.module} is not in {where}; {_elsewhere(tree, named.module)}"
        )
    ]


def _elsewhere(tree: Tree, module: str) -> str:
    tail = module.replace(".", "/")
    endings = (f"/{tail}.py", f"/{tail}/__init__.py")
    for name in tree.by_name:
        for ending in endings:
            if f"/{name}".endswith(ending) and len(name) > len(ending) - 1:
                base = name[: -len(ending)]
                return f"it is in {base}: set import_path: {base}"
    found = sorted(f"{module}:{attribute}" for module, attribute in _applications(tree))
    if found:
        return f"did you mean {' or '.join(found[:3])}?"
    return "name it as module:attribute, such as app.main:app for app in app/main.py"


def _applications(tree: Tree) -> Iterator[tuple[str, str]]:
    """What looks like an application in the source."""
    for name in tree.by_name:
        content = tree.read(name) if name.endswith(".py") and name.count("/") <= 3 else None
        if content is None or b"FastAPI(" not in content:
            continue
        path = PurePosixPath(name.removeprefix("src/")).with_suffix("")
        parts = path.parts[:-1] if path.name == "__init__" else path.parts
        if "tests" in parts or not parts:
            continue
        for attribute, value in bindings(_parsed(content)):
            if isinstance(value, ast.Call) and _called(value) == "FastAPI":
                yield ".".join(parts), attribute


def _module_file(tree: Tree, base: str, module: str) -> str | None:
    stem = (PurePosixPath(base) / module.replace(".", "/")).as_posix()
    return next((f for f in (f"{stem}.py", f"{stem}/__init__.py") if f in tree.by_name), None)


def _check(
    tree: Tree, named: Named, base: str, file: str, *, hops: int = 0, attribute: str = ""
) -> list[Finding]:
    wanted = attribute or named.attribute
    module = _parsed(tree.read(file) or b"")
    if module is None:
        # Newer syntax than this Python knows; the host will say whether it runs.
        return []
    bound = list(bindings(module))
    names = {name for name, _ in bound}
    if "__getattr__" in names or "*" in names:
        return []
    values = [value for name, value in bound if name == wanted]
    if not values:
        submodule = _module_file(tree, str(PurePosixPath(file).parent), wanted)
        known = _suggested(bound)
        if submodule and file.endswith("__init__.py"):
            return [Finding(named.key, f"{named.text} is a module; name an attribute in it")]
        return [Finding(named.key, f"{file} has no {wanted}{known}")]
    value = values[-1]
    if isinstance(value, ast.ImportFrom) and hops < MAX_HOPS:
        follow = _imported(tree, base, file, value, wanted)
        return (
            _check(tree, named, base, follow[0], hops=hops + 1, attribute=follow[1])
            if follow
            else []
        )
    judge = _factory_problem if named.factory else _application_problem
    problems = [judge(_meant(bound, value)) for value in values]
    # One of several ways to set it (in a `try`, an `if`) may well be the one that counts.
    return [] if None in problems else [Finding(named.key, f"{named.text} {problems[-1]}")]


def _meant(bound: list[tuple[str, ast.AST]], value: ast.AST) -> ast.AST:
    """What a plain name stands for in its module, followed to where it is made."""
    for _ in range(MAX_HOPS):
        if not isinstance(value, ast.Name):
            break
        made = [one for name, one in bound if name == value.id]
        if len(made) != 1:
            break
        value = made[0]
    return value


def _suggested(bound: list[tuple[str, ast.AST]]) -> str:
    likely = [
        name
        for name, value in bound
        if isinstance(value, ast.Call) and _called(value) not in NO_ASGI
        and _called(value)[:1].isupper()
    ]  # fmt: skip
    made = [name for name, value in bound if isinstance(value, ast.FunctionDef)
            and "app" in name]  # fmt: skip
    if likely:
        return f"; it has {', '.join(dict.fromkeys(likely))}"
    if made:
        return f"; it has the function {made[0]}: name that as factory instead of app"
    return "; name an attribute of that module that is the application"


def _imported(
    tree: Tree, base: str, file: str, statement: ast.ImportFrom, wanted: str
) -> tuple[str, str] | None:
    """The file of the source and the name in it that an import leads to, None for others."""
    alias = next((a for a in statement.names if (a.asname or a.name) == wanted), None)
    if alias is None:
        return None
    start = PurePosixPath(base)
    if statement.level:
        start = PurePosixPath(file)
        for _ in range(statement.level):
            start = start.parent
    found = _module_file(tree, str(start), statement.module or "")
    if statement.module is None:
        name = (start / "__init__.py").as_posix()
        found = name if name in tree.by_name else None
    return (found, alias.name) if found and found != file else None


def _parsed(content: bytes) -> ast.Module | None:
    try:
        return ast.parse(content)
    except (SyntaxError, ValueError):
        return None


def _called(call: ast.Call) -> str:
    function = call.func
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else ""


def _application_problem(value: ast.AST) -> str | None:
    if (shown := _no_application(value)) is not None:
        return f"is no ASGI application: it is {shown}"
    if isinstance(value, ast.Import):
        return "is a module; name an attribute in it"
    if isinstance(value, ast.ClassDef) or _imports_application(value):
        return "is a class; name an instance of it, or a function that makes one as factory"
    if isinstance(value, ast.FunctionDef):
        return {
            0: "is a function; if it makes the application, name it as factory instead of app",
            2: "takes two arguments, as a WSGI application does; an ASGI application is needed",
        }.get(_required(value))
    if isinstance(value, ast.AsyncFunctionDef) and _required(value) not in {3, -1}:
        return "is no ASGI application: it does not take scope, receive and send"
    return None


def _no_application(value: ast.AST) -> str | None:
    """What a value is that can be called by no server, None for what may be."""
    if isinstance(value, LITERALS):
        return ast.unparse(value)[:40]
    if isinstance(value, ast.Lambda):
        return "a lambda"
    if isinstance(value, ast.Call) and _called(value) in NO_ASGI:
        return f"a {_called(value)}"
    return None


def _imports_application(value: ast.AST) -> bool:
    """Whether it is a framework's class itself, imported and never called."""
    return isinstance(value, ast.ImportFrom) and any(
        alias.name in APPLICATIONS for alias in value.names
    )


def _factory_problem(value: ast.AST) -> str | None:
    if isinstance(value, ast.AsyncFunctionDef):
        return "is async, so calling it makes no application; a plain function is needed"
    if isinstance(value, ast.FunctionDef) and _required(value) > 0:
        names = ", ".join(argument.arg for argument in value.args.args)
        return f"cannot be called without arguments (it takes {names})"
    if isinstance(value, LITERALS):
        return f"is no function: it is {ast.unparse(value)[:40]}"
    if isinstance(value, ast.Import):
        return "is a module; name a function in it"
    if isinstance(value, ast.Call) and _called(value) in APPLICATIONS:
        return "is the application itself; name it as app instead of factory"
    return None


def _required(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many arguments a call must give; -1 where it takes any number."""
    arguments = function.args
    if arguments.vararg is not None:
        return -1
    positional = len(arguments.posonlyargs) + len(arguments.args) - len(arguments.defaults)
    return positional + sum(default is None for default in arguments.kw_defaults)
