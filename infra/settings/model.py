"""The base of every model of the stack file."""

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """Frozen, closed to keys that it does not know, and no value is bent into a type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
