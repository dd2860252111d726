"""The way out with a broken stack file can be nothing but a destroy."""

from tests.engine.program.test_guards import (
    DESTROY_ONLY,
    UP,
    refused,
    resources,
    shared_stack,
    steady,
)
from tests.labs import StackFile, TestLab

EXPORTED = ("stack", "output", "--json", "--show-secrets")
__all__ = ["shared_stack", "steady"]


def test_an_up_in_destroy_only_mode_changes_nothing(lab: TestLab, steady: StackFile) -> None:
    before, exported = resources(lab, steady), lab.pulumi(steady, *EXPORTED).text
    one_step = (*UP, "--target", "**::one-login", "--target-dependents")
    for words in (("preview",), UP, (*UP, "--continue-on-error"), one_step):
        said = refused(lab, steady, *words, environment=DESTROY_ONLY)
        assert "can only be `pulumi destroy --run-program`; nothing was changed" in said
    assert 710 in lab.guests()
    assert resources(lab, steady) == before
    assert lab.pulumi(steady, *EXPORTED).text == exported
    assert "container 710" not in lab.pulumi(steady, "preview", "--expect-no-changes").text
