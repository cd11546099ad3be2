"""A feed: a declared stream of like files under an S3 prefix, bound for one target table.

The only module that knows the file format of feeds and the wording of its errors.
"""

from __future__ import annotations

from pydantic import Field

from include.landfall.feed.strict import Strict


class Check(Strict):
    """What must hold after a load: of a column, or (`rows`) of the number of rows."""

    at_least: int | None = Field(None, description="rows: no fewer than this.")
    at_most: int | None = Field(None, description="rows: no more than this.")
    minimum: float | None = Field(None, description="The smallest value allowed.")
    maximum: float | None = Field(None, description="The largest value allowed.")
    not_null: bool | None = Field(None, description="No NULL.")
    unique: bool | None = Field(None, description="No value twice.")
