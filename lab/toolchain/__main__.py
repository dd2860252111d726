"""`python -m lab.toolchain`: make every program available and say which serves what."""

import argparse
import json
import sys
from pathlib import Path

from lab.errors import LabError, refusal
from lab.paths import DEFAULT_NAME, LabPaths
from lab.toolchain.debian import ensure_debian_packages
from lab.toolchain.toolchain import ensure


def main() -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m lab.toolchain", description=__doc__)
    parser.add_argument("--home", type=Path, help="the PULUMI_HOME to lay out; the lab's own")
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")
    parser.add_argument(
        "--debian", action="store_true", help="the Debian packages for containers as well"
    )
    chosen = parser.parse_args()
    try:
        if chosen.debian:
            ensure_debian_packages()
        toolchain = ensure(chosen.home or LabPaths.of(DEFAULT_NAME).pulumi_home)
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        if (said := refusal(error)) is None:
            raise
        print(f"error: {said}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted; nothing half-built is left", file=sys.stderr)
        return 130
    if chosen.json:
        print(json.dumps([program.as_json() for program in toolchain.programs], indent=2))
    else:
        for program in toolchain.programs:
            print(f"{program.name:16} {program.version:10} {program.origin:10} {program.path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
