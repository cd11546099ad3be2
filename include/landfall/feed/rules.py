"""The rules that a feed's owner writes: what must hold after a load."""

from __future__ import annotations

from pydantic import Field

from include.landfall.feed.strict import Strict


class Check(Strict):
    """What must hold after a load: of a column or, under `rows`, of the number of rows."""

    at_least: int | None = Field(None, description="rows: no fewer than this.")
    at_most: int | None = Field(None, description="rows: no more than this.")
    minimum: float | None = Field(None, description="The smallest value allowed.")
    maximum: float | None = Field(None, description="The largest value allowed.")
    not_null: bool | None = Field(None, description="No NULL.")
    unique: bool | None = Field(None, description="No value twice.")
