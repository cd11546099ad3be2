"""Sniffs at objects: samples in, the YAML of a feed out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

from include.landfall.arrival import Arrival
from include.landfall.errors import DataError, LandfallError
from include.landfall.feed.dialect import Dialect
from include.landfall.feed.formats import FORMATS, CsvFormat, ExcelFormat, FileFormat, JsonFormat
from include.landfall.feed.model import Feed
from include.landfall.feed.yaml_file import read_feed
from include.landfall.sniff.avro_sample import whole_blocks
from include.landfall.sniff.findings import Finding, Proposal
from include.landfall.sniff.json_sample import as_declared
from include.landfall.sniff.keys import partitions_of, pattern_of
from include.landfall.sniff.other_formats import refuse_other_formats
from include.landfall.sniff.report import feed_yaml
from include.landfall.sniff.sample import Sample, placed
from include.landfall.sniff.verify import Reading, doubts_of, preview, read_as_load
from include.landfall.sniff.widen import widen

# The modules that propose a feed for a format; each is imported when it is needed.
PROPOSERS: dict[type[FileFormat], str] = {
    CsvFormat: "include.landfall.sniff.table",
    JsonFormat: "include.landfall.sniff.json_file",
    ExcelFormat: "include.landfall.sniff.workbook",
}
DESCRIBED = "include.landfall.sniff.described"  # of all files that name their columns
# How the samples of formats are cut that are not cut by lines.
WHOLE_RECORDS: dict[str, Callable[[Sample, Dialect], Sample]] = {
    "json": as_declared,
    "avro": lambda sample, _: whole_blocks(sample),
}
AVRO = b"Obj\x01"


@dataclass(frozen=True)
class Sniffed:
    """The YAML of a feed, and how many doubts are in it."""

    text: str
    doubts: int


def sniff(
    samples: Sequence[tuple[Arrival, Sample]],
    name: str,
    table: str,
    connection: str = "landing",
    *,
    is_snapshot: bool = False,
) -> Sniffed:
    """Proposes a feed for the files of which these are samples; the first one decides.

    `is_snapshot`: whether the first one is a part of a folder that has `_SUCCESS`.

    Raises: DataError when a file is in no format that is sniffed.
    """
    arrival, sample = samples[0]
    proposal = propose(arrival, sample)
    if sample.member:
        proposal.source["member"] = sample.member
    if is_snapshot:
        evidence = "parts of one export: a folder is loaded as one file, once it has _SUCCESS"
        proposal.source["snapshot"] = Finding("dir", evidence)
    proposal.columns |= partitions_of(arrival.key, proposal.columns)
    if sample.packing:
        proposal.notes.append(f"Packed with {sample.packing}, which a load unpacks by itself.")
    about = {
        "name": name, "table": table, "bucket": arrival.bucket, "pattern": pattern_of(arrival.key),
        "origin": arrival.uri, "connection": connection,
    }  # fmt: skip
    reading = _verified(proposal, about, arrival, sample)
    for other, more in samples[1:]:
        _compare(proposal, other, propose(other, more))
    lines = preview(reading) if reading else []
    text = feed_yaml(proposal, about, lines)
    return Sniffed(text, text.count("DOUBT:"))


def propose(arrival: Arrival, sample: Sample) -> Proposal:
    """Returns the format and the columns of a file, with evidence and doubts.

    Raises: DataError when the file is in no format that is sniffed, or has no row.
    """
    with placed(arrival):
        name = format_in(sample)
        module = import_module(PROPOSERS.get(FORMATS[name], DESCRIBED))
        if sample.data.startswith(AVRO):
            sample = whole_blocks(sample)
        proposal: Proposal = module.propose(name, arrival, sample)
        return proposal


def format_in(sample: Sample) -> str:
    """Returns the format of a sample by its content.

    Raises: DataError when it is in none that is sniffed, or empty.
    """
    if sample.format:
        return sample.format
    if sample.data.startswith(AVRO):
        return "avro"
    refuse_other_formats(sample.data)
    text = sample.data.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not text:
        raise DataError("the file has no row", expected="text with rows")
    return "json" if text[:1] in (b"{", b"[") else "csv"


def _verified(
    proposal: Proposal, about: dict[str, str], arrival: Arrival, sample: Sample
) -> Reading | None:
    """Reads the sample by the proposed feed, and adds doubts. Returns nothing when it cannot be."""
    try:
        reading = _reading(proposal, about, arrival, sample)
        if widen(proposal, reading):
            reading = _reading(proposal, about, arrival, sample)
    except LandfallError as error:
        why = error.found if error.found is not None else error.expected
        proposal.doubts.append(f"a load would refuse this sample: {error.what}: {why}")
        return None
    proposal.doubts += doubts_of(reading, sparing=_spared(proposal))
    return reading


def _spared(proposal: Proposal) -> list[str]:
    """Returns the columns whose doubtful cells are a doubt already."""
    undecided = proposal.options.get("dates", Finding("DMY")).value == ""
    return [
        name
        for name, each in proposal.columns.items()
        if (undecided and str(each.value).startswith(("date", "timestamp")))
        or (isinstance(each.value, dict) and "on_bad_cell" in each.value)
    ]


def _reading(
    proposal: Proposal, about: dict[str, str], arrival: Arrival, sample: Sample
) -> Reading:
    """Reads the sample by the proposed feed.

    Raises: LandfallError.
    """
    feed = _feed_of(feed_yaml(proposal, about, []))
    return read_as_load(feed, arrival, whole_rows_of(feed, sample))


def whole_rows_of(feed: Feed, sample: Sample) -> Sample:
    """Returns the sample up to its last whole row, as the feed reads it."""
    if cut := WHOLE_RECORDS.get(feed.format.type):
        return cut(sample, feed.format.dialect())
    if sample.is_whole or sample.file:
        return sample
    encoding = getattr(feed.format, "encoding", "utf-8")
    line_end = (
        b"\n" if encoding == "utf-8" else "\n".encode(encoding.replace("utf-16", "utf-16-le"))
    )
    end = sample.data.rfind(line_end)
    return replace(sample, data=sample.data[: end + len(line_end)]) if end >= 0 else sample


def _feed_of(text: str) -> Feed:
    """Reads the YAML as a load would.

    Raises: FeedError.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "proposed.yaml")
        path.write_text(text, encoding="utf-8")
        return read_feed(path)


def _compare(proposal: Proposal, other: Arrival, seen: Proposal) -> None:
    """Adds a doubt where another file is written in another way."""
    if seen.options_as_values() != proposal.options_as_values():
        way = "is written in another way: it may need a feed of its own"
        proposal.doubts.append(f"{other.key} {way}")
    if list(seen.columns) != list(proposal.columns):
        proposal.doubts.append(f"{other.key} has other columns")
        return
    for name, finding in seen.columns.items():
        mine = proposal.columns[name]
        if finding.value != mine.value:
            mine.doubts.append(f"{finding.value} in {other.key}")
