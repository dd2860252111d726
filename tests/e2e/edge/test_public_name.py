"""A public name works as it would outside: from a stranger's place, through real machines."""

import base64
import hashlib
import json
import os
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from tests.e2e.edge.conftest import BOOKWORM, NAME, PORT, Way, guest, install
from tests.labs import TestLab, wait_for

pytestmark = pytest.mark.root


def test_a_stranger_is_answered_by_the_service_in_the_container(way: Way) -> None:
    status, text = way.curl("/")
    said = {name.lower(): value for name, value in json.loads(text).items()}
    assert status == 200
    assert said["cf-connecting-ip"] == "198.51.100.7"
    assert said["x-forwarded-proto"] == "https"
    assert said["host"] == NAME


def test_pieces_of_a_stream_are_spread_in_time_as_the_service_sent_them(way: Way) -> None:
    command = way.lab.command("curl", f"https://{NAME}/stream", "--no-buffer")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as asking:
        assert asking.stdout is not None
        arrived = [(line.strip(), time.monotonic()) for line in asking.stdout]
    assert [line for line, _ in arrived] == [f"piece {number}" for number in range(4)]
    assert arrived[-1][1] - arrived[0][1] > 0.6


def test_a_browser_opens_the_page_and_its_script_asks_for_more(way: Way, tmp_path: Path) -> None:
    way.curl("/")
    chain = way.lab.paths.ca_key.with_name(f"edge-{NAME}.pem").read_bytes()
    key = x509.load_pem_x509_certificates(chain)[0].public_key()
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    trusted = base64.b64encode(hashlib.sha256(der).digest()).decode()
    # Of a new profile, which knows no authority but the world's: this one key is trusted.
    shown = way.lab.inside(
        "chromium", "--headless", "--no-sandbox", "--disable-gpu",
        f"--user-data-dir={tmp_path}", f"--ignore-certificate-errors-spki-list={trusted}",
        "--dump-dom", f"https://{NAME}/page", limit_s=60,
    ).text  # fmt: skip
    assert "piece 0, piece 1, piece 2, piece 3" in shown


def test_50_mb_each_way_leave_memory_as_it_was(way: Way, tmp_path: Path) -> None:
    lab_process = psutil.Process(way.lab.status()["pid"])
    connector = int(way.in_guest("systemctl show -P MainPID cloudflared"))

    def memory_mb() -> tuple[float, float]:
        inside = way.in_guest(f"awk '/VmHWM/ {{print $2}}' /proc/{connector}/status")
        return lab_process.memory_info().rss / 1e6, int(inside) / 1e3

    way.curl("/")
    before = memory_mb()
    big = tmp_path / "big"
    with big.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, 50_000_000)
    assert way.curl("/up", "--data-binary", f"@{big}") == (200, '{"size": 50000000}')
    got = tmp_path / "got"
    assert way.curl("/down/50000000", "--output", str(got)) == (200, "")
    assert got.stat().st_size == 50_000_000
    after = memory_mb()
    grown = [b - a for a, b in zip(before, after, strict=True)]
    assert max(grown) < 20, (before, after)


def test_a_websocket_talks_both_ways(way: Way) -> None:
    talk = Path(__file__).with_name("talk.py")
    said = way.lab.inside("python", talk, f"wss://{NAME}/ws", "one", "two").text
    assert said.split() == ["oneone", "twotwo"]


def test_100_visitors_at_once_are_all_answered(way: Way) -> None:
    at_once = ["--parallel", "--parallel-immediate", "--parallel-max", "100", "--no-progress-meter"]
    shown = ["-o", "/dev/null", "-w", "%{http_code}\\n"]
    said = way.lab.cli("curl", f"https://{NAME}/visitor/[1-100]", *at_once, *shown).text
    assert said.split() == ["200"] * 100


def test_names_that_nobody_published_do_not_exist_and_are_told_apart(way: Way) -> None:
    status, text = way.curl("/", name="other.example.com")
    assert (status, "Could not resolve host" in text) == (0, True)
    status, text = way.curl(
        "/", "--resolve", "other.example.com:443:203.0.113.10", name="other.example.com"
    )
    assert (status, text.split(" (")[0]) == (409, "error code: 1001")


def test_a_machine_of_the_lab_reaches_the_public_name_too(way: Way) -> None:
    assert way.in_guest(f"curl -sf https://{NAME}/ >/dev/null && echo reached") == "reached\n"


def test_a_killed_connector_is_back_within_5_s(way: Way) -> None:
    way.in_guest("systemctl kill -s KILL cloudflared")
    began = time.monotonic()
    wait_for(lambda: way.curl("/")[0] == 200, "an answer", limit_s=10)
    assert time.monotonic() - began < 5


def test_a_connector_that_is_stopped_is_told_apart_from_a_service_that_is(way: Way) -> None:
    way.in_guest("systemctl stop cloudflared")
    status, text = way.curl("/")
    assert (status, text.split(" (")[0]) == (530, "error code: 1033")
    way.in_guest("systemctl start cloudflared; systemctl kill -s STOP origin; true")
    way.in_guest("systemctl kill -s CONT origin")
    assert way.curl("/")[0] == 200


def test_an_untrusted_certificate_is_refused_and_the_journal_says_why(way: Way) -> None:
    way.route({"hostname": NAME, "service": f"https://127.0.0.1:{PORT}"})
    wait_for(lambda: way.curl("/")[0] == 502, "the new route to be followed", limit_s=5)
    assert "failed to verify certificate" in way.in_guest("journalctl -u cloudflared -n 20")
    way.route_as_usual()
    wait_for(lambda: way.curl("/")[0] == 200, "the old route to be followed", limit_s=5)


def test_a_tunnel_with_a_connector_cannot_be_deleted(way: Way) -> None:
    answer = way.api("DELETE", f"/accounts/{way.account}/cfd_tunnel/{way.tunnel}")
    assert (answer["status"], answer["errors"][0]["code"]) == (400, 1022)
    assert way.curl("/")[0] == 200


def test_the_lab_is_stopped_and_started_and_the_connector_finds_back(way: Way) -> None:
    psutil.Process(way.lab.status()["pid"]).kill()
    way.lab.cli("up", "--containers")
    wait_for(lambda: way.curl("/")[0] == 200, "an answer", limit_s=10)


def test_the_package_installs_in_debian_12_and_its_key_is_the_one_that_is_named(
    lab: TestLab,
) -> None:
    with guest(lab, 882, "old", BOOKWORM):
        said = install(lab, "old")
    environment = lab.inside("env").text
    named = next(
        line.partition("=")[2]
        for line in environment.splitlines()
        if line.startswith("BERTH_CLOUDFLARED_KEY_FINGERPRINT=")
    )
    assert f":{named}:" in said
    assert "not Cloudflare's program" in said
