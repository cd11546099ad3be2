"""What a key says of its feed: a pattern for others like it, a name, parts and partitions."""

from __future__ import annotations

import re
from collections.abc import Mapping

from include.landfall.feed.names import is_name
from include.landfall.sniff.findings import Finding

ENDING = re.compile(r"(\.[A-Za-z]+\d?)+\Z")  # of a key: its digits are those of .bz2
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
PART = re.compile(r"part-\d{5}")  # as Spark numbers the parts of one export
PARTITION = re.compile(r"([^=]+)=(.+)")  # a folder such as month=2026-01
VAGUE = frozenset(
    "batch chunk data dump export file files output part parts result results".split()
)
DATE = re.compile(r"(19|20)\d\d([-_.]?\d\d){0,2}|[0-3]?\d")  # or a part of a date, as a folder


def pattern_of(key: str) -> str:
    """Returns a pattern for keys like this one: dates, digits and ids may be others."""
    *folders, name = key.split("/")
    return "/".join([*map(_folder, folders), _file(name)])


def _folder(name: str) -> str:
    if partition := PARTITION.fullmatch(name):
        return f"{_quoted(partition[1])}=*"
    return "*" if DATE.fullmatch(name) else _quoted(name)


def _file(name: str) -> str:
    name = _quoted(name)
    stem = re.sub(ENDING, "", name)
    digits = re.compile(r"\d+([-_.]?\d+)*")
    pattern = "part-*" if is_part(name) else re.sub(digits, "*", re.sub(UUID, "*", stem))
    return pattern + name[len(stem) :]


def _quoted(name: str) -> str:
    return re.sub(r"[\[\]*?]", "?", name)


def is_part(key: str) -> bool:
    """Returns whether the object is one of Spark's parts."""
    return PART.match(key.rpartition("/")[2]) is not None


def name_of(key: str) -> str:
    """Returns a name for the feed: the file's stem without digits, else the nearest folder's.

    A word such as data stands back behind a folder's name.
    """
    *folders, name = key.split("/")
    stem = "" if is_part(name) else re.sub(UUID, "", name.partition(".")[0])
    parts = [part for part in (stem, *reversed(folders)) if "=" not in part]
    letters = [re.sub(r"\d+", "", part.lower()) for part in parts]
    names = [name for each in letters if (name := re.sub(r"[^a-z]+", "_", each).strip("_"))]
    clear = [name for name in names if name not in VAGUE]
    return [*clear, *names, "new_feed"][0][:40].strip("_")


def partitions_of(key: str, columns: Mapping[str, Finding]) -> dict[str, Finding]:
    """Returns a column for each folder such as month=2026-01 that the file has no column for."""
    folders = [PARTITION.fullmatch(folder) for folder in key.split("/")[:-1]]
    names = dict.fromkeys(each[1] for each in folders if each)
    return {
        name: Finding(
            {"type": "text", "from_key": f"{re.escape(name)}=([^/]+)/"}, "from the folder's name"
        )
        for name in names
        if is_name(name) and name not in columns
    }
