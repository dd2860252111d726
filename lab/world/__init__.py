"""The lab's world: one file that says what is there before any stack comes."""

from lab.world.load import DEFAULT_WORLD, load_world
from lab.world.models import World

__all__ = ["DEFAULT_WORLD", "World", "load_world"]
