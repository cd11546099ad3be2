"""Tells where YAML reads something else than people mean: commas, #, *, keys without a value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

NULL = "tag:yaml.org,2002:null"


class Trap(NamedTuple):
    """What is wrong, in which line (from 1, or None), and what to do."""

    what: str
    line: int | None
    do: str | None


def syntax_trap(error: yaml.YAMLError, text: str) -> Trap:
    """Returns what is wrong with a text that is not YAML."""
    mark, opened = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    context = getattr(error, "context", None) or ""
    if "alias" in context or "anchor" in context or "quoted scalar" in context:
        mark = opened or mark
    line = mark.line + 1 if mark else None
    return Trap(problem, line, _advice(context, problem, _rest_of_line(text, mark), opened))


def _advice(context: str, problem: str, rest: str, opened: Any) -> str | None:
    if "quoted scalar" in context:
        return "close the quote that begins here, or put it into quotes of the other kind"
    if rest.startswith("\t"):
        return "indent with spaces: YAML takes no tabs there"
    if "alias" in context or "anchor" in context or "cannot start any token" in problem:
        return f"put a text that begins with {rest[:1]} in quotes"
    if "mapping values are not allowed" in problem:
        return 'put a text with ": " in quotes, or indent the line as those beside it'
    if "flow" in context and opened:
        return f'close the bracket of line {opened.line + 1}; put a text with ": " or # in quotes'
    return None


def _rest_of_line(text: str, mark: Any) -> str:
    lines = text.splitlines() if mark else []
    return lines[mark.line][mark.column :] if mark and mark.line < len(lines) else ""


def empty_value(node: Any) -> Trap | None:
    """Returns the first key without a value: a comma or # may have cut it off."""
    return next(_empty_values(node, (), set()), None)


def _empty_values(node: Any, steps: tuple[str, ...], seen: set[int]) -> Iterator[Trap]:
    if id(node) in seen:  # by an alias
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for each in node.value:
            yield from _empty_values(each, steps, seen)
    if not isinstance(node, yaml.MappingNode):
        return
    before = None
    for key, value in node.value:
        names = (*steps, str(key.value))
        if _is_empty(value):
            advice = _cut_text(before, key) if node.flow_style else None
            yield Trap(f"{'.'.join(names)!r} has no value", key.start_mark.line + 1, advice)
        yield from _empty_values(value, names, seen)
        before = value


def _is_empty(node: Any) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == NULL and not node.value


def _cut_text(before: Any, key: Any) -> str | None:
    """Returns what to do with a text within braces that a comma has cut in two."""
    if not isinstance(before, yaml.ScalarNode) or not isinstance(key, yaml.ScalarNode):
        return None
    end, start = before.end_mark, key.start_mark
    blanks = start.column - end.column - 1 if start.line == end.line else 1
    text = f"{before.value},{' ' * blanks}{key.value}"
    return f'put the text in quotes, because a comma ends it within braces: "{text}"'
