"""A feed: a declared stream of like files under an S3 prefix, bound for one target table.

The only module that knows the file format of feeds and the wording of its errors.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from include.landfall.errors import FeedError, Place
from include.landfall.feed.formats import CsvFormat, ParquetFormat
from include.landfall.feed.model import Column, Feed, Source, Target
from include.landfall.feed.rules import Check


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
            if feed.name in named:
                twin = named[feed.name].name
                raise _at(path, f"the name {feed.name!r} is {twin}'s already", do="rename one")
            named[feed.name] = path
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
    known = [field.alias or name for name, field in model.model_fields.items()]
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
