"""Writes the result as text: for the terminal, and for the page of the benchmarks."""

from __future__ import annotations

from collections.abc import Sequence

from include.local.state import PROJECT

from .chart import draw
from .machine import Machine
from .verdict import BY_PSQL, PSQL, PSQL_BINARY, Promise, Summary

PAGE = PROJECT / "docs" / "benchmarks.md"
CHART = "pictures/load_speed.png"
BEGIN, END = "<!-- {}:begin -->", "<!-- {}:end -->"
NAMES = {
    PSQL: "psql `\\copy`, local CSV",
    PSQL_BINARY: "psql `\\copy`, local binary file",
    "csv": "CSV",
    "gzip": "CSV, gzip",
    "zstd": "CSV, zstd",
    "parquet": "Parquet",
}
HEADS = [
    "", "seconds (fastest to slowest)", "of psql's time", "CPU s: copying + reading",
    "CPU s: Postgres", "of psql's", "CPU s: MinIO", "memory, MB",
]  # fmt: skip


def write(summaries: Sequence[Summary], verdict: Sequence[Promise], machine: Machine) -> None:
    """Draws the chart, and puts the tables between the page's markers."""
    draw(summaries, PAGE.parent / CHART)
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "# Benchmarks\n"
    PAGE.write_text(between_markers(text, section(summaries, verdict, machine)), encoding="utf-8")


def between_markers(text: str, section: str, name: str = "bench") -> str:
    """Puts the section between the page's markers of that name.

    A page without these markers gets them at its end.
    """
    begin, end = BEGIN.format(name), END.format(name)
    if begin not in text:
        text = f"{text.rstrip()}\n\n## Speed\n\n{begin}\n{end}\n"
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{section.strip()}\n{end}{after}"


def section(summaries: Sequence[Summary], verdict: Sequence[Promise], machine: Machine) -> str:
    """Makes the Markdown between the markers."""
    rows = [
        [NAMES[each.way], *_cells(each), _cpu(each, "minio"), f"{each.rss / 1e6:.0f}"]
        for each in summaries
    ]
    promised = [
        [each.what, _amount(each.limit, each), _amount(each.measured, each), _verdict(each)]
        for each in verdict
    ]
    return "\n\n".join(
        [
            machine.sentence(),
            f"![Seconds of each load beside psql's]({CHART})",
            table_of(HEADS, rows),
            table_of(["promised", "at most", "measured", ""], promised),
        ]
    )


def plain(summaries: Sequence[Summary], verdict: Sequence[Promise]) -> str:
    """Makes the text for the terminal."""
    ways = [
        f"{each.way:8} {each.seconds:6.2f} s ({each.fastest:.2f} to {each.slowest:.2f})"
        f"  {each.share:.2f} of psql's, server's CPU {each.server_share:.2f}"
        f"  {each.rss / 1e6:.0f} MB ({each.pss / 1e6:.0f} with shared pages counted once)"
        for each in summaries
    ]
    limits = [
        f"{_verdict(each):7} {each.what}: {_amount(each.measured, each)}"
        f" (at most {_amount(each.limit, each)})"
        for each in verdict
    ]
    return "\n".join(["", *ways, "", *limits])


def _cells(each: Summary) -> list[str]:
    load = f"{each.cpu['main']:.1f}"
    if each.way not in BY_PSQL:
        load += f" + {each.cpu['reading']:.1f}"
    return [
        f"{each.seconds:.1f} ({each.fastest:.1f} to {each.slowest:.1f})",
        f"{each.share:.2f}", load, _cpu(each, "postgres"), f"{each.server_share:.2f}",
    ]  # fmt: skip


def _cpu(each: Summary, name: str) -> str:
    if each.way in BY_PSQL and name == "minio":
        return ""
    return f"{each.cpu[name]:.1f}" if name in each.cpu else "not measured"


def _amount(value: float, promise: Promise) -> str:
    return f"{value:.0f} {promise.unit}" if promise.unit else f"{value:.2f}"


def _verdict(promise: Promise) -> str:
    return "kept" if promise.kept else "BROKEN"


def table_of(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Makes a table in Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
