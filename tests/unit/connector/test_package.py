"""The package holds a program that starts with nothing but what Debian has."""

import gzip
import io
import subprocess
import sys
import tarfile
from pathlib import Path

from lab.connector.repository.package import package


def members(deb: bytes) -> dict[str, bytes]:
    assert deb.startswith(b"!<arch>\n")
    found, rest = {}, deb[8:]
    while rest:
        name, size = rest[:16].decode().strip(), int(rest[48:58])
        found[name] = rest[60 : 60 + size]
        rest = rest[60 + size + size % 2 :]
    return found


def unpack(directory: Path) -> Path:
    data = gzip.decompress(members(package())["data.tar.gz"])
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        tar.extractall(directory, filter="data")
    return directory


def test_the_same_modules_make_the_same_package() -> None:
    assert package() == package()


def test_the_installed_program_needs_no_module_of_this_checkout(tmp_path: Path) -> None:
    launcher = unpack(tmp_path) / "usr/bin/cloudflared"
    text = launcher.read_text().replace("/usr/lib/", f"{tmp_path}/usr/lib/")
    done = subprocess.run(
        [sys.executable, "-I", "-c", text, "--version"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "not Cloudflare's program" in done.stdout


FOREIGN = """
import sys
before = set(sys.modules)
sys.path.insert(0, sys.argv[1])
import lab.connector.program
known = sys.stdlib_module_names | {"h11", "lab"}
print({name.partition(".")[0] for name in set(sys.modules) - before} - known)
"""


def test_the_program_takes_nothing_that_debian_would_not_install_with_it(tmp_path: Path) -> None:
    unpacked = unpack(tmp_path)
    done = subprocess.run(
        [sys.executable, "-I", "-c", FOREIGN, str(unpacked / "usr/lib/cloudflared")],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "set()", done.stderr
