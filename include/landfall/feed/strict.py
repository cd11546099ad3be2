"""The base of every part of a feed."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """A part of a feed. It refuses unknown keys, and nothing changes it after it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)
