"""The scripts that steps run, as they reach a host, and what the one about keys does."""

import subprocess
from pathlib import Path

from syrupy.assertion import SnapshotAssertion

from infra.text import scripts

GUEST = "/var/lib/berth/guest/0123.pyz"
MINE = "ssh-ed25519 AAAAmine"
OTHER = "ssh-ed25519 AAAAother"


def test_the_scripts_are_these(snapshot: SnapshotAssertion) -> None:
    assert scripts.host_key() == snapshot(name="host key")
    assert scripts.login() == snapshot(name="login")
    assert scripts.deploy(GUEST) == snapshot(name="deploy")
    assert scripts.remove(GUEST, "chat") == snapshot(name="remove")


def test_the_scripts_are_sound(tmp_path: Path) -> None:
    for number, text in enumerate(
        (scripts.host_key(), scripts.login(), scripts.deploy(GUEST), scripts.remove(GUEST, "chat"))
    ):
        file = tmp_path / f"{number}.sh"
        file.write_text(text)
        done = subprocess.run(["sh", "-n", str(file)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def let_in(home: Path, keys: list[str]) -> str:
    """Run the script with `home` in place of root's home; what it answers."""
    script = scripts.login().replace("/root/.ssh", str(home / ".ssh"))
    done = subprocess.run(
        ["sh", "-c", script],
        input=scripts.login_input(keys, None),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_keys_from_here_come_and_go_and_others_stay(tmp_path: Path) -> None:
    file = tmp_path / ".ssh" / "authorized_keys"
    file.parent.mkdir()
    by_hand = 'command="date" ssh-rsa AAAAhand somebody'
    file.write_text(f"# --- BEGIN PVE ---\n{MINE}\n# --- END PVE ---\n{by_hand}\n")

    assert let_in(tmp_path, [MINE, OTHER]) == "keys changed, password unchanged"
    assert let_in(tmp_path, [MINE, OTHER]) == "keys unchanged, password unchanged"
    text = file.read_text()
    assert [text.count(key) for key in (MINE, OTHER, by_hand)] == [1, 1, 1]
    assert file.stat().st_mode & 0o777 == 0o600

    let_in(tmp_path, [OTHER])
    assert MINE not in file.read_text()
    assert by_hand in file.read_text()


def test_a_first_key_is_let_in_where_there_was_none(tmp_path: Path) -> None:
    let_in(tmp_path, [MINE])
    assert MINE in (tmp_path / ".ssh" / "authorized_keys").read_text()


def test_a_missing_guest_program_is_told_by_its_status(tmp_path: Path) -> None:
    """A provider shows the whole script of a step that failed: words in it would be shown always."""
    script = scripts.deploy(str(tmp_path / "gone.pyz"))
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (scripts.GUEST_MISSING, "", "")
    assert "pulumi" not in script


def test_removing_what_is_not_there_is_no_failure(tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", scripts.remove(GUEST, f"no-such-{tmp_path.name}")],
        input="{}",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "nothing of it is on this host\n")
