"""The short id of a stack: what tells two checkouts apart that both call a stack `prod`."""

import secrets
import string


def new_stack_id() -> str:
    """A fresh one. It begins with a letter, so that YAML reads it as text and nothing else."""
    alphabet = string.ascii_lowercase + string.digits
    first = secrets.choice(string.ascii_lowercase)
    return first + "".join(secrets.choice(alphabet) for _ in range(7))
