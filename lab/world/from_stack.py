"""`lab world --from STACKFILE`: a world file, with comments, in which that stack can run."""

import json
from pathlib import Path

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import ValidationError

from lab.errors import LabError
from lab.world.fitting import fit
from lab.world.load import DEFAULT_WORLD, load_world
from lab.world.models import World
from lab.world.stack_facts import read_facts

_TEMPLATE = "from_stack.yaml.j2"


def world_from_stack(stack_file: Path) -> str:
    """The text of a world file; raises LabError when the stack file cannot be read."""
    facts = read_facts(stack_file)
    environment = Environment(  # noqa: S701 - this is YAML, not HTML
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # A JSON string is a YAML string, whatever is in it.
    environment.filters["quoted"] = json.dumps
    usual = load_world(DEFAULT_WORLD)
    text = environment.get_template(_TEMPLATE).render(
        fit=fit(facts), file=stack_file.name, privileges=usual.proxmox.roles["Berth"]
    )
    try:
        World.model_validate(yaml.safe_load(text))
    except ValidationError as error:
        raise LabError(
            f"{stack_file}: no world could be made that fits it: {error}; "
            "start from `lab world` and change that"
        ) from error
    return text
