"""The rules that a feed's owner writes: what must hold after a load."""

from __future__ import annotations

from pydantic import Field, model_validator

from include.landfall.feed.strict import Strict, combination_error


class Check(Strict):
    """What must hold after a load: of a column or, under `rows`, of the number of rows."""

    at_least: int | None = Field(None, description="rows: no fewer than this.")
    at_most: int | None = Field(None, description="rows: no more than this.")
    minimum: float | None = Field(None, description="The smallest value allowed.")
    maximum: float | None = Field(None, description="The largest value allowed.")
    not_null: bool | None = Field(None, description="No NULL.")
    unique: bool | None = Field(None, description="No value twice.")

    @model_validator(mode="after")
    def _can_hold(self) -> Check:
        for least, most in (("at_least", "at_most"), ("minimum", "maximum")):
            low, high = getattr(self, least), getattr(self, most)
            if low is not None and high is not None and low > high:
                raise combination_error(f"at least {least}, which is {low:g}", f"{high:g}", most)
        return self
