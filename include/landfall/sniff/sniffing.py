"""Sniffs at objects: samples in, the YAML of a feed out."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from include.landfall.arrival import Arrival
from include.landfall.errors import DataError, LandfallError
from include.landfall.feed.model import Feed
from include.landfall.feed.yaml_file import read_feed
from include.landfall.sniff.findings import Finding, Proposal
from include.landfall.sniff.report import feed_yaml
from include.landfall.sniff.sample import Sample
from include.landfall.sniff.table import propose_csv
from include.landfall.sniff.verify import Reading, doubts_of, preview, read_as_load

NOT_SNIFFED = {
    b"PAR1": "Parquet: write format: parquet", b"Obj\x01": "Avro", b"ORC": "ORC",
    b"ARROW1": "Arrow", b"\xd0\xcf\x11\xe0": "an old Excel file",
}  # fmt: skip


@dataclass(frozen=True)
class Sniffed:
    """The YAML of a feed, and how many doubts are in it."""

    text: str
    doubts: int


def sniff(
    samples: Sequence[tuple[Arrival, Sample]], name: str, table: str, connection: str = "landing"
) -> Sniffed:
    """Proposes a feed for the files of which these are samples; the first one decides.

    Raises: DataError when a file is in no format that is sniffed.
    """
    arrival, sample = samples[0]
    check_format(sample)
    proposal = propose_csv(sample)
    if sample.packing:
        proposal.doubts.append(f"packed with {sample.packing}, which a load unpacks by itself")
    about = {
        "name": name, "table": table, "bucket": arrival.bucket, "pattern": pattern_of(arrival.key),
        "origin": arrival.uri, "connection": connection,
    }  # fmt: skip
    reading = _verified(proposal, about, arrival, sample)
    for other, more in samples[1:]:
        _compare(proposal, other, propose_csv(more))
    lines = preview(reading) if reading else []
    text = feed_yaml(proposal, about, lines)
    return Sniffed(text, text.count("DOUBT:"))


def check_format(sample: Sample) -> None:
    """Checks that the sample may be CSV.

    Raises: DataError when it is in another format, or empty.
    """
    for magic, what in NOT_SNIFFED.items():
        if sample.data.startswith(magic):
            raise DataError(f"the file is {what}", expected="text", do="see docs/formats.md")
    text = sample.data.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text[:1] in (b"{", b"["):
        raise DataError("the file is JSON", expected="CSV", do="write format: json in the feed")
    if not text:
        raise DataError("the file has no row", expected="text with rows")


def _verified(
    proposal: Proposal, about: dict[str, str], arrival: Arrival, sample: Sample
) -> Reading | None:
    """Reads the sample by the proposed feed, and adds doubts. Returns nothing when it cannot be."""
    try:
        feed = _feed_of(feed_yaml(proposal, about, []))
        reading = read_as_load(feed, arrival, whole_rows(feed, sample))
    except LandfallError as error:
        proposal.doubts.append(f"a load would refuse this sample: {error.what}: {error.found}")
        return None
    undecided = proposal.options.get("dates", Finding("DMY")).value == ""
    spared = [
        name
        for name, each in proposal.columns.items()
        if undecided and str(each.value).startswith(("date", "timestamp"))
    ]
    proposal.doubts += doubts_of(reading, sparing=spared)
    return reading


def whole_rows(feed: Feed, sample: Sample) -> bytes:
    """Returns the sample up to its last whole row: the last line may be cut off."""
    if sample.is_whole:
        return sample.data
    encoding = getattr(feed.format, "encoding", "utf-8")
    line_end = (
        b"\n" if encoding == "utf-8" else "\n".encode(encoding.replace("utf-16", "utf-16-le"))
    )
    end = sample.data.rfind(line_end)
    return sample.data[: end + len(line_end)] if end >= 0 else sample.data


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
        proposal.doubts.append(f"{other.key} is written in another way: sniff at it alone")
    if list(seen.columns) != list(proposal.columns):
        proposal.doubts.append(f"{other.key} has other columns")
        return
    for name, finding in seen.columns.items():
        mine = proposal.columns[name]
        if finding.value != mine.value:
            mine.doubts.append(f"{finding.value} in {other.key}")


def pattern_of(key: str) -> str:
    """Returns a pattern for keys like this one: digits may be others."""
    folder, slash, name = key.rpartition("/")
    return folder + slash + re.sub(r"\d+([-_.]?\d+)*", "*", re.sub(r"[\[\]*?]", "?", name))


def name_of(key: str) -> str:
    """Returns a name for the feed, from the key of an object."""
    stem = key.rpartition("/")[2].partition(".")[0]
    words = re.sub(r"[^a-z0-9]+", "_", re.sub(r"\d+", "", stem.lower())).strip("_")
    return words[:40].strip("_") if words and words[0].isalpha() else "new_feed"
