"""What a feed says of the objects of files that are loaded."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from include.landfall.feed.strict import Strict, combination_error

LONGEST_DAYS = 36_500


class LoadedFiles(Strict):
    """Whether they are moved or deleted, and when, so that the feed's prefix stays small."""

    move_to: str | None = Field(
        None,
        min_length=1,
        description="A prefix of the same bucket, such as loaded/. The object's whole key follows.",
    )
    delete: bool = Field(False, description="true: they are deleted.")
    after_days: float = Field(
        7,
        ge=0,
        le=LONGEST_DAYS,
        description="How many days an object must be unchanged before it is moved or deleted.",
    )

    @field_validator("move_to")
    @classmethod
    def _is_a_prefix(cls, value: str | None) -> str | None:
        if value and (value.startswith(("/", "s3://")) or not value.endswith("/")):
            raise ValueError("a prefix of the same bucket that ends with /, such as loaded/")
        return value

    @model_validator(mode="after")
    def _says_one(self) -> LoadedFiles:
        if self.move_to and self.delete:
            raise combination_error("one of the two: move_to or delete", "both", "delete")
        if not (self.move_to or self.delete):
            raise ValueError("move_to with a prefix, or delete: true")
        return self
