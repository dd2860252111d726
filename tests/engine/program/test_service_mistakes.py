"""Mistakes in services, through the real program: each one line, all at once, nothing changed."""

import re
from pathlib import Path
from typing import Any

from tests.labs import TestLab, container, stack_file

UVICORN = f"uvicorn==0.38.0 --hash=sha256:{'a' * 64}\n"
APP = "from fastapi import FastAPI\napp = FastAPI()\n"
PYPROJECT = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["httpx", "uvicorn"]\n'
LOCK = """
version = 1
[[package]]
name = "shop"
source = { virtual = "." }
dependencies = [{ name = "uvicorn" }]
[package.metadata]
requires-dist = [{ name = "uvicorn" }]
[[package]]
name = "uvicorn"
wheels = [{ url = "w" }]
"""


def sources(at: Path) -> dict[str, Path]:
    """One source for each thing that can be wrong with one."""
    files = {
        "good": {"main.py": APP, "requirements.txt": UVICORN},
        "empty": {},
        "unlocked": {"main.py": APP},
        "misfit": {"main.py": APP, "pyproject.toml": PYPROJECT, "uv.lock": LOCK},
        "unhashed": {"main.py": APP, "requirements.txt": "uvicorn==0.38.0\n"},
        "wsgi": {
            "main.py": "def app(environ, start_response): ...\n",
            "requirements.txt": UVICORN,
        },
    }
    for name, content in files.items():
        (at / name).mkdir()
        for file, text in content.items():
            (at / name / file).write_text(text, encoding="utf-8")
    return {name: at / name for name in [*files, "gone"]}


def mistakes(at: dict[str, Path]) -> dict[str, tuple[dict[str, Any], str]]:
    """By service: what is changed of a sound one, and what must be said of it."""
    return {
        "a-port": ({"port": 65536}, "port: must be at most 65535, got 65536"),
        "a-source": (
            {"source": str(at["gone"])},
            f"source: {at['gone']} is not there; name the directory that holds the application",
        ),
        "an-empty": (
            {"source": str(at["empty"])},
            f"source: {at['empty']} holds no files that travel; is it the right directory?",
        ),
        "a-lock": (
            {"source": str(at["unlocked"])},
            (
                "dependencies: the source has no lock; make one in it: `uv pip compile --universal "
                "--generate-hashes requirements.in -o requirements.lock`"
            ),
        ),
        "a-misfit": (
            {"source": str(at["misfit"])},
            "dependencies: uv.lock does not fit pyproject.toml (httpx is not in it); run `uv lock`",
        ),
        "a-hash": (
            {"source": str(at["unhashed"])},
            (
                "dependencies: requirements.txt is not pinned by hashes (requirements.txt: uvicorn has "
                "no hash); make a lock beside it: uv pip compile --universal --generate-hashes "
                "requirements.txt -o requirements.lock"
            ),
        ),
        "a-wsgi": (
            {"source": str(at["wsgi"])},
            (
                "app: main:app takes two arguments, as a WSGI application does; "
                "an ASGI application is needed"
            ),
        ),
        "an-app": ({"app": "main:other"}, "app: main.py has no other; it has app"),
        "a-variable": (
            {"required": ["API_KEY"]},
            (
                "required/0: API_KEY is missing; add it to environment, or to secrets with the name "
                "of an entry of berth:secrets"
            ),
        ),
        "a-secret": (
            {"secrets": {"KEY": "none"}},
            (
                "secrets/KEY: none is no entry of berth:secrets; add it: pulumi config set --secret "
                "--path 'berth:secrets.none'"
            ),
        ),
        "a-unit": ({"unit": "ssh"}, 'unit: must not be a unit of the system, got "ssh"'),
        "a-root": (
            {"user": "root"},
            "user: is root; say allow_root: true if that is meant, or take a user of its own",
        ),
        "a-name": (
            {"environment": {"1X": "a"}},
            'environment/1X: must be a name of A-Z, a-z, 0-9 and _, with no digit first, got "1X"',
        ),
        "a-value": (
            {"environment": {"A": "a\nb"}},
            "environment/A: must not hold a line break; encode it, in base64 for instance",
        ),
        "a-key": (
            {"environment": {"A": "a"}, "secrets": {"A": "none"}},
            "secrets/A: is in environment too; keep it in one of the two",
        ),
        "a-path": (
            {"server_only": ["/var/lib/other"]},
            "server_only/0: must be below the install path /opt/a-path, got /var/lib/other",
        ),
        "a-health": (
            {"health": {"path": "healthz"}},
            'health/path: must be a path that begins with one /, such as /healthz, got "healthz"',
        ),
        "a-python": (
            {"python": "2.7"},
            'python: must be a Python that is known here, 3.11 to 3.14, got "2.7"',
        ),
        "twice": ({"port": 8100}, "port: 8100 is that of a-twin on one already; take another port"),
        "a-twin": ({"port": 8100}, ""),
        "same-path": (
            {"install_path": "/opt/a-twin"},
            "install_path: /opt/a-twin is that of a-twin on one already; take another",
        ),
    }


def test_each_mistake_is_one_line_and_all_are_said_at_once(lab: TestLab, tmp_path: Path) -> None:
    at = sources(tmp_path)
    wrong = mistakes(at)
    stack = stack_file(tmp_path, {"one": container(716, 86)})
    sound = {"host": "one", "source": str(at["good"]), "app": "main:app"}
    stack.document["config"]["berth:services"] = {
        name: {**sound, "port": 8001 + number, **changes}
        for number, (name, (changes, _)) in enumerate(wrong.items())
    } | {"Web_1": sound, "systemd-x": {**sound, "port": 8200}}
    stack.write()
    expected = {f"services/{name}/{text}" for name, (_, text) in wrong.items() if text} | {
        (
            "services/Web_1: must be a name of up to 31 characters of a-z, 0-9 and -, with a letter "
            'first and no - at the end, got "Web_1"'
        ),
        'services/systemd-x: must not be a unit of the system, got "systemd-x"',
        (
            "services/a-key/secrets/A: none is no entry of berth:secrets; add it: pulumi config set "
            "--secret --path 'berth:secrets.none'"
        ),
    }
    for words in (("preview",), ("up", "--yes", "--skip-preview")):
        result = lab.pulumi(stack, *words, check=False)
        assert result.code != 0
        assert "Traceback" not in result.text
        assert set(re.findall(r"^\s*(services/.*)$", result.text, re.MULTILINE)) == expected
    assert 716 not in lab.guests()
    assert "command" not in lab.pulumi(stack, "stack", "export").text
