"""`make bench`: every figure, or those named: `python -m bench lab`."""

import sys

from bench.edge import edge_figures
from bench.lab import lab_figures
from bench.service import service_figures
from bench.ways import ways_figures

SECTIONS = {
    "lab": lab_figures,
    "service": service_figures,
    "edge": edge_figures,
    "ways": ways_figures,
}


def main() -> int:
    """Run the sections; 1 when a goal is missed, 2 when a name is no section."""
    names = sys.argv[1:] or list(SECTIONS)
    if unknown := [name for name in names if name not in SECTIONS]:
        print(f"error: {', '.join(unknown)}: no such figures; there are: {', '.join(SECTIONS)}")
        return 2
    missed = 0
    for name in names:
        missed += not SECTIONS[name]().show()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
