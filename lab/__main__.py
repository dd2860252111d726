"""`python -m lab`: the command line."""

import gc

gc.disable()  # Most commands take less than a second: a tenth of that went into collecting.

from lab.cli.app import main

main()
