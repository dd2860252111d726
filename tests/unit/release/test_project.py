"""A source that cannot run is told so at once, with what to do, before anything is sent."""

from pathlib import Path

import pytest

from infra.release.application import Named
from infra.release.project import Wanted, inspect
from infra.release.tree import select

HASH = "--hash=sha256:" + "0" * 64
REQUIREMENTS = f"fastapi==1.0 {HASH}\nuvicorn==1.0 \\\n    {HASH}\n"
PYPROJECT = """
[project]
name = "Shop"
version = "1"
requires-python = ">=3.11"
dependencies = ["fastapi>=0.100", "uvicorn[standard]"]
[project.optional-dependencies]
pdf = ["weasy"]
"""
LOCK = """
version = 1
requires-python = ">=3.11"
[[package]]
name = "shop"
source = { virtual = "." }
dependencies = [{ name = "fastapi" }, { name = "uvicorn", extra = ["standard"] }]
[package.optional-dependencies]
pdf = [{ name = "weasy" }]
[package.metadata]
requires-dist = [
  { name = "fastapi", specifier = ">=0.100" },
  { name = "uvicorn", extras = ["standard"] },
  { name = "weasy", marker = "extra == 'pdf'" },
]
provides-extras = ["pdf"]
[[package]]
name = "fastapi"
wheels = [{ url = "w" }]
[[package]]
name = "uvicorn"
wheels = [{ url = "w" }]
[package.optional-dependencies]
standard = [{ name = "httptools" }]
[[package]]
name = "httptools"
wheels = [{ url = "w" }]
[[package]]
name = "weasy"
sdist = { url = "s" }
"""
APP = "from fastapi import FastAPI\napp = FastAPI()\n"


def look(
    root: Path, files: dict[str, str], app: str = "main:app", **wanted: object
) -> tuple[object, list[str]]:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    factory = bool(wanted.pop("factory", False))
    base = wanted.pop("import_path", None)
    named = Named(app, factory, base)  # type: ignore[arg-type]
    project, findings = inspect(select(root), Wanted(named, **wanted))  # type: ignore[arg-type]
    return project, [f"{finding.key}: {finding.text}" for finding in findings]


@pytest.mark.parametrize(
    ("files", "app", "import_path"),
    [
        ({"main.py": APP}, "main:app", "."),
        ({"src/shop/main.py": APP, "src/shop/__init__.py": ""}, "shop.main:app", "src"),
        ({"app/__init__.py": APP}, "app:app", "."),
        ({"app/__init__.py": "from app.made import app\n", "app/made.py": APP}, "app:app", "."),
        ({"app/__init__.py": "from .made import app\n", "app/made.py": APP}, "app:app", "."),
        ({"main.py": "def __getattr__(name): ...\n"}, "main:app", "."),
        ({"main.py": "from somewhere import *\n"}, "main:app", "."),
        ({"main.py": "try:\n    app = make()\nexcept E:\n    app = None\n"}, "main:app", "."),
        ({"main.py": "async def app(scope, receive, send): ...\n"}, "main:app", "."),
        ({"main.py": "app: FastAPI = wrap(x)\n"}, "main:app", "."),
        ({"main.py": "class S: app = 1\ns = S()\n"}, "main:s.app", "."),
        ({"main.py": "type X = int\napp = FastAPI()\n"}, "main:app", "."),
        ({"main.py": "app, other = make(), 1\n"}, "main:app", "."),
        ({"main.py": "app, *more = make()\n"}, "main:app", "."),
        ({"main.py": "print(app := make())\n"}, "main:app", "."),
        ({"main.py": "def start():\n    global app\n    app = make()\nstart()\n"}, "main:app", "."),
    ],
)
def test_usual_layouts_are_found(
    tmp_path: Path, files: dict[str, str], app: str, import_path: str
) -> None:
    project, findings = look(tmp_path, files | {"requirements.txt": REQUIREMENTS}, app)
    assert findings == []
    assert project is not None
    assert project.import_path == import_path  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("application = FastAPI()\n", "main.py has no app; it has application"),
        (
            "def create_app(): ...\n",
            ("main.py has no app; it has the function create_app: "
            "name that as factory instead of app"),
        ),
        ("app = 'x'\n", "main:app is no ASGI application: it is 'x'"),
        ("from flask import Flask\napp = Flask(__name__)\n",
         "main:app is no ASGI application: it is a Flask"),
        ("def app(): ...\n", ("main:app is a function; if it makes the application, "
         "name it as factory instead of app")),
        ("def app(environ, start_response): ...\n", ("main:app takes two arguments, as a WSGI "
         "application does; an ASGI application is needed")),
        ("async def app(request): ...\n",
         "main:app is no ASGI application: it does not take scope, receive and send"),
        ("from fastapi import APIRouter\nrouter = APIRouter()\napp = router\n",
         "main:app is no ASGI application: it is a APIRouter"),
        ("app = dict(a=1)\n", "main:app is no ASGI application: it is a dict"),
        ("app = None\n", "main:app is no ASGI application: it is None"),
        ("app = FastAPI(),\n", "main:app is no ASGI application: it is (FastAPI(),)"),
        ("app = lambda: 1\n", "main:app is no ASGI application: it is a lambda"),
        ("import os\napp = os\n", "main:app is a module; name an attribute in it"),
        ("from fastapi import FastAPI\napp = FastAPI\n", ("main:app is a class; name an instance "
         "of it, or a function that makes one as factory")),
        ("class app: ...\n", ("main:app is a class; name an instance of it, "
         "or a function that makes one as factory")),
    ],
)  # fmt: skip
def test_what_is_no_application_is_named(tmp_path: Path, code: str, text: str) -> None:
    _, findings = look(tmp_path, {"main.py": code, "requirements.txt": REQUIREMENTS})
    assert findings == [f"app: {text}"]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("async def make(): ...\n",
         "main:make is async, so calling it makes no application; a plain function is needed"),
        ("def make(settings, *, debug=False): ...\n",
         "main:make cannot be called without arguments (it takes settings)"),
        ("make = FastAPI()\n",
         "main:make is the application itself; name it as app instead of factory"),
        ("make = 3\n", "main:make is no function: it is 3"),
    ],
)  # fmt: skip
def test_what_is_no_factory_is_named(tmp_path: Path, code: str, text: str) -> None:
    files = {"main.py": code, "requirements.txt": REQUIREMENTS}
    _, findings = look(tmp_path, files, "main:make", factory=True)
    assert findings == [f"factory: {text}"]


def test_a_module_that_is_elsewhere_is_pointed_at(tmp_path: Path) -> None:
    files = {"backend/main.py": APP, "requirements.txt": REQUIREMENTS}
    _, findings = look(tmp_path, files)
    assert findings == [
        (
            "app: module main is not in the source itself and src; "
            "it is in backend: set import_path: backend"
        )
    ]
    project, findings = look(tmp_path, files, import_path="backend")
    assert (project is not None, findings) == (True, [])


def test_an_application_of_another_name_is_suggested(tmp_path: Path) -> None:
    _, findings = look(tmp_path, {"shop/api.py": APP, "requirements.txt": REQUIREMENTS})
    assert findings == [
        "app: module main is not in the source itself and src; did you mean shop.api:app?"
    ]


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ({}, ("the source has no lock; make one in it: `uv pip compile --universal "
             "--generate-hashes requirements.in -o requirements.lock`")),
        ({"pyproject.toml": PYPROJECT}, "the source has no lock; run `uv lock` in it"),
        ({"pyproject.toml": PYPROJECT, "uv.lock": LOCK, ".gitignore": "uv.lock\n"},
         "uv.lock is ignored, so it does not travel; take it out of .gitignore"),
        ({"poetry.lock": "", "pyproject.toml": "[tool.poetry]\nname = 'shop'\n"},
         ("Poetry's lock has no form that uv reads; make one in the source: "
          "`uvx --with poetry-plugin-export poetry export -o requirements.txt`")),
        ({"pyproject.toml": "[tool.poetry]\nname = 'shop'\n"},
         ("Poetry's lock has no form that uv reads; make one in the source (after `poetry lock`): "
          "`uvx --with poetry-plugin-export poetry export -o requirements.txt`")),
        ({"poetry.lock": "", "pyproject.toml": PYPROJECT},
         "the source has no lock; run `uv lock` in it"),
        ({"Pipfile": ""}, ("Pipenv's lock has no form that uv reads; make one in the source: "
         "`pipenv requirements --hash > requirements.txt`")),
        ({"pyproject.toml": "[tool.ruff]\n", "setup.py": ""},
         ("the source has no lock; make one in it: `uv pip compile --universal --generate-hashes "
          "setup.py -o requirements.lock`")),
        ({"requirements/base.txt": "", "requirements/production.txt": ""},
         ("the source has no lock; make one in it: `uv pip compile --universal --generate-hashes "
          "requirements/production.txt -o requirements.lock`")),
        ({"uv.lock": LOCK}, "uv.lock has no pyproject.toml beside it"),
        ({"requirements.txt": "fastapi>=1\nuvicorn==1\n"},
         ("requirements.txt is not pinned by hashes (requirements.txt: fastapi has no hash; "
         "requirements.txt: uvicorn has no hash); make a lock beside it: uv pip compile "
         "--universal --generate-hashes requirements.txt -o requirements.lock")),
        ({"requirements.txt": f"fastapi==1 {HASH}\n"},
         ("requirements.txt does not bring uvicorn, which serves the application; "
         "add it and compile it again")),
        ({"requirements.txt": REQUIREMENTS + f"-r more.txt\nx>=1 {HASH}\n"},
         ("requirements.txt is not pinned by hashes (requirements.txt: x is not pinned with ==; "
         "more.txt is included, but does not travel); make a lock beside it: uv pip compile "
         "--universal --generate-hashes requirements.txt -o requirements.lock")),
        ({"requirements.txt": REQUIREMENTS,
          "pyproject.toml": PYPROJECT.replace("fastapi", "httpx")},
         "requirements.txt does not fit pyproject.toml (httpx not in it); compile it again"),
        ({"uv.lock": LOCK, "pyproject.toml": PYPROJECT.replace(">=0.100", ">=0.200")},
         "uv.lock does not fit pyproject.toml (fastapi has another version range); run `uv lock`"),
        ({"uv.lock": LOCK, "pyproject.toml": PYPROJECT.replace('"fastapi', '"httpx", "fastapi')},
         "uv.lock does not fit pyproject.toml (httpx is not in it); run `uv lock`"),
        ({"uv.lock": LOCK, "pyproject.toml": PYPROJECT.replace("[standard]", "")},
         "uv.lock does not fit pyproject.toml (uvicorn has other extras); run `uv lock`"),
        ({"uv.lock": LOCK.replace('name = "fastapi"\nwheels', 'name = "fastapi"\nsource = '
                                  '{ git = "https://example.org/f?rev=1#2" }\nwheels'),
          "pyproject.toml": PYPROJECT},
         ("fastapi: comes from a Git repository; set build_from_source: true and "
          "packages: [git] to get and build it on the host")),
        ({"uv.lock": LOCK.replace('name = "fastapi"\nwheels', 'name = "fastapi"\nsource = '
                                  '{ editable = "../fastapi" }\nwheels'),
          "pyproject.toml": PYPROJECT},
         ("fastapi is in ../fastapi, outside of the source, so it does not travel; "
          "set source to a directory that holds both")),
        ({"uv.lock": LOCK.replace('name = "fastapi"\nwheels', 'name = "fastapi"\nsource = '
                                  '{ editable = "libs/fastapi" }\nwheels'),
          "pyproject.toml": PYPROJECT},
         ("fastapi is in libs/fastapi, and can be imported only where it is installed; "
          "set install_project: true")),
        ({"uv.lock": "[", "pyproject.toml": PYPROJECT},
         ("uv.lock cannot be read with its project: "
          "Invalid initial character for a key part (at end of document)")),
    ],
)  # fmt: skip
def test_a_lock_that_cannot_be_used_is_told_with_its_remedy(
    tmp_path: Path, files: dict[str, str], text: str
) -> None:
    _, findings = look(tmp_path, {"main.py": APP} | files)
    assert findings == [f"dependencies: {text}"]


WORKSPACE = {
    "pyproject.toml": '[tool.uv.workspace]\nmembers = ["backend"]\n',
    "uv.lock": "[manifest]\nmembers = ['shop', 'other']\n" + LOCK.replace('"."', '"backend"'),
    "backend/pyproject.toml": PYPROJECT,
    "backend/app/main.py": APP,
}


def test_a_member_of_a_workspace_runs_with_its_own_dependencies(tmp_path: Path) -> None:
    project, findings = look(tmp_path, WORKSPACE, "app.main:app", import_path="backend")
    assert findings == []
    assert project.package == "shop"  # type: ignore[attr-defined]


def test_a_member_of_a_workspace_is_pointed_to_its_lock(tmp_path: Path) -> None:
    look(tmp_path, WORKSPACE)
    _, findings = look(tmp_path / "backend", {}, "app.main:app")
    assert findings == [
        (
            f"dependencies: the source has no lock, but lies in the workspace of {tmp_path}/uv.lock"
            f"; set source to {tmp_path} and import_path: backend"
        )
    ]


def test_a_workspace_without_a_project_of_its_own_asks_which_member_runs(tmp_path: Path) -> None:
    _, findings = look(tmp_path, {**WORKSPACE, "main.py": APP})
    assert findings == [
        (
            "dependencies: uv.lock is that of a workspace of shop, other; "
            "set import_path to the one to run"
        )
    ]


def test_an_unpinned_file_without_uvicorn_is_told_both_at_once(tmp_path: Path) -> None:
    _, findings = look(tmp_path, {"main.py": APP, "requirements.txt": "fastapi\n"})
    assert ["hashes" in text or "uvicorn" in text for text in findings] == [True, True]


def test_a_lock_that_fits_is_taken(tmp_path: Path) -> None:
    files = {"main.py": APP, "uv.lock": LOCK, "pyproject.toml": PYPROJECT}
    project, findings = look(tmp_path, files)
    assert findings == []
    assert project.lock == "uv.lock"  # type: ignore[attr-defined]


def test_only_what_is_asked_for_must_have_a_wheel(tmp_path: Path) -> None:
    files = {"main.py": APP, "uv.lock": LOCK, "pyproject.toml": PYPROJECT}
    _, findings = look(tmp_path, files, extras=frozenset({"pdf"}))
    assert findings == [
        (
            "dependencies: weasy: there is no wheel, only source; "
            "set build_from_source: true to build on the host"
        )
    ]
    _, findings = look(tmp_path, files, extras=frozenset({"pdf"}), build_from_source=True)
    assert findings == []


def test_everything_is_said_at_once(tmp_path: Path) -> None:
    _, findings = look(tmp_path, {"main.py": "app = 1\n"}, install_project=True)
    assert [text.partition(":")[0] for text in findings] == [
        "app", "dependencies", "install_project",
    ]  # fmt: skip


def test_a_file_that_is_included_changes_the_hash(tmp_path: Path) -> None:
    files = {"main.py": APP, "requirements.txt": "-r base.txt\n", "base.txt": REQUIREMENTS}
    first, findings = look(tmp_path, files, dependencies="requirements.txt")
    assert findings == []
    second, _ = look(tmp_path, {"base.txt": REQUIREMENTS + "# more\n"},
                     dependencies="requirements.txt")  # fmt: skip
    assert first.lock_sha256 != second.lock_sha256  # type: ignore[attr-defined]
