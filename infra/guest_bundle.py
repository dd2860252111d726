"""Builds the guest program: one zipapp whose bytes depend on its modules alone."""

import hashlib
import io
import zipfile
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent / "guest"
UV = Path(__file__).parent.parent / "requirements" / "uv.txt"
ENTRY = (
    "import sys\n"
    "if sys.version_info < (3, 11):\n"
    "    sys.exit('berth needs Python 3.11 or later on the host, this is ' + sys.version)\n"
    "from guest.main import main\n"
    "sys.exit(main(sys.argv[1:]))\n"
)
EPOCH = (1980, 1, 1, 0, 0, 0)


@cache
def bundle() -> bytes:
    """The zipapp. Nothing is compressed, so that no version of zlib makes a difference."""
    files = {f"guest/{path.name}": _text(path) for path in PACKAGE.glob("*.py")}
    files |= {"__main__.py": ENTRY.encode(), "guest/uv.txt": _text(UV)}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, files[name])
    return buffer.getvalue()


def version() -> str:
    """The hash that names this guest program."""
    return hashlib.sha256(bundle()).hexdigest()


def _text(path: Path) -> bytes:
    return path.read_bytes().replace(b"\r\n", b"\n")
