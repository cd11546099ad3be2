"""A feed: a declared stream of like files under an S3 prefix, bound for one target table.

The only module that knows the file format of feeds and the wording of its errors.
"""

from __future__ import annotations

import difflib
import fnmatch
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from .errors import FeedError, Place
from .types import ColumnType, parse_type

NAME = r"^[a-z][a-z0-9_]{0,54}$"
RESERVED_PREFIX = "_load"


class Strict(BaseModel):
    """A part of a feed: unknown keys are refused, and nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Strict):
    """Where the files are."""

    connection: str = Field("landing", description="Name of the S3 connection.")
    bucket: str = Field(min_length=3, description="Name of the bucket.")
    pattern: str = Field(
        min_length=1,
        description="Which keys are the feed's: * and ? stop at /, ** does not, [abc] is a set.",
    )
    settle_seconds: float = Field(
        0,
        ge=0,
        description="How long an object must be unchanged before it is taken as whole.",
    )

    @property
    def prefix(self) -> str:
        """The part of the pattern before its first wildcard: all that is ever listed."""
        return re.split(r"[*?\[]", self.pattern, maxsplit=1)[0]

    def matches(self, key: str) -> bool:
        """Whether the key is one of the feed's."""
        return self._regex.fullmatch(key) is not None

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        parts = re.split(r"(\*\*|\*|\?|\[[^\]]+\])", self.pattern)
        wild = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
        return re.compile("".join(wild.get(p) or _literal_or_set(p) for p in parts))


def _literal_or_set(part: str) -> str:
    return fnmatch.translate(part)[4:-3] if part.startswith("[") else re.escape(part)


class CsvFormat(Strict):
    """Text with a header, one record a row. Compression is told from the content."""

    type: Literal["csv"] = "csv"
    delimiter: str = Field(",", min_length=1, max_length=1, description="Between the fields.")
    quote: str = Field('"', min_length=1, max_length=1, description="Around a field.")
    nulls: list[str] = Field(
        default_factory=list,
        description="Unquoted texts that are NULL, beside the empty one. Quoted, they are text.",
    )

    @model_validator(mode="after")
    def _apart(self) -> CsvFormat:
        if self.delimiter == self.quote or not (self.delimiter + self.quote).isascii():
            raise ValueError("delimiter and quote must be two different ASCII characters")
        return self


class ParquetFormat(Strict):
    """Parquet: columns have types of their own, which must fit the feed's."""

    type: Literal["parquet"] = "parquet"


class Target(Strict):
    """Where the rows go."""

    connection: str = Field("warehouse", description="Name of the Postgres connection.")
    table: str = Field(description="schema.table; created when it is missing.")
    disposition: Literal["append", "replace"] = Field(
        "append",
        description="append: rows are added, a changed file replaces its own. "
        "replace: the newest file is the whole table.",
    )

    @field_validator("table")
    @classmethod
    def _two_names(cls, value: str) -> str:
        if not re.fullmatch(r"[^.\0]+\.[^.\0]+", value):
            raise ValueError("a table is written schema.table")
        if max(len(name.encode()) for name in value.split(".")) > 63:
            raise ValueError("a name of more than 63 bytes: Postgres would cut it off")
        return value

    @property
    def schema_name(self) -> str:
        """The schema of the table."""
        return self.table.split(".")[0]

    @property
    def table_name(self) -> str:
        """The table's name without its schema."""
        return self.table.split(".")[1]


class Column(Strict):
    """One column of the contract; written short as just its type."""

    type: str = Field(description="A Postgres type, or an enum or domain of the target.")
    nullable: bool = Field(True, description="Whether a cell may be NULL.")
    description: str = Field("", description="For the reader and the table's comment.")

    @field_validator("type")
    @classmethod
    def _known(cls, value: str) -> str:
        return str(parse_type(value))

    @property
    def parsed(self) -> ColumnType:
        """The declared type, taken apart."""
        return parse_type(self.type)


class Check(Strict):
    """What must hold after a load: of a column, or (`rows`) of the number of rows."""

    at_least: int | None = Field(None, description="rows: no fewer than this.")
    at_most: int | None = Field(None, description="rows: no more than this.")
    minimum: float | None = Field(None, description="The smallest value allowed.")
    maximum: float | None = Field(None, description="The largest value allowed.")
    not_null: bool | None = Field(None, description="No NULL.")
    unique: bool | None = Field(None, description="No value twice.")


def _long_form(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


def _format_tag(value: Any) -> Any:
    if isinstance(value, str):
        return {"type": value}
    return {"type": "csv", **value} if isinstance(value, dict) else value


class Feed(Strict):
    """A feed, read and validated."""

    feed: str = Field(pattern=NAME, description="The feed's name: letters, digits, _.")
    description: str = Field("", description="What the files are.")
    owner: str = Field("data-team", description="Who is called when it fails.")
    schedule: str | None = Field("@hourly", description="Cron, preset, or null: by hand.")
    source: Source
    format: Annotated[
        CsvFormat | ParquetFormat, BeforeValidator(_format_tag), Field(discriminator="type")
    ] = CsvFormat()
    target: Target
    columns: dict[str, Annotated[Column, BeforeValidator(_long_form)]] = Field(min_length=1)
    checks: dict[str, Check] = Field(default_factory=dict)

    @field_validator("columns")
    @classmethod
    def _own_names(cls, value: dict[str, Column]) -> dict[str, Column]:
        for name in value:
            if name.startswith(RESERVED_PREFIX) or "\0" in name or not 0 < len(name.encode()) < 64:
                raise ValueError(
                    f"{name!r} cannot be a column: 1 to 63 bytes, not beginning with _load"
                )
        return value

    @model_validator(mode="after")
    def _checks_fit(self) -> Feed:
        for name, check in self.checks.items():
            if name != "rows" and name not in self.columns:
                raise ValueError(f"checks: {name!r} is neither rows nor a column")
            of_rows = {"at_least", "at_most"} & check.model_fields_set
            of_column = check.model_fields_set - {"at_least", "at_most"}
            if of_column and name == "rows" and name not in self.columns:
                raise ValueError("checks: rows takes at_least and at_most")
            if of_rows and name != "rows":
                raise ValueError(f"checks: {name!r} takes minimum, maximum, not_null and unique")
        return self


@dataclass(frozen=True)
class Feeds:
    """A folder of feeds: those that could be read, and why the others could not."""

    feeds: list[Feed] = field(default_factory=list)
    broken: dict[Path, FeedError] = field(default_factory=dict)


def read_feed(path: Path | str) -> Feed:
    """The feed that a YAML file describes; raises FeedError with file, line and field."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=_Loader)
        values = yaml.load(text, Loader=_Loader)  # noqa: S506  a SafeLoader of our own
    except OSError as error:
        raise _at(path, f"the feed's file cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _at(path, "the feed's file is not UTF-8 text") from None
    except yaml.YAMLError as error:
        raise _not_yaml(path, error) from None
    if not isinstance(values, dict):
        raise _at(path, "the feed's file is not YAML of a feed", expected="keys and values")
    try:
        return Feed.model_validate(values)
    except ValidationError as error:
        raise _invalid(path, node, error) from None


def read_folder(folder: Path | str) -> Feeds:
    """All feeds of a folder (*.yaml, *.yml), a broken one never hiding the others."""
    result = Feeds()
    named: dict[str, Path] = {}
    for path in sorted(p for p in Path(folder).iterdir() if p.suffix in {".yaml", ".yml"}):
        try:
            feed = read_feed(path)
            if feed.feed in named:
                twin = named[feed.feed].name
                raise _at(path, f"the name {feed.feed!r} is {twin}'s already", do="rename one")
            named[feed.feed] = path
            result.feeds.append(feed)
        except FeedError as error:
            result.broken[path] = error
    return result


class _Loader(yaml.SafeLoader):
    """YAML without its surprises: a key twice is an error, `no` and `NA` stay text."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, list | dict):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key must be a name", key_node.start_mark
                )
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands here twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


# YAML 1.1 takes a bare yes, no, on, off for booleans; a column named `on` is one in Postgres.
_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$") if "bool" in tag else regex)
        for tag, regex in resolvers
        if "timestamp" not in tag
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _at(path: Path, what: str, line: int | None = None, **more: str) -> FeedError:
    return FeedError(what, place=Place(file=str(path), line=line), **more)


def _not_yaml(path: Path, error: yaml.YAMLError) -> FeedError:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or str(error)
    return _at(path, f"the feed's file is not YAML: {what}", mark.line + 1 if mark else None)


def _invalid(path: Path, node: Any, error: ValidationError) -> FeedError:
    # An unknown key is often a known one misspelt, so it explains a missing one beside it.
    first, *others = sorted(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    steps = [step for step in first["loc"] if step not in {"csv", "parquet"}]
    line = _line_of(node, steps)
    name = ".".join(map(str, steps)) or "the feed"
    more = f" ({len(others)} more such errors)" if others else ""
    if first["type"] == "extra_forbidden":
        return _at(path, f"unknown key {name!r}{more}", line, **_nearest(steps, first["loc"]))
    if first["type"] == "missing":
        return _at(path, f"{name!r} is missing{more}", line, do="add it")
    found = "" if isinstance(first["input"], dict) else str(first["input"])
    message = first["msg"].removeprefix("Value error, ")
    return _at(path, f"{name!r} is wrong{more}", line, found=found, expected=message)


def _nearest(steps: list[Any], loc: tuple[Any, ...]) -> dict[str, str]:
    model: type[BaseModel] = Feed
    parts: dict[str, type[BaseModel]] = {
        "source": Source, "target": Target, "columns": Column, "checks": Check,
        "format": ParquetFormat if "parquet" in loc else CsvFormat,
    }  # fmt: skip
    if len(steps) > 1:
        model = parts.get(str(steps[0]), Feed)
    known = list(model.model_fields)
    near = difflib.get_close_matches(str(steps[-1]), known, n=1)
    do = {"do": f"did you mean {near[0]!r}?"} if near else {}
    return {"expected": f"one of {', '.join(known)}", **do}


def _line_of(node: Any, steps: list[Any]) -> int:
    """The line, from 1, of the deepest part of the path that stands in the file."""
    line = node.start_mark.line + 1
    for step in steps:
        if isinstance(node, yaml.MappingNode):
            pairs = [(k, v) for k, v in node.value if k.value == str(step)]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            pairs = [(v, v) for v in node.value[step : step + 1]]
        else:
            pairs = []
        if not pairs:
            break
        line, node = pairs[0][0].start_mark.line + 1, pairs[0][1]
    return int(line)


def schema() -> dict[str, Any]:
    """The JSON schema of a feed's file, for editors. Short forms are in it."""
    made = Feed.model_json_schema()
    column = made["$defs"]["Column"]
    column["anyOf"] = [{"type": "string"}, {"type": column.pop("type")}]
    made["properties"]["format"]["anyOf"] = [
        {"enum": ["csv", "parquet"]},
        {"oneOf": made["properties"]["format"].pop("oneOf")},
    ]
    made["properties"]["format"].pop("discriminator", None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}
