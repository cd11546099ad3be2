"""A feed: a declared stream of like files under an S3 prefix, bound for one target table.

The whole feed as a model; `yaml_file` reads it from a file, `schema` describes it to editors.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import (
    AfterValidator,
    Field,
    PlainValidator,
    PrivateAttr,
    SerializeAsAny,
    field_validator,
    model_validator,
)

from include.landfall.feed.columns import Column, Columns, check_names
from include.landfall.feed.contract import Contract
from include.landfall.feed.formats import CsvFormat, FileFormat, read_format
from include.landfall.feed.limits import Limits
from include.landfall.feed.rejects import Rejects
from include.landfall.feed.rules import Check
from include.landfall.feed.source import Source
from include.landfall.feed.strict import Strict, combination_error
from include.landfall.feed.target import Target

NEED_A_HEADER = {"missing_columns", "row_shape"}
NEED_NAMES = {"new_columns", "missing_columns", "case", "trim"}
RESCUE = Column(type="jsonb", description="What the file has and no column of the table")
PRESETS = (
    "@once", "@continuous", "@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly",
)  # fmt: skip
# Five or six fields. Airflow's own reader checks what stands in them: the engine does without it.
CRON = re.compile(r"[\w*/,?#-]+(?:\s+[\w*/,?#-]+){4,5}", re.ASCII)
NAME = r"^[a-z][a-z0-9_]{0,54}$"


class Places(dict[str, str]):
    """Where columns stand in a file. All are equal, as feeds of the same values are."""

    __hash__ = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Places)


class Feed(Strict):
    """A feed, read and validated."""

    name: str = Field(
        alias="feed",
        pattern=NAME,
        description="The feed's name: a-z, 0-9 and _. Its DAG is feed_ and this name.",
    )
    description: str = Field("", description="What the files are.")
    owner: str = Field("data-team", description="Who is called when it fails.")
    schedule: str | None = Field(
        "@hourly", description="Cron, a preset such as @daily, or null: by hand."
    )
    files_per_task: int | None = Field(
        None,
        ge=1,
        le=1000,
        description="How many new files a task of Airflow loads, one after the other. By default"
        " one; in a run of more than 100 files so many that there are 100 tasks.",
    )
    source: Source
    format: Annotated[SerializeAsAny[FileFormat], PlainValidator(read_format)] = Field(
        CsvFormat(), description="How the files are written: a type alone, or with its options."
    )
    target: Target
    contract: Contract = Contract()
    columns: Annotated[Columns, AfterValidator(check_names)] = Field(
        min_length=1, description="Each column's name with its type, or with its keys."
    )
    checks: dict[str, Check] = Field(
        default_factory=dict,
        description="What must hold of the whole table after each load: rows, or a column's name.",
    )
    rejects: Rejects = Rejects()
    limits: Limits = Limits()
    # Where each column stands in the YAML file that the feed was read from.
    _places: Places = PrivateAttr(default_factory=Places)

    @field_validator("schedule")
    @classmethod
    def _is_a_schedule(cls, value: str | None) -> str | None:
        if value is None or value in PRESETS or CRON.fullmatch(value.strip()):
            return value
        names = ", ".join(PRESETS)
        raise ValueError(f"cron such as '0 6 * * *', null, or one of {names}")

    def remember_places(self, places: dict[str, str]) -> None:
        """Keeps where each column stands in the feed's file, for errors about it."""
        self._places.update(places)

    def place_of(self, column: str) -> str | None:
        """Returns where a column stands in the feed's file, or None without a file."""
        return self._places.get(column)

    @property
    def table_columns(self) -> Columns:
        """The columns of the table: without those that are ignored, and with the rescue column."""
        columns = {name: each for name, each in self.columns.items() if not each.ignore}
        rescue = self.contract.rescue_column
        return columns if rescue is None or rescue in columns else {**columns, rescue: RESCUE}

    @property
    def order(self) -> tuple[str, ...]:
        """The names of a file's columns by their positions, where its own names do not count."""
        return tuple(name for name, each in self.columns.items() if each.is_in_file)

    @property
    def refuses_empty(self) -> bool:
        """Whether an object of 0 bytes is refused: by default where it would empty the table."""
        choice = self.source.empty_objects
        return choice == "refuse" or (choice is None and self.target.is_whole)

    @property
    def hides_texts(self) -> bool:
        """Whether texts of rows must not be kept or shown."""
        hidden = self.rejects.keep in {"hashed", "count"}
        return hidden or any(column.secret for column in self.columns.values())

    @model_validator(mode="after")
    def _target_fits(self) -> Feed:
        self.target.check_columns(self.table_columns)
        return self

    @model_validator(mode="after")
    def _snapshot_fits(self) -> Feed:
        if self.source.snapshot is None:
            return self
        if self.source.member:
            expected = "nothing: with source.snapshot each part is one file"
            raise combination_error(expected, self.source.member, "source", "member")
        if self.contract.new_columns == "evolve":
            expected = "refuse, ignore or rescue: with source.snapshot all parts have one shape"
            raise combination_error(expected, "evolve", "contract", "new_columns")
        return self

    @model_validator(mode="after")
    def _member_fits(self) -> Feed:
        if self.source.member and not self.format.can_be_packed:
            expected = (
                f"nothing: files of the format {self.format.type} are not read from zip files"
            )
            raise combination_error(expected, self.source.member, "source", "member")
        return self

    @model_validator(mode="after")
    def _format_fits(self) -> Feed:
        rescue = self.contract.rescue_column
        self.format.check_columns(
            [n for n, c in self.columns.items() if c.is_in_file and not c.ignore and n != rescue]
        )
        self.format.check_types(
            [c.parsed for n, c in self.columns.items() if c.is_in_file and not c.ignore]
        )
        has_names = self.format.has_header or not self.format.takes_names
        if departure := not has_names and self._departure():
            expected = f"nothing of it: a file of the format {self.format.type} names no columns"
            raise combination_error(expected, *departure)
        return self

    @model_validator(mode="after")
    def _contract_has_effect(self) -> Feed:
        contract = self.contract.model_dump(exclude_defaults=True)
        if "row_shape" in contract and not self.format.has_ragged_rows:
            expected = f"reject: the rows of the format {self.format.type} have all its columns"
            raise combination_error(expected, "pad", "contract", "row_shape")
        for name, column in self.columns.items():
            if column.other_names and name in self.format.placed:
                expected = "no other name: the format says where the column is in the file"
                raise combination_error(expected, "from", "columns", name, "from")
        if self.format.takes_names:
            return self
        expected = "nothing of it: without names, or by position, the names of a file do not count"
        for key in NEED_NAMES & contract.keys():
            raise combination_error(expected, str(contract[key]), "contract", key)
        for name, column in self.columns.items():
            if column.other_names:
                raise combination_error(expected, "from", "columns", name, "from")
        return self

    @model_validator(mode="after")
    def _other_keys_have_effect(self) -> Feed:
        if self.format.ignores_keys and self.contract.new_columns != "refuse":
            expected = f"refuse: new_columns: {self.contract.new_columns} says what becomes of them"
            raise combination_error(expected, "ignore", "format", "other_keys")
        return self

    def _departure(self) -> tuple[str, ...]:
        """Returns what the feed allows that only a file which names its columns can do.

        Where each row names its own, that is what needs a name for all rows.
        """
        has_keys, contract = self.format.names_keys, self.contract
        set_keys = contract.model_dump(exclude_defaults=True, exclude={"types"})
        for key, value in set_keys.items():
            if key in NEED_A_HEADER or not has_keys:
                return str(value), "contract", key
        takes_new = has_keys and contract.new_columns != "refuse"
        for name, column in self.columns.items():
            if column.ignore and not takes_new:
                return "ignore", "columns", name, "ignore"
            if column.other_names and not has_keys:
                return "from", "columns", name, "from"
        return ()

    @model_validator(mode="after")
    def _names_are_clear(self) -> Feed:
        rescue = self.contract.rescue_column
        taken: dict[str, str] = {}
        for name, column in self.columns.items():
            if name == rescue and not column.can_rescue:
                expected = "jsonb without rules of its own, as the rescue column"
                raise combination_error(expected, column.type, "columns", name)
            if name == rescue or not column.is_in_file:
                continue
            for each in [name, *column.other_names]:
                other = taken.setdefault(self.contract.folded(each), name)
                if other != name:
                    expected = f"a name of one column; {other!r} has it too"
                    raise combination_error(expected, each, "columns", name, "from")
        if all(column.ignore for column in self.columns.values()):
            raise combination_error("a column that is not ignored", "ignore: true", "columns")
        return self

    @model_validator(mode="after")
    def _checks_fit(self) -> Feed:
        columns = self.table_columns
        for name, check in self.checks.items():
            if name != "rows" and name not in columns:
                raise combination_error("rows, or a column of the table", name, "checks", name)
            rules = check.model_dump(exclude_none=True)
            of_rows = {"at_least", "at_most"}
            wrong = [] if name == "rows" else [each for each in rules if each in of_rows]
            expected = "minimum, maximum, not_null or unique, because it is a column"
            if name == "rows" and name not in columns:
                wrong = [each for each in rules if each not in of_rows]
                expected = "at_least or at_most"
            for rule in wrong:
                raise combination_error(expected, rule, "checks", name, rule)
        return self
