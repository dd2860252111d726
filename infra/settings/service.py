"""The shape of `berth:services`. Shapes only: rules across fields are in service_rules.py."""

from typing import Annotated, Any, Literal

from pydantic import Field

from infra.settings.model import Model
from infra.settings.scalars import HostName, SecretName, UserName
from infra.settings.service_scalars import (
    AbsolutePath,
    AnyPath,
    Argument,
    Asgi,
    EnvName,
    EnvValue,
    Extra,
    HealthPath,
    InsidePath,
    InstallPath,
    ListenAddress,
    Package,
    PythonVersion,
    SourcePath,
    UnitName,
)
from infra.settings.ways import Route, Tls

SERVER_ONLY = (".env", "data", "certs")
LogLevel = Literal["critical", "error", "warning", "info", "debug", "trace"]


class Health(Model):
    """What a service must answer before it counts as started."""

    path: HealthPath = Field("/healthz", description="the path that is asked")
    status: Annotated[int, Field(ge=100, le=599)] = Field(
        200, description="the status that it must answer with"
    )
    answer: dict[str, Any] | None = Field(
        None, description="what its JSON answer must hold; it may hold more"
    )
    limit_s: Annotated[int, Field(ge=1, le=3600)] = Field(
        60, description="how many seconds it may take from start to that answer"
    )


class Limits(Model):
    """What a service may use of its host."""

    memory_mb: Annotated[int, Field(ge=32)] | None = Field(
        None, description="memory in MiB, above which it is ended; left out, no limit of its own"
    )
    files: Annotated[int, Field(ge=256, le=1_048_576)] = Field(
        65536, description="how many files and connections it may have open at once"
    )


class Sandbox(Model):
    """What a service is allowed beyond its sandbox. Everything is off; turn on what it needs."""

    executable_memory: bool = Field(
        default=False, description="true for code made at run time (numba, PyTorch, some cffi)"
    )
    system_info: bool = Field(
        default=False, description="true to read all of /proc (psutil, system dashboards)"
    )
    namespaces: bool = Field(
        default=False, description="true to make namespaces (Chromium, bubblewrap, containers)"
    )
    devices: bool = Field(default=False, description="true to reach devices of the host (a GPU)")
    home: bool = Field(default=False, description="true to see /home and /root")
    shared_tmp: bool = Field(default=False, description="true for the host's own /tmp")
    all_system_calls: bool = Field(
        default=False, description="true for system calls beyond those that services usually make"
    )
    all_address_families: bool = Field(
        default=False, description="true for sockets other than TCP, UDP and Unix (netlink, raw)"
    )
    new_privileges: bool = Field(default=False, description="true to run setuid programs (sudo)")


class Service(Model):
    """A FastAPI service on one of the hosts."""

    host: HostName = Field(description="the host that it lives on, one of hosts")
    source: SourcePath = Field(
        description="the directory of the application, as seen from the project, such as ../my-app"
    )
    app: Asgi | None = Field(
        None, description="the ASGI application, module:attribute, such as app.main:app"
    )
    factory: Asgi | None = Field(
        None, description="a function that makes the application, such as app.main:create_app"
    )
    command: tuple[Argument, ...] | None = Field(
        None,
        strict=False,
        description="a command to run instead of uvicorn; its port is then closed while it "
        "restarts, it counts as started before it is ready, and open requests are cut off",
    )
    import_path: InsidePath | None = Field(
        None,
        description="where in the source its modules lie, and where it runs (a directory src: "
        "beside it); left out, the top or src",
    )
    dependencies: InsidePath | None = Field(
        None,
        description="uv.lock or a requirements file with hashes; left out, what the source has",
    )
    extras: tuple[Extra, ...] = Field(
        (), strict=False, description="extras of the project to install as well"
    )
    install_project: bool = Field(
        default=False,
        description="true to install the project's own package too (entry points, metadata); "
        "each release then has an environment of its own",
    )
    build_from_source: bool = Field(
        default=False, description="true to build packages on the host that have no wheel"
    )
    python: PythonVersion | None = Field(
        None, description='"3.12", or the path of an interpreter; left out, the host\'s own'
    )
    listen: ListenAddress = Field("0.0.0.0", description="the address that it listens on")  # noqa: S104
    port: Annotated[int, Field(ge=1, le=65535)] = Field(
        8000, description="the port that it listens on"
    )
    tls: Tls | None = Field(
        None, description="the certificate that it speaks HTTPS with; left out, plain HTTP"
    )
    routes: tuple[Route, ...] = Field(
        (), strict=False, description="the public names that lead to it, through the tunnel"
    )
    health: Health = Health()
    user: UserName | None = Field(
        None, description="the user it runs as, made without a shell; left out, its name"
    )
    allow_root: bool = Field(default=False, description="true to let it run as root")
    environment: dict[EnvName, EnvValue] = Field(
        default_factory=dict, description="variables of its environment"
    )
    secrets: dict[EnvName, SecretName] = Field(
        default_factory=dict,
        description="variables whose values are entries of berth:secrets",
    )
    required: tuple[EnvName, ...] = Field(
        (), strict=False, description="variables that environment or secrets must hold"
    )
    required_on_host: tuple[EnvName, ...] = Field(
        (), strict=False, description="variables that the host's own .env must hold"
    )
    server_only: tuple[AnyPath, ...] = Field(
        SERVER_ONLY,
        strict=False,
        description="paths below the install path that belong to the host: never sent, "
        "never written, linked into each release",
    )
    writable: tuple[AnyPath, ...] = Field(
        (), strict=False, description="directories that it may write to; made where missing"
    )
    packages: tuple[Package, ...] = Field(
        (), strict=False, description="Debian packages that it needs"
    )
    workers: Annotated[int, Field(ge=1, le=256)] = Field(1, description="processes of uvicorn")
    log_level: LogLevel = Field("info", description="what uvicorn logs")
    drain_s: Annotated[int, Field(ge=0, le=3600)] = Field(
        30, description="seconds that open requests have when it stops"
    )
    limits: Limits = Limits()
    sandbox: Sandbox = Sandbox()
    unit: UnitName | None = Field(None, description="its systemd unit; left out, its name")
    install_path: InstallPath | None = Field(
        None, description="where it is installed; left out, /opt/<name>"
    )
    env_file: AbsolutePath | None = Field(
        None, description="where our environment file goes; left out, /etc/<name>/<name>.env"
    )
