"""Small parts of the guest program, each with the harm it keeps away."""

import io
import json
import os
import socket
import sys
import tarfile
import threading
import time
from pathlib import Path

import pytest

from infra.guest import environfile, files, health, kept, main, ports, unpack
from infra.guest.document import Health
from infra.guest.failure import StepFailed
from infra.guest.host import Host, Ids
from infra.guest.report import LONGEST_LINE, Report
from tests.unit.guest.conftest import Answer

OWN = Ids(os.getuid(), os.getgid())


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("A=1\nexport B=2\n# C=3\n; D=4\n  E = 5\n", {"A", "E"}),
        ('A="two\nB=lines"\nC=1\n', {"A", "C"}),
        ('A=\'x\nB=y\'\nC="\\"\nD=z"\n', {"A", "C"}),
        ("A=1\r\nB=2\r\n", {"A", "B"}),
        ("nonsense\n1A=2\n", set()),
    ],
)
def test_keys_of_an_environment_file(text: str, names: set[str]) -> None:
    assert environfile.keys(text) == names


@pytest.mark.parametrize(
    ("status", "body", "wanted", "problem"),
    [
        (200, b"anything", None, None),
        (503, b"busy", None, "status 503 instead of 200: busy"),
        (200, b'{"status": "healthy", "more": [1]}', {"status": "healthy"}, None),
        (200, b'{"a": {"b": 1, "c": 2}}', {"a": {"b": 1}}, None),
        (200, b'{"a": true}', {"a": 1}, 'not {"a": 1}: {"a": true}'),
        (200, b'{"status": "starting"}', {"status": "healthy"},
         'not {"status": "healthy"}: {"status": "starting"}'),
        (200, b"<html>", {"status": "healthy"}, "no JSON: <html>"),
    ],
)  # fmt: skip
def test_only_the_right_answer_counts(
    answer: Answer, status: int, body: bytes, wanted: dict[str, object] | None, problem: str | None
) -> None:
    answer.status, answer.body = status, body
    asked = Health("/healthz", 200, wanted, 1)
    assert health.probe(asked, "127.0.0.1", answer.server_port) == problem


def test_a_port_that_does_not_answer_http_is_no_health() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def mumble() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"mumble\r\n\r\n")

        thread = threading.Thread(target=mumble)
        thread.start()
        problem = health.probe(Health("/", 200, None, 1), *listening.getsockname())
        thread.join()
    assert problem is not None
    assert problem.startswith("no answer")


@pytest.mark.parametrize(
    "shown",
    [
        'a"b\\c d', "YSJiXGMgZA", 'a\\"b\\\\c d', "a%22b%5Cc%20d", "a%22b%5Cc+d",
    ],
)  # fmt: skip
def test_a_secret_is_masked_in_every_form(shown: str) -> None:
    stream = io.StringIO()
    Report(['a"b\\c d'], stream).say(f"before {shown} after")
    assert shown not in stream.getvalue()
    assert "before [secret] after" in stream.getvalue()


def test_a_line_of_a_secret_of_many_lines_is_masked_too() -> None:
    stream = io.StringIO()
    Report(["first\nsecond"], stream).fail("the journal says second")
    assert stream.getvalue() == "the journal says [secret]\n"


def test_no_line_is_longer_than_the_transport_can_carry() -> None:
    stream = io.StringIO()
    report = Report([], stream)
    report.say("x" * 10_000)
    report.fail("y" * 10_000)
    assert max(map(len, stream.getvalue().splitlines())) <= LONGEST_LINE + 12


def test_an_engine_that_is_gone_does_not_end_the_step() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        report = Report([], stream)
        report.say("nobody hears this")
        report.fail("nor this")
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def test_a_listener_is_named_with_its_process(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        host = Host()
        assert ports.stranger("127.0.0.1", port, {os.getpid()}, host) is None
        who = ports.stranger("0.0.0.0", port, set(), host)  # noqa: S104
        assert who is not None
        assert who.endswith(f"(process {os.getpid()})")
        assert ports.stranger("127.0.0.2", port, set(), host) is None
        assert f"127.0.0.1:{port}" in [str(x) for x in ports.held_by({os.getpid()}, host)]
    assert ports.stranger("127.0.0.1", port, set(), Host(tmp_path, tmp_path)) is None


def test_a_command_over_its_limit_is_ended_with_its_children(tmp_path: Path) -> None:
    script = f"sleep 60 & echo $! > {tmp_path}/pid; echo busy; wait"
    with pytest.raises(StepFailed, match="not done after 1 s") as failed:
        Host().run(["sh", "-c", script], limit_s=1)
    assert "busy" in failed.value.detail
    pid = int((tmp_path / "pid").read_text())
    end = time.monotonic() + 10
    while _runs(pid):
        assert time.monotonic() < end, "the child goes on"
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_command_that_is_not_there_is_named() -> None:
    with pytest.raises(StepFailed, match="no-such-program: not on this host"):
        Host().run(["no-such-program"])


def test_a_failed_write_leaves_the_old_file_and_no_half_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "chat.env"
    files.write(path, b"old", mode=0o640, ids=OWN)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as failed:
        files.write(path, b"new", mode=0o640, ids=OWN)
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["chat.env"]
    assert "make room on the host" in StepFailed.of(failed.value).text()


@pytest.mark.parametrize("name", ["../out", "a/../../out", "/etc/out"])
def test_an_archive_cannot_write_outside_of_its_release(tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    (tmp_path / "release").mkdir()
    with pytest.raises(StepFailed, match="leaves the release"):
        unpack.unpack(tmp_path / "a.tar.gz", tmp_path / "release", Host(root_ids=OWN))


def test_a_link_of_an_archive_cannot_lead_outside(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "../../etc/passwd"
        tar.addfile(link)
    (tmp_path / "release").mkdir()
    with pytest.raises(StepFailed, match="leaves the release"):
        unpack.unpack(tmp_path / "a.tar.gz", tmp_path / "release", Host(root_ids=OWN))


def test_a_changed_mode_of_a_directory_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "certs").mkdir(mode=0o755)
    before = kept.look([tmp_path / "certs", tmp_path / "absent"])
    (tmp_path / "certs").chmod(0o777)
    with pytest.raises(StepFailed, match="certs: changed while the deploy ran"):
        kept.demand_unchanged(before, [])


def test_a_document_that_makes_no_sense_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(json.dumps({"format": 2}).encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert main.main(["deploy"]) == 2
    assert capsys.readouterr().err.splitlines()[0] == (
        "deploy: document: this guest program understands format 1, got 2"
    )
