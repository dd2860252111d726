"""What the last finished run of this stack has exported."""

import time
from typing import Any

import pulumi

_READ = "pulumi:pulumi:readStackOutputs"
_TRIES = 20
_PAUSE_S = 0.1


def outputs(project: str, stack: str) -> dict[str, Any]:
    """The stack's own outputs, in clear, as the state has them; none in its first run.

    A `StackReference` would read the same, but fail the whole run when it meets the engine writing
    its state, which is not atomic in a directory (the attributes beside the file are empty for a
    moment: "failed to load checkpoint: EOF"). This can be asked again.
    """
    name = f"{pulumi.get_organization()}/{project}/{stack}"
    tries = _TRIES
    while True:
        tries -= 1
        try:
            answer = pulumi.runtime.invoke(_READ, {"name": name}).value or {}
        except Exception as error:
            # The SDK raises nothing more exact.
            if tries == 0:
                raise pulumi.RunError(
                    f"the state of stack {name} cannot be read ({error}); nothing was changed. "
                    "Run the command again"
                ) from None
            time.sleep(_PAUSE_S)
        else:
            return dict(answer.get("outputs") or {})
