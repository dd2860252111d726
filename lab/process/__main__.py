"""`python -m lab.process NAME`: runs in the background until it is told to stop."""

import asyncio
import logging
import sys

from lab.errors import LabError
from lab.paths import LabPaths
from lab.process.service import serve


def main() -> int:
    """0 after an orderly stop, 1 with one message when it could not start."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    try:
        asyncio.run(serve(LabPaths.of(sys.argv[1])))
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
