"""Compares what `landfall sniff` proposes for files of known dialects with how they are written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

import yaml

from include.landfall.arrival import Arrival
from include.landfall.sniff.sample import Sample
from include.landfall.sniff.sniffing import sniff
from tests.support.sniff_files import BREAK, ORDERS, WrittenFile, random_file

SAME = {"utf-8-sig": "utf-8"}  # a byte order mark is skipped
LIKE = {"code": "text", "quoted text": "text", BREAK: "text"}
DOUBT = re.compile(r"DOUBT: (.*)")


@dataclass
class Verdict:
    """What is wrong in the proposals for many files, and what of it has no doubt beside it."""

    files: int = 0
    types: int = 0
    wrong_dialects: list[str] = field(default_factory=list)
    wrong_types: list[str] = field(default_factory=list)
    undoubted: list[str] = field(default_factory=list)


def verdict_of(seed: int, count: int) -> Verdict:
    """Sniffs at so many random files."""
    verdict = Verdict()
    for number in range(count):
        _judge(random_file(Random(f"{seed}/{number}")), f"{seed}/{number}", verdict)
    return verdict


def _judge(written: WrittenFile, name: str, verdict: Verdict) -> None:
    arrival = Arrival("b", "x.csv", "e", len(written.data), datetime(2026, 1, 1, tzinfo=UTC))
    text = sniff([(arrival, Sample("x.csv", written.data, True))], "x", "raw.x").text
    proposed = yaml.safe_load(text)
    wrong = differences(written, proposed["format"])
    wrong_types = [
        f"{own} as {each}"
        for own, each in zip(written.types, proposed["columns"].values(), strict=False)
        if not is_like(own, str(each))
    ]
    wrong_types += ["no column"] * (len(written.types) - len(proposed["columns"]))
    verdict.files += 1
    verdict.types += len(written.types)
    doubts = DOUBT.findall(text)
    if wrong:
        verdict.wrong_dialects.append(f"{name}: {wrong}")
    verdict.wrong_types += [f"{name}: {each}" for each in wrong_types]
    if (wrong or wrong_types) and not doubts:
        verdict.undoubted.append(f"{name}: {wrong} {wrong_types}")


def differences(written: WrittenFile, proposed: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Returns the options that are proposed in another way, as far as the file shows them."""
    wanted, quote = written.options, written.options["quote"]
    text = written.data.decode(wanted["encoding"])
    pairs = {
        "delimiter": (proposed["delimiter"], wanted["delimiter"]),
        "header": (bool(proposed.get("header", True)), wanted["header"]),
        "skip_rows": (proposed.get("skip_rows", 0), wanted["skip_rows"]),
        "skip_footer": (proposed.get("skip_footer", 0), wanted["skip_footer"]),
    }
    if quote in text:
        pairs["quote"] = (proposed.get("quote", '"'), quote)
    if "\\" + quote in text:
        pairs["escape"] = (proposed.get("escape", "doubled"), wanted["escape"])
    if not text.isascii():
        encoding = wanted["encoding"]
        pairs["encoding"] = (proposed.get("encoding", "utf-8"), SAME.get(encoding, encoding))
    if "numeric" in written.types:
        pairs["decimal"] = (proposed.get("decimal", "."), wanted["decimal"])
    if {"date", "timestamp"} & {*written.types} and wanted["dates"] in ORDERS:
        pairs["dates"] = (proposed.get("dates"), ORDERS[wanted["dates"]])
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def is_like(own_type: str, proposed: str) -> bool:
    """Returns whether a type of the feed holds what the column was written with."""
    like = LIKE.get(own_type, own_type)
    return proposed.startswith(like) or (like == "integer" and proposed == "bigint")
