"""The program `cloudflared`, in a machine of the lab."""

import asyncio
import os
import sys
from pathlib import Path

from lab.connector.log import Log
from lab.connector.options import ABOUT, UsageError, read
from lab.connector.program import Program


def main() -> int:
    """The exit code: 0 after an orderly end, 1 with a message otherwise."""
    try:
        options = read(sys.argv[1:], os.environ)
    except UsageError as error:
        print(f"{error}\n({ABOUT})", file=sys.stderr)
        return 1
    if options is None:
        print(ABOUT)
        return 0
    write = None
    if options.logfile:
        write = Path(options.logfile).open("a", encoding="utf-8", buffering=1).write  # noqa: SIM115
    log = Log(options.loglevel, write)

    async def run() -> int:
        return await Program(options, log).run()

    return asyncio.run(run())


if __name__ == "__main__":
    sys.exit(main())
