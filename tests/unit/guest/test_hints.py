"""What an application says when it does not start, and the one line that helps."""

import pytest

from infra.guest import environment
from infra.guest.hints import hint
from infra.guest.python import Interpreter


@pytest.mark.parametrize(
    ("journal", "remedy"),
    [
        ("importlib.metadata.PackageNotFoundError: No package metadata was found for shop",
         "install_project: true"),
        ("ModuleNotFoundError: No module named 'shop.api'", "shop.api is not among the"),
        ("OSError: [Errno 30] Read-only file system: 'logs/app.log'",
         "writes to logs/app.log, and its code is read-only"),
        ("[Errno 30] Read-only file system", "writes to its own directory"),
        ("sqlite3.OperationalError: unable to open database file", "SQLite's file must lie"),
        (("pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings\n"
         "chat[7]: PROJECT_NAME\nchat[7]:   Field required [type=missing]"), "Settings misses"),
        ("KeyError: 'DATABASE_URL'", "DATABASE_URL looks like a missing variable"),
        ("OSError: Multiple exceptions: [Errno 111] Connect call failed ('::1', 5432)",
         "could not reach something that it needs"),
        ("PermissionError: [Errno 13] Permission denied: '.env'", ".env may not be read or written"),
        ("TypeError: Flask.__call__() missing 1 required positional argument: 'start_response'",
         "is a WSGI one"),
        ("PermissionError: [Errno 1] Operation not permitted", "`sandbox` has a key"),
    ],
)  # fmt: skip
def test_what_usually_keeps_an_application_from_starting_has_its_remedy(
    journal: str, remedy: str
) -> None:
    text = hint(f"one line before\n{journal}\none line after")
    assert remedy in text
    assert text.endswith("then run `pulumi up` again")


def test_the_last_trouble_is_the_one_that_counts() -> None:
    journal = "KeyError: 'FIRST'\nModuleNotFoundError: No module named 'second'\n"
    assert hint(journal).startswith("second is not")


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("incompatible with the project's Python requirement: `>=3.14`", "the Python here is 3.13"),
        ("have a source distribution or wheel for the current platform", "there is no wheel"),
        ("error: Hash mismatch\n  hash: sha256:1", "make the lock anew"),
        ("cause: error sending request for url (https://x)", "reaches its package index"),
        ("something else", "if the message speaks of the network"),
    ],
)
def test_an_environment_that_cannot_be_built_has_its_remedy(said: str, remedy: str) -> None:
    here = Interpreter("/usr/bin/python3", "3.13", "x86_64")
    assert remedy in environment.remedy(said, here)


def test_nothing_is_said_of_what_nobody_knows() -> None:
    assert hint("KeyError: 'lower'\nValueError: {x}\n") == ""
