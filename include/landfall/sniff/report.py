"""Writes a proposal as the YAML of a feed, with the evidence and the doubts as comments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import yaml

from include.landfall.errors import escaped
from include.landfall.sniff.findings import Finding, Proposal

SCHEMA = "# yaml-language-server: $schema=feed.schema.json"
WIDTH = 100
MOST_ALIKE = 3  # columns with the same doubt, each with a line of its own
NAMED = 3


def feed_yaml(proposal: Proposal, about: dict[str, str], preview: Sequence[str]) -> str:
    """Returns the whole file. `about` has name, connection, bucket, pattern, table and origin."""
    columns, folded = _folded(proposal.columns)
    lines = [
        SCHEMA,
        f"# Proposed by landfall sniff from {about['origin']}.",
        "# Each choice has its evidence behind it. Look at each line with DOUBT, then at the rows.",
        *(f"# {note}" for note in proposal.notes),
        *(f"# DOUBT: {doubt}" for doubt in [*proposal.doubts, *folded]),
        f"feed: {about['name']}",
        "source:",
        f"  connection: {scalar(about['connection'])}",
        f"  bucket: {scalar(about['bucket'])}",
        f"  pattern: {scalar(about['pattern'])}  # the keys that are this feed's",
        *(line for name, each in proposal.source.items() for line in _entry(name, each)),
        *_format(proposal),
        "target:",
        f"  table: {scalar(about['table'])}",
        "  disposition: append  # or replace: each file is the whole table; or merge, by a key",
        "columns:",
        *(line for name, each in columns.items() for line in _entry(name, each)),
        *(f"# {line}" for line in preview),
    ]
    return "\n".join(map(escaped, lines)) + "\n"


def _folded(columns: Mapping[str, Finding]) -> tuple[dict[str, Finding], list[str]]:
    """Returns the columns without the doubts that many of them have, and each of these once."""
    names: dict[str, list[str]] = {}
    for name, each in columns.items():
        for doubt in each.doubts:
            names.setdefault(doubt, []).append(name)
    folded = {doubt: of for doubt, of in names.items() if len(of) > MOST_ALIKE}
    lines = [
        f"{len(of)} columns ({', '.join(of[:NAMED])}, \u2026): {doubt}"
        for doubt, of in folded.items()
    ]
    kept = {
        name: replace(each, doubts=[doubt for doubt in each.doubts if doubt not in folded])
        for name, each in columns.items()
    }
    return kept, lines


def _format(proposal: Proposal) -> Iterator[str]:
    yield "format:"
    yield f"  type: {proposal.format_name}"
    for name, each in proposal.options.items():
        if each.value == "":  # nothing to choose from what was read
            yield from (f"  # DOUBT: {doubt}" for doubt in each.doubts)
            yield f"  # {name}:"
        else:
            yield from _entry(name, each)


def _entry(name: str, finding: Finding) -> Iterator[str]:
    yield from (f"  # DOUBT: {doubt}" for doubt in finding.doubts)
    evidence = f"  # {finding.evidence}" if finding.evidence else ""
    yield f"  {scalar(name)}: {scalar(finding.value)}{evidence}"


def scalar(value: Any) -> str:
    """Returns a value as YAML writes it on one line."""
    if isinstance(value, str) and not value.isprintable():
        return '"' + value.encode("unicode_escape").decode().replace('"', '\\"') + '"'
    text = yaml.safe_dump(
        value, default_flow_style=True, allow_unicode=True, width=10_000, sort_keys=False
    )
    return re.sub(r"\n\.\.\.\n$", "", text).strip()
