"""Which programs the lab runs, in which version, and what each is compiled from. Data only."""

from dataclasses import dataclass

OLDEST_GO = (1, 26)


@dataclass(frozen=True)
class GoProgram:
    """One executable that is compiled from the helper module `go/<module>`."""

    executable: str
    version: str
    module: str
    package: str
    version_variable: str
    """The Go variable that the linker sets to `version`."""
    peak_megabytes: int
    """Memory that compiling took, measured with an empty build cache."""
    taken_along: tuple[tuple[str, str], ...] = ()
    """Files of other modules, as (module, path in it), that are copied beside the executable."""

    @property
    def title(self) -> str:
        return f"{self.executable} {self.version}"


@dataclass(frozen=True)
class Plugin:
    """A resource plugin as the SDK of the same version asks for it."""

    name: str
    version: str
    source: GoProgram | None = None

    @property
    def directory(self) -> str:
        """Name of its directory in `PULUMI_HOME/plugins`."""
        return f"resource-{self.name}-v{self.version}"

    @property
    def executable(self) -> str:
        return f"pulumi-resource-{self.name}"


_SDK = "github.com/pulumi/pulumi/sdk/v3"

PULUMI = GoProgram(
    executable="pulumi",
    version="3.259.0",
    module="pulumi",
    package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    version_variable=f"{_SDK}/go/common/version.Version",
    peak_megabytes=1750,
    taken_along=((_SDK, "python/cmd/pulumi-language-python-exec"),),
)

PROXMOXVE = GoProgram(
    executable="pulumi-resource-proxmoxve",
    version="8.3.0",
    module="proxmoxve",
    package="berth.invalid/toolchain/proxmoxve",
    version_variable="main.Version",
    peak_megabytes=1350,
)

PLUGINS = (
    Plugin("proxmoxve", PROXMOXVE.version, source=PROXMOXVE),
    Plugin("command", "1.2.1"),
    Plugin("cloudflare", "6.23.1"),
    Plugin("tailscale", "0.29.2"),
)
