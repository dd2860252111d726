"""`python -m lab`: the command line."""

from lab.cli.app import main

main()
