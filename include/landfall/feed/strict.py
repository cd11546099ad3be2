"""A feed: a declared stream of like files under an S3 prefix, bound for one target table.

The only module that knows the file format of feeds and the wording of its errors.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """A part of a feed: unknown keys are refused, and nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)
