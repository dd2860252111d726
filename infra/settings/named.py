"""A secret value together with where it comes from, so that messages can name the place."""

from dataclasses import dataclass, field

import pulumi

from infra.settings.misplaced import SECRETS
from infra.settings.problems import Problem, at
from infra.settings.source import Source


@dataclass(frozen=True)
class Named:
    """A secret for checking. `output` is what resources get; it stays secret."""

    path: str
    called: str
    value: str = field(repr=False)
    secret_name: str | None

    def output(self, source: Source) -> pulumi.Output[str]:
        """The value, marked as secret wherever it comes from."""
        if self.secret_name is not None:
            return source.secret(self.secret_name)
        return pulumi.Output.secret(self.value)


def find_secret(source: Source, path: str, name: str, problems: list[Problem]) -> Named | None:
    """The entry `name` of berth:secrets that the setting at `path` refers to."""
    if name not in source.secrets:
        if not any(p.path in (SECRETS, at(SECRETS, name)) for p in source.problems):
            problems.append(
                Problem(
                    path,
                    f"{name} is no entry of berth:secrets; add it: "
                    f"pulumi config set --secret --path 'berth:secrets.{name}'",
                )
            )
        return None
    return Named(at(SECRETS, name), f"{name} of berth:secrets", source.secrets[name], name)
