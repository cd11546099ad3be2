"""A feed: a declared stream of like files under an S3 prefix, bound for one target table.

The whole feed as a model; `yaml_file` reads it from a file, `schema` describes it to editors.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, PlainValidator, SerializeAsAny, model_validator

from include.landfall.feed.columns import Columns, check_names
from include.landfall.feed.formats import CsvFormat, FileFormat, read_format
from include.landfall.feed.rejects import Rejects
from include.landfall.feed.rules import Check
from include.landfall.feed.source import Source
from include.landfall.feed.strict import Strict
from include.landfall.feed.target import Target

NAME = r"^[a-z][a-z0-9_]{0,54}$"


class Feed(Strict):
    """A feed, read and validated."""

    name: str = Field(
        alias="feed", pattern=NAME, description="The feed's name: letters, digits, _."
    )
    description: str = Field("", description="What the files are.")
    owner: str = Field("data-team", description="Who is called when it fails.")
    schedule: str | None = Field("@hourly", description="Cron, preset, or null: by hand.")
    source: Source
    format: Annotated[SerializeAsAny[FileFormat], PlainValidator(read_format)] = CsvFormat()
    target: Target
    columns: Annotated[Columns, AfterValidator(check_names)] = Field(min_length=1)
    checks: dict[str, Check] = Field(default_factory=dict)
    rejects: Rejects = Rejects()

    @property
    def hides_texts(self) -> bool:
        """Whether texts of rows must not be kept or shown."""
        hidden = self.rejects.keep in {"hashed", "count"}
        return hidden or any(column.secret for column in self.columns.values())

    @model_validator(mode="after")
    def _target_fits(self) -> Feed:
        self.target.check_columns(self.columns)
        return self

    @model_validator(mode="after")
    def _checks_fit(self) -> Feed:
        for name, check in self.checks.items():
            if name != "rows" and name not in self.columns:
                raise ValueError(f"checks: {name!r} is neither rows nor a column")
            rules = check.model_dump(exclude_none=True).keys()
            of_rows = rules & {"at_least", "at_most"}
            of_column = rules - {"at_least", "at_most"}
            if of_column and name == "rows" and name not in self.columns:
                raise ValueError("checks: rows takes at_least and at_most")
            if of_rows and name != "rows":
                raise ValueError(f"checks: {name!r} takes minimum, maximum, not_null and unique")
        return self
