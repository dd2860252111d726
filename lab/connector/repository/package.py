"""The package `cloudflared` of the lab: the modules of the stand-in, as this checkout has them."""

from pathlib import Path

import lab.connector
from lab.connector.options import ABOUT, VERSION
from lab.connector.repository.deb import File, build

NAME = "cloudflared"
_PLACE = "usr/lib/cloudflared"
_LAUNCHER = f"""#!/usr/bin/python3 -I
# {ABOUT}
import sys

sys.path.insert(0, "/{_PLACE}")

from lab.connector.__main__ import main

sys.exit(main())
"""
_COMPILE = f"""#!/bin/sh
set -e
if [ "$1" = configure ]; then
    python3 -m compileall -q /{_PLACE}
fi
"""
_CLEAN = f"""#!/bin/sh
set -e
find /{_PLACE} -name __pycache__ -type d -prune -exec rm -r {{}} +
"""
CONTROL = {
    "Package": NAME,
    "Version": VERSION,
    "Architecture": "all",
    "Section": "net",
    "Priority": "optional",
    "Maintainer": "berth lab <lab@berth.invalid>",
    "Depends": "python3 (>= 3.11), python3-h11, ca-certificates",
    "Description": "stand-in for Cloudflare's tunnel connector, for the berth lab only\n"
    " Speaks the lab's own protocol with the lab's own edge. It is not Cloudflare's program and\n"
    " reaches nothing outside the lab.",
}


def package() -> bytes:
    """The .deb."""
    root = Path(lab.connector.__file__).parents[2]
    modules = [
        root / "lab" / "__init__.py",
        root / "lab" / "cloudflare" / "__init__.py",
        root / "lab" / "cloudflare" / "connector_token.py",
        *sorted((root / "lab" / "connector").glob("*.py")),
    ]
    files = [
        File(f"{_PLACE}/{module.relative_to(root)}", module.read_bytes()) for module in modules
    ]
    files += [
        File("usr/bin/cloudflared", _LAUNCHER.encode(), 0o755),
        # Where the real package's own script puts one, too.
        File("usr/local/bin/cloudflared", link="../../bin/cloudflared"),
    ]
    return build(CONTROL, {"postinst": _COMPILE, "prerm": _CLEAN}, files)
