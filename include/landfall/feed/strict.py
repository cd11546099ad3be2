"""The base of every part of a feed."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError


class Strict(BaseModel):
    """A part of a feed. It refuses unknown keys, and nothing changes it after it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)


def null_as_word(value: Any) -> Any:
    """Returns YAML's null, where a key has `null` among its words, as that word."""
    return "null" if value is None else value


def combination_error(expected: str, found: str, *steps: str) -> PydanticCustomError:
    """Returns the error of keys that do not go together.

    `steps` lead from the part that is validated to the key that is wrong.
    """
    context = {"steps": steps, "found": found, "expected": expected}
    return PydanticCustomError("combination", "{expected}", context)
