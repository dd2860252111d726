"""Services as they are: their sources looked at, their secrets looked up. Nothing runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.release.application import Named as Application
from infra.release.finding import SourceError
from infra.release.project import Project, Wanted, inspect
from infra.release.tree import Tree, select
from infra.settings.named import Named, find_secret
from infra.settings.problems import Problem, at
from infra.settings.service import Service
from infra.settings.service_places import places
from infra.settings.service_scalars import env_value_problem
from infra.settings.source import Source

PROJECT = Path(__file__).resolve().parents[2]
"""Where the program is: sources are named as seen from there."""


@dataclass(frozen=True)
class Looked:
    """What one service travels with; `secrets` are by the variables they go into."""

    tree: Tree
    project: Project
    secrets: Mapping[str, Named]


def check(
    services: Mapping[str, Service], source: Source, problems: list[Problem]
) -> dict[str, Looked]:
    """Look at each service; what is wrong with any of them goes to `problems`."""
    found = {}
    for name, service in services.items():
        secrets = _secrets(name, service, source, problems)
        looked = _source(name, service, problems)
        if looked is not None:
            found[name] = Looked(*looked, secrets)
    return found


def _secrets(
    name: str, service: Service, source: Source, problems: list[Problem]
) -> dict[str, Named]:
    found = {}
    for variable, entry in service.secrets.items():
        secret = find_secret(source, at("services", name, "secrets", variable), entry, problems)
        if secret is None:
            continue
        found[variable] = secret
        problem = env_value_problem(secret.value)
        if not secret.value:
            problem = "is empty; a secret that is not needed is left out"
        if problem is not None:
            problems.append(Problem(secret.path, f"{problem} (it goes into {variable} of {name})"))
    return found


def _source(name: str, service: Service, problems: list[Problem]) -> tuple[Tree, Project] | None:
    directory = PROJECT / Path(service.source).expanduser()
    try:
        tree = select(directory, places(name, service).server_only)
    except SourceError as error:
        findings = error.findings
    except OSError as error:
        findings = []
        text = f"cannot read {error.filename or directory}: {error.strerror}"
        problems.append(Problem(at("services", name, "source"), text))
    else:
        project, findings = inspect(tree, _wanted(service))
        if project is not None:
            return tree, project
    problems += [Problem(at("services", name, finding.key), finding.text) for finding in findings]
    return None


def _wanted(service: Service) -> Wanted:
    named = service.app or service.factory
    return Wanted(
        application=(
            Application(named, service.factory is not None, service.import_path) if named else None
        ),
        import_path=service.import_path,
        dependencies=service.dependencies,
        extras=frozenset(service.extras),
        build_from_source=service.build_from_source,
        install_project=service.install_project,
    )
