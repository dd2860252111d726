"""The programs under the lab: Pulumi's engine, its language host, its plugins, Debian's packages.

Knows nothing of labs: it finds, builds and places programs.
"""

from lab.toolchain.toolchain import Served, Toolchain, ensure

__all__ = ["Served", "Toolchain", "ensure"]
