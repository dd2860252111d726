"""Programs that stay on the host: beside what we keep of a service, not in a release."""

import pkgutil

from . import files, state
from .failure import StepFailed
from .host import Host


def place(host: Host, service: str, name: str = "launcher.py") -> bool:
    """Write it where it differs; what runs has read it already and is not disturbed."""
    content = pkgutil.get_data(__package__ or "", name)
    if content is None:
        raise StepFailed(f"{name}: not in this guest program")
    home = state.home(host, service)
    files.directory(home, mode=0o755, ids=host.root_ids)
    return files.write(home / name, content, mode=0o644, ids=host.root_ids)
