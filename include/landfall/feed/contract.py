"""What happens when a file departs from the feed's columns, as a feed declares it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from include.landfall.feed.names import is_name
from include.landfall.feed.strict import Strict, combination_error, null_as_word

RESCUED = "_rescued"


class Contract(Strict):
    """What a load does with a file, or a table, whose columns are not those of the feed."""

    new_columns: Literal["refuse", "ignore", "rescue", "evolve"] = Field(
        "refuse",
        description="A column of the file that the feed does not name: refuse the file, ignore "
        "the column, rescue its cells into a jsonb column, or evolve: add it to the table.",
    )
    missing_columns: Annotated[
        Literal["refuse", "null", "default"], BeforeValidator(null_as_word)
    ] = Field(
        "refuse",
        description="A column that the file lacks: refuse the file, null, or the default that "
        "the table has for it.",
    )
    types: Literal["refuse", "widen"] = Field(
        "refuse",
        description="A column of the table that is narrower than the feed's: refuse, or widen it.",
    )
    row_shape: Literal["reject", "pad"] = Field(
        "reject",
        description="A row with fewer or more cells than the header: reject it, or pad it with "
        "NULL; spare cells go to the rescue column.",
    )
    case: Literal["exact", "ignore"] = Field(
        "exact", description="Whether upper and lower case of the file's names matter."
    )
    trim: bool = Field(False, description="Whether spaces around the file's names are dropped.")
    rescue: str | None = Field(
        None, description=f"The jsonb column for what is rescued. Default: {RESCUED}."
    )

    @property
    def rescue_column(self) -> str | None:
        """The column for what has no place in the table, where the feed has one."""
        return self.rescue or (RESCUED if self.new_columns == "rescue" else None)

    @property
    def alters(self) -> bool:
        """Whether a load may alter the table."""
        return self.types == "widen" or self.new_columns in {"rescue", "evolve"}

    def folded(self, name: str) -> str:
        """Returns the name as it is compared with those of a file."""
        name = name.strip() if self.trim else name
        return name.casefold() if self.case == "ignore" else name

    @model_validator(mode="after")
    def _rescues_something(self) -> Contract:
        if self.rescue is not None and self.new_columns != "rescue" and self.row_shape != "pad":
            raise combination_error(
                "new_columns: rescue or row_shape: pad beside it; else nothing is rescued",
                self.rescue,
                "rescue",
            )
        if self.rescue is not None and not is_name(self.rescue):
            expected = "a column's name: 1 to 63 bytes, and not _load_id, _load_row or _load_number"
            raise combination_error(expected, self.rescue, "rescue")
        return self
