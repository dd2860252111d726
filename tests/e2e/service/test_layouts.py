"""Applications that were not made for this: each is served, or one line says what is missing."""

import re
from pathlib import Path
from typing import Any

from tests.e2e.service import layouts
from tests.e2e.service.site import UP
from tests.labs import TestLab, container, stack_file

LAYOUTS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "flat": (
        layouts.FLAT,
        {
            "app": "main:app",
            "install_path": "/home/ada/flat",
            "writable": ["data"],
            "packages": ["ed"],
        },
    ),
    "package": (layouts.PACKAGE, {"factory": "shop.web:create_app"}),
    "template": (
        layouts.TEMPLATE,
        {
            "app": "app.main:app",
            "import_path": "backend",
            "environment": {"PROJECT_NAME": "of the template"},
            "health": {"path": "/api/v1/utils/health-check/"},
        },
    ),
    "workspace": (
        layouts.WORKSPACE,
        # It writes beside its own modules.
        {"app": "app:app", "server_only": ["app/logs"], "writable": ["app/logs"]},
    ),
    "plain": (layouts.REQUIREMENTS, {"app": "server.api:app"}),
    "poetry": (layouts.POETRY, {"app": "app.main:app"}),
}


def test_each_usual_layout_is_served_or_says_in_one_line_what_is_missing(
    lab: TestLab, tmp_path: Path
) -> None:
    stack = stack_file(tmp_path, {"apps": container(745, 145, memory_mb=2048)}, identity="lay0uts1")
    services = stack.document["config"]["berth:services"] = {}
    for number, (name, (files, settings)) in enumerate(LAYOUTS.items()):
        source = layouts.write(tmp_path / name, files)
        if name in {"flat", "template", "workspace"}:
            layouts.run_uv(source, "uv lock --quiet")
        services[name] = {"host": "apps", "source": str(source), "port": 8001 + number, **settings}
    stack.write()

    said = lab.pulumi(stack, "preview", check=False).text
    missing = dict(re.findall(r"services/(\w+)/dependencies: ([^\n]*)", said))
    assert missing == {
        "package": "the source has no lock; run `uv lock` in it",
        "workspace": (
            "words is in packages/words, and can be imported only where it is installed; "
            "set install_project: true"
        ),
        "plain": (
            "requirements.txt is not pinned by hashes (requirements.txt: fastapi has no hash; "
            "requirements.txt: uvicorn has no hash); make a lock beside it: uv pip compile "
            "--universal --generate-hashes requirements.txt -o requirements.lock"
        ),
        "poetry": (
            "Poetry's lock has no form that uv reads; make one in the source: "
            "`uvx --with poetry-plugin-export poetry export -o requirements.txt`"
        ),
    }
    layouts.run_uv(tmp_path / "package", "uv lock --quiet")
    services["package"]["install_project"] = True
    services["workspace"]["install_project"] = True
    layouts.run_uv(tmp_path / "plain", missing["plain"].partition("make a lock beside it: ")[2])
    del services["poetry"]
    stack.write()

    try:
        lab.pulumi(stack, *UP)
        lab.ssh("apps", "mkdir /home/bob")
        assert {name: answer(lab, services[name]) for name in services} == {
            "flat": '["read from where it stands","Read-only file system","/home/ada"]',
            "package": '"1.2.3"',
            "template": '"of the template"',
            "workspace": '"of the workspace"',
            "plain": '"of requirements alone"',
        }
        assert "ed" in lab.ssh("apps", "dpkg-query -W -f '${Package}' ed").text
        assert lab.ssh("apps", "cat /opt/workspace/app/logs/app.log").text == "of the workspace"
        assert lab.ssh("apps", "cat /home/ada/flat/data/seen").text == "seen"
    finally:
        lab.pulumi(stack, "cancel", "--yes", check=False)
        lab.pulumi(stack, "destroy", "--run-program", "--yes", "--skip-preview")


def answer(lab: TestLab, service: dict[str, object]) -> str:
    """What a service says at its health path, asked through the lab's network."""
    health = service.get("health", {"path": "/healthz"})
    assert isinstance(health, dict)
    script = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode())"
    url = f"http://192.168.1.145:{service['port']}{health['path']}"
    return lab.inside("python", "-c", script, url).text.splitlines()[-1]
