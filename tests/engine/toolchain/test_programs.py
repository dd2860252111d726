"""The real engine runs programs as anywhere, and says of those that fail what they said."""

import json
import sys

import pytest

from tests.engine.toolchain.project import (
    Project,
)

pytestmark = pytest.mark.timeout(900)


def test_an_empty_program_is_deployed_and_then_there_is_nothing_to_change(project: Project) -> None:
    project.write("import pulumi; pulumi.export('answer', 42)")

    up = project.run("up", "--yes")
    again = project.run("preview", "--expect-no-changes")

    assert up.returncode == 0, up.stdout + up.stderr
    assert again.returncode == 0, again.stdout
    assert project.run("stack", "output", "answer").stdout == "42\n"
    assert "warning" not in up.stdout + again.stdout


def test_the_program_gets_its_configuration_and_knows_what_is_secret(project: Project) -> None:
    project.run("config", "set", "plain", "a b=c")
    project.run("config", "set", "--secret", "hidden", "top-secret")
    project.write(
        "import pulumi; c = pulumi.Config()\n"
        "pulumi.export('plain', c.require('plain'))\n"
        "pulumi.export('hidden', c.require_secret('hidden'))\n"
        "pulumi.export('where', pulumi.get_stack() + ' ' + pulumi.get_project())\n"
    )

    up = project.run("up", "--yes", "--skip-preview")
    shown = json.loads(project.run("stack", "output", "--json").stdout)
    revealed = project.run("stack", "output", "--show-secrets", "hidden").stdout

    assert shown == {"plain": "a b=c", "hidden": "[secret]", "where": "one tried"}
    assert revealed == "top-secret\n"
    assert "top-secret" not in up.stdout


def test_the_program_runs_with_the_packages_of_the_lab(project: Project) -> None:
    project.write("import sys, pulumi; pulumi.export('python', sys.executable)")
    project.run("up", "--yes", "--skip-preview")

    assert project.run("stack", "output", "python").stdout.strip() == sys.executable


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import pulumi\nraise ValueError('no such host')", "ValueError: no such host"),
        (
            "import pulumi\nraise pulumi.RunError('hosts/chat: is missing')",
            "hosts/chat: is missing",
        ),
        ("import sys; sys.exit(3)", "Program exited with non-zero exit code: 3"),
        ("import os; os.kill(os.getpid(), 15)", "Program was ended by SIGTERM"),
        ("import no_such_module", "No module named 'no_such_module'"),
    ],
)
def test_a_failing_program_fails_the_run_with_its_own_message(
    project: Project, program: str, said: str
) -> None:
    project.write(program)

    preview = project.run("preview")

    assert preview.returncode != 0
    assert preview.stdout.split("Diagnostics:")[1].count(said) == 1
    assert "language_host.py" not in preview.stdout + preview.stderr


def test_an_error_that_the_program_has_shown_is_not_followed_by_another(project: Project) -> None:
    project.write("import pulumi\nraise ValueError('no such host')")

    shown = project.run("preview").stdout.split("Diagnostics:")[1]

    assert shown.count("error:") == 1


def test_a_project_without_a_program_is_told_so(project: Project) -> None:
    preview = project.run("preview")

    assert preview.returncode != 0
    assert "__main__.py" in preview.stdout + preview.stderr


def test_a_program_elsewhere_in_the_project_is_found(project: Project) -> None:
    project.write("name: tried\nruntime: python\nmain: below/program.py\n", "Pulumi.yaml")
    (project.directory / "below").mkdir()
    project.write("import pulumi; pulumi.export('answer', 42)", "below/program.py")

    assert project.run("up", "--yes").returncode == 0
    assert project.run("stack", "output", "answer").stdout == "42\n"
