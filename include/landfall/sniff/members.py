"""Proposes which members of a zip file are the data, where it has several."""

from __future__ import annotations

import glob
from collections import Counter
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from include.landfall.arrival import Arrival
from include.landfall.job import Unpacking
from include.landfall.read.unpack import open_members
from include.landfall.sniff.findings import Finding
from include.landfall.sniff.sample import SAMPLE_BYTES, Sample, is_workbook, placed, read_sample

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

COMPARED = 4  # members of a zip file that are read
NAMED = 3  # members that a doubt names


def read_samples(
    client: S3Client, arrival: Arrival, size: int = SAMPLE_BYTES
) -> list[tuple[Arrival, Sample]]:
    """Reads the beginning of an object; of a zip file of several members that of the first ones.

    Raises: DataError when the object is empty, or packed in a way that is not read.
    """
    with placed(arrival):
        names = [] if is_workbook(client, arrival) else _names(client, arrival)
        if not names:
            return [(arrival, read_sample(client, arrival, size))]
        pattern = _pattern(names)
        fitting = [name for name in names if name.endswith(pattern[1:])]
        member = Finding(pattern, doubts=_doubts(names, fitting))
        samples = [
            (
                replace(arrival, key=f"{arrival.key}!{name}"),
                read_sample(client, arrival, size // COMPARED, Unpacking(glob.escape(name))),
            )
            for name in fitting[:COMPARED]
        ]
        return [(arrival, replace(samples[0][1], member=member)), *samples[1:]]


def _names(client: S3Client, arrival: Arrival) -> list[str]:
    """Returns the names of the members of a zip file of several; none of any other file."""
    with open_members(client, arrival, Unpacking("*")) as members:
        return [member.name for member in members or []]


def _pattern(names: list[str]) -> str:
    """Returns the pattern of the ending that most members have."""
    ((ending, _),) = Counter(PurePosixPath(name).suffix for name in names).most_common(1)
    return f"*{ending}"


def _doubts(names: list[str], fitting: list[str]) -> list[str]:
    doubts = [f"{len(fitting)} members are loaded together: are all of them rows of this table?"]
    others = [name for name in names if name not in fitting]
    if others:
        more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
        doubts.append(f"left out: {', '.join(others[:NAMED])}{more}")
    return doubts
