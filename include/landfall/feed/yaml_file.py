"""Reads feeds from YAML files, and words what is wrong with them.

Every error names the file, the line and the field.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from include.landfall.errors import FeedError, Place
from include.landfall.feed import other_words
from include.landfall.feed.columns import Column
from include.landfall.feed.contract import Contract
from include.landfall.feed.formats import FORMATS, format_class_of
from include.landfall.feed.limits import Limits
from include.landfall.feed.model import Feed
from include.landfall.feed.plain_messages import plain_message
from include.landfall.feed.rejects import Rejects
from include.landfall.feed.rules import Check
from include.landfall.feed.source import Source
from include.landfall.feed.target import Target
from include.landfall.feed.yaml_traps import empty_value, syntax_trap

FEEDS = Path("include/feeds")  # of the project, from its own folder
MOST_MISTAKES = 5  # beside the first one, each with a line of its own
_TOO_DEEP = "the feed's file is nested too deeply"
DEEPEST = 50  # of nested YAML; a feed needs a tenth of it


@dataclass(frozen=True)
class Feeds:
    """A folder of feeds: those that could be read, and why the others could not."""

    feeds: list[Feed] = field(default_factory=list)
    broken: dict[Path, FeedError] = field(default_factory=dict)


def read_feed(path: Path | str) -> Feed:
    """Reads the feed that a YAML file describes.

    Raises: FeedError with the file, the line and the field.
    """
    path = Path(path)
    node, values = _parse(path)
    if not isinstance(values, dict):
        raise _error_in(path, "the feed's file is not YAML of a feed", expected="keys and values")
    try:
        feed = Feed.model_validate(values)
    except ValidationError as error:
        raise _invalid(path, node, values, error) from None
    feed.remember_places(
        {name: f"{path}, line {_find(node, ['columns', name, 'type'])[0]}" for name in feed.columns}
    )
    return feed


def read_folder(folder: Path | str, name: str | None = None) -> Feeds:
    """Reads all feeds of a folder (*.yaml, *.yml). A broken one never hides the others.

    With a `name`, only the files that hold this word are read: no other can be the feed's.
    """
    result = Feeds()
    paths: dict[str, Path] = {}
    for path in sorted(p for p in Path(folder).iterdir() if p.suffix in {".yaml", ".yml"}):
        try:
            if name is not None and not _holds(path, name):
                continue
            feed = read_feed(path)
            if feed.name in paths:
                taken = f"{paths[feed.name].name} has the name {feed.name!r} already"
                raise _error_in(path, taken, do="rename one")
            paths[feed.name] = path
            result.feeds.append(feed)
        except FeedError as error:
            result.broken[path] = error
        except Exception as error:  # noqa: BLE001  not foreseen: the other feeds must not go
            reason = f"{type(error).__name__}: {error}"
            result.broken[path] = _error_in(path, "the feed's file cannot be read", found=reason)
    return result


def _holds(path: Path, name: str) -> bool:
    return bool(re.search(rf"\b{re.escape(name)}\b".encode(), path.read_bytes()))


def _parse(path: Path) -> tuple[Any, Any]:
    """Returns the file as YAML's nodes, which know their lines, and as plain values."""
    try:
        text = path.read_text(encoding="utf-8")
        _check_depth(path, text)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            _check_values(path, node)
            return node, None if node is None else loader.construct_document(node)
        finally:
            loader.dispose()
    except OSError as error:
        what = f"the feed's file cannot be read: {error.strerror}"
        raise _error_in(path, what, do=_near_file(path)) from None
    except UnicodeDecodeError:
        raise _error_in(path, "the feed's file is not UTF-8 text") from None
    except yaml.YAMLError as error:
        what, line, do = syntax_trap(error, text)
        raise _error_in(path, f"the feed's file is not YAML: {what}", line, do=do) from None
    except RecursionError:  # by aliases, each within the one before
        raise _error_in(path, _TOO_DEEP) from None


def _check_values(path: Path, node: Any) -> None:
    """Raises: FeedError when a key has no value."""
    if trap := empty_value(node):
        otherwise = "write its value, or null where none is meant; # begins a comment"
        raise _error_in(path, trap.what, trap.line, do=trap.do or otherwise)


def _check_depth(path: Path, text: str) -> None:
    """Raises: FeedError when the file is nested so deeply that libyaml might crash."""
    depth = 0
    for event in yaml.parse(text, Loader=_SafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            line = event.start_mark.line + 1 if event.start_mark else None
            raise _error_in(path, _TOO_DEEP, line)


def _near_file(path: Path) -> str:
    """Returns what to do: which file may be meant, beside it or among the project's feeds."""
    folders = [folder for folder in (path.parent, FEEDS) if folder.is_dir()]
    files = [each for folder in folders for each in folder.glob("*.y*ml")]
    near = difflib.get_close_matches(path.stem, [each.stem for each in files], n=1)
    meant = [each for each in files if each.stem in near]
    return f"did you mean {meant[0]}?" if meant else "give the path of a feed's YAML file"


PARTS: dict[str, type[BaseModel]] = {
    "source": Source, "target": Target, "columns": Column, "checks": Check,
    "contract": Contract, "rejects": Rejects, "limits": Limits,
}  # fmt: skip


# Of libyaml, where PyYAML has it: it takes a tenth of the time, and a DAG file reads every feed.
_SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_SafeLoader):  # type: ignore[misc,valid-type]
    """YAML without its surprises: a key that stands twice is an error, `no` and `NA` stay text."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys: set[Any] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":  # <<: *shared
                continue
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, list | dict):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key must be a name", key_node.start_mark
                )
            if key in keys:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands here twice", key_node.start_mark
                )
            keys.add(key)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return mapping


# YAML 1.1 takes a bare yes, no, on, off for booleans; a column named `on` is one in Postgres.
_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$") if "bool" in tag else regex)
        for tag, regex in resolvers
        if "timestamp" not in tag
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _error_in(path: Path, what: str, line: int | None = None, **more: str | None) -> FeedError:
    return FeedError(what, place=Place(file=str(path), line=line), **more)


def _invalid(path: Path, node: Any, values: dict[str, Any], error: ValidationError) -> FeedError:
    """Returns the error of the first mistake, with the others beside it."""
    # An unknown key is often a known one misspelt, so it explains a missing one beside it.
    mistakes = sorted(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    first, *others = [_mistake(path, node, values, each) for each in mistakes]
    for other in others[:MOST_MISTAKES]:
        facts = ("found", other.found), ("expected", other.expected)
        more = "".join(f"; {name}: {value}" for name, value in facts if value)
        first.more.append(("also", f"line {other.place.line}: {other.what}{more}"))
    if len(others) > MOST_MISTAKES:
        first.more.append(("also", f"{len(others) - MOST_MISTAKES} more mistakes"))
    return first


def _mistake(path: Path, node: Any, values: dict[str, Any], error: Any) -> FeedError:
    context = error.get("ctx", {})
    steps = [each for each in (*error["loc"], *context.get("steps", ())) if each != "[key]"]
    line, part = _find(node, steps)
    name = ".".join(map(str, steps)) or "the feed"
    if error["type"] == "extra_forbidden":
        return _error_in(path, f"unknown key {name!r}", line, **_nearest(steps, values))
    if error["type"] == "missing":
        return _error_in(path, f"{name!r} is missing", line, do="add it")
    written = part.value if isinstance(part, yaml.ScalarNode) else None
    written = str(error["input"]) if error["loc"][-1:] == ("[key]",) else written
    given = context.get("found", error["input"])
    facts = {"expected": plain_message(error, written)}
    if error["type"] == "model_type" and steps[0] in PARTS:
        facts["expected"] += f": {', '.join(_names_at([*steps, ''], values))}"
    if steps == ["target", "disposition"] and (meant := other_words.DISPOSITIONS.get(given)):
        facts["do"] = f"did you mean {meant}?"
    if not isinstance(given, dict):
        facts["found"] = "null" if given is None else str(given) or "''"
    return _error_in(path, f"{name!r} is wrong", line, **facts)


def _names_at(steps: list[Any], values: dict[str, Any]) -> list[str]:
    """Returns the keys that could stand where the steps lead."""
    section = str(steps[0]) if len(steps) > 1 else ""
    model = format_class_of(values["format"]) if section == "format" else PARTS.get(section, Feed)
    model = _part_of(model, steps[1:-1])
    return [field.alias or name for name, field in model.model_fields.items()]


def _nearest(steps: list[Any], values: dict[str, Any]) -> dict[str, str]:
    """Returns the keys that could stand there, and the one that may be meant."""
    names, key = _names_at(steps, values), str(steps[-1])
    near = [word for word in [other_words.KEYS.get(key)] if word in names]
    near = near or difflib.get_close_matches(key, names, n=1)
    do = {"do": f"did you mean {near[0]!r}?"} if near else {}
    others = [each for each, own in FORMATS.items() if key in own.model_fields]
    if key == "compression":
        do = {"do": "leave it out: packed files are recognised by their content"}
    if steps[0] == "format" and len(steps) == 2 and others:
        do = {"do": f"leave it out: it is a key of type: {' and '.join(others)}"}
    return {"expected": f"one of {', '.join(names)}", **do}


def _part_of(model: type[BaseModel], steps: list[Any]) -> type[BaseModel]:
    """Returns the model of a part of a part, as far as the steps lead to one."""
    for step in steps:
        named = model.model_fields.get(str(step))
        choices = get_args(named.annotation) if named else ()
        parts = [each for each in choices if isinstance(each, type) and issubclass(each, BaseModel)]
        model = parts[0] if parts else model
    return model


def _find(node: Any, steps: list[Any]) -> tuple[int, Any]:
    """Returns the line, from 1, of the deepest part of the path in the file, and its value."""
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
    return int(line), node
