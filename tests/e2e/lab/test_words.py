"""What is asked for in a wrong way is one clear error, and changes nothing."""

from pathlib import Path

import pytest

from lab.world import DEFAULT_WORLD
from tests.e2e.lab.conftest import unused_lab
from tests.labs import TestLab

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]

BROKEN_WORLD = """\
proxmox:
  node: {name: 7, address: 192.168.1.11/24, gateway: 192.168.1.1, bridge: vmbr0}
  bridges: {vmbr0: {routers: [192.168.1.1/24]}}
  storages: {local: {type: dir, content: [vztmpl], size_gb: 0}}
  users: {root@pam: {}}
stack: {api_token: root@pam!none}
colour: blue
"""


def refusal(lab: TestLab, *words: str | Path) -> str:
    """The one error that a command ends with."""
    result = lab.cli(*words, check=False)
    assert result.code != 0, result.text
    assert "Traceback" not in result.text
    return result.text


@pytest.mark.parametrize(
    "words",
    [("run", "--", "pulumi", "preview"), ("ssh", "pve"), ("greet",), ("start", "pve"),
     ("stop", "pve"), ("packages", "off")],
    ids=lambda words: words[0],
)  # fmt: skip
def test_what_needs_a_running_lab_says_how_to_start_one(words: tuple[str, ...]) -> None:
    lab = unused_lab()
    assert refusal(lab, *words) == (
        f"error: lab {lab.name}: is not running; start it with `bin/lab up --name {lab.name}`\n"
    )
    assert not lab.paths.root.exists()


def test_names_that_nothing_has_are_answered_with_those_that_there_are(lab: TestLab) -> None:
    known = "autobot, autobot-probe, chat-server, homebot, pve"
    said = refusal(lab, "ssh", "nobody")
    assert said.startswith("error: nobody: is no machine of the lab; there are: ")
    assert all(name in said for name in known.split(", "))
    assert refusal(lab, "start", "nobody").startswith("error: nobody: is no machine of this world")
    assert refusal(lab, "stop", "a b/ü").startswith("error: a b/ü: is no machine of this world")
    start = f"`bin/lab start --name {lab.name} autobot`"
    assert refusal(lab, "ssh", "autobot") == f"error: autobot: is off; {start}\n"
    assert refusal(lab, "packages", "shut") == "error: lab packages: takes on or off, got 'shut'\n"
    assert refusal(TestLab("No/Name"), "status") == (
        "error: lab name: 'No/Name' is none; use up to 12 of a-z, 0-9 and -, a letter first\n"
    )
    assert refusal(lab, "run", "--", "nosuchthing") == (
        "error: nosuchthing: no such program, or not to be executed\n"
    )
    assert refusal(lab, "run") == (
        "error: lab run: nothing to run; for instance "
        f"`bin/lab run --name {lab.name} -- pulumi preview`\n"
    )


def test_a_stack_file_that_is_none_is_refused_before_anything_is_made(
    lab: TestLab, tmp_path: Path
) -> None:
    absent = tmp_path / "Pulumi.absent.yaml"
    misnamed = tmp_path / "stack.yaml"
    commands: tuple[list[str | Path], ...] = (
        ["run", "--stack", absent, "--", "true"],
        ["greet", "--stack", absent],
    )
    for command in commands:
        assert refusal(lab, *command) == (
            f"error: {absent}: cannot be read (No such file or directory); "
            f"name a stack file with --stack\n"
        )
    assert refusal(lab, "run", "--stack", misnamed, "--", "true").startswith(
        f"error: {misnamed}: is no stack file by its name; Pulumi wants Pulumi.<stack>.yaml"
    )
    directory = tmp_path / "Pulumi.directory.yaml"
    directory.mkdir()
    assert "Is a directory" in refusal(lab, "run", "--stack", directory, "--", "true")


@pytest.mark.parametrize(
    ("content", "engine", "greeting"),
    [
        ("config: [1\n", "invalid YAML file", "is no YAML"),
        ("- 1\n", "expected project to be an object", "declares no hosts"),
        ("", "hosts: missing; give the hosts of this stack, by name", "declares no hosts"),
    ],
    ids=["no yaml", "a list", "empty"],
)
def test_a_stack_file_without_sense_is_refused_in_the_engines_own_words(
    lab: TestLab, tmp_path: Path, content: str, engine: str, greeting: str
) -> None:
    file = tmp_path / "Pulumi.odd.yaml"
    file.write_text(content)
    assert engine in refusal(lab, "run", "--stack", file, "--", "pulumi", "preview")
    assert greeting in refusal(lab, "greet", "--stack", file)
    assert "error: " in refusal(lab, "world", "--from", file)
    assert file.read_text() == content


def test_a_broken_world_is_told_all_its_errors_at_once_and_makes_no_lab(tmp_path: Path) -> None:
    lab, file = unused_lab(), tmp_path / "world.yaml"
    file.write_text(BROKEN_WORLD)
    said = refusal(lab, "up", "--world", file)
    for place in ("proxmox/node/name: ", "proxmox/storages/local/size_gb: ", "colour: "):
        assert f"{file}: {place}" in said
    assert not lab.paths.root.exists()
    file.write_text("proxmox: [\n")
    assert "is no YAML" in refusal(lab, "up", "--world", file)
    assert "cannot be read" in refusal(lab, "up", "--world", tmp_path / "absent")
    assert not lab.paths.root.exists()


def test_a_lab_that_is_up_stays_as_it_is_and_keeps_its_world(lab: TestLab, tmp_path: Path) -> None:
    before = lab.status()
    assert lab.cli("up").text == f"lab {lab.name}: is up\n"
    same = tmp_path / "same.yaml"
    same.write_bytes(DEFAULT_WORLD.read_bytes())
    assert lab.cli("up", "--world", same).text == f"lab {lab.name}: is up\n"
    other = tmp_path / "other.yaml"
    other.write_text(DEFAULT_WORLD.read_text().replace("size_gb: 400", "size_gb: 401"))
    assert refusal(lab, "up", "--world", other) == (
        f"error: {other}: lab {lab.name} was made with another world; "
        f"`bin/lab down --name {lab.name}` first, or give this one a name: `bin/lab up --name NAME`\n"
    )
    after = lab.status()
    assert (after["pid"], after["machines"]) == (before["pid"], before["machines"])
