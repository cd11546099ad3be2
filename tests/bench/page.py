"""The result as text: for the terminal, and for the page of the benchmarks."""

from __future__ import annotations

from collections.abc import Sequence

from include.local.state import PROJECT

from .chart import draw
from .machine import Facts
from .verdict import FLOOR, PSQL, THEIRS, Promise, Summary

PAGE = PROJECT / "docs" / "benchmarks.md"
CHART = "pictures/load_speed.png"
BEGIN, END = "<!-- {}:begin -->", "<!-- {}:end -->"
NAMES = {
    PSQL: "psql `\\copy`, local CSV",
    FLOOR: "psql `\\copy`, local binary file",
    "csv": "CSV",
    "gzip": "CSV, gzip",
    "zstd": "CSV, zstd",
    "parquet": "Parquet",
}
HEADS = [
    "", "seconds (fastest to slowest)", "of psql's time", "CPU s: copying + reading",
    "CPU s: Postgres", "of psql's", "CPU s: MinIO", "memory, MB",
]  # fmt: skip


def write(summaries: Sequence[Summary], verdict: Sequence[Promise], facts: Facts) -> None:
    """Draws the chart, and puts the tables between the page's markers."""
    draw(summaries, PAGE.parent / CHART)
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "# Benchmarks\n"
    PAGE.write_text(between_markers(text, section(summaries, verdict, facts)), encoding="utf-8")


def between_markers(text: str, section: str, name: str = "bench") -> str:
    """The page with the section between the markers of that name.

    A page without them gets them at its end.
    """
    begin, end = BEGIN.format(name), END.format(name)
    if begin not in text:
        text = f"{text.rstrip()}\n\n## Speed\n\n{begin}\n{end}\n"
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{section.strip()}\n{end}{after}"


def section(summaries: Sequence[Summary], verdict: Sequence[Promise], facts: Facts) -> str:
    """What stands between the markers, as Markdown."""
    rows = [
        [NAMES[each.way], *_figures(each), _cpu(each, "minio"), f"{each.rss / 1e6:.0f}"]
        for each in summaries
    ]
    promised = [
        [each.what, _amount(each.limit, each), _amount(each.found, each), _word(each)]
        for each in verdict
    ]
    return "\n\n".join(
        [
            facts.sentence(),
            f"![Seconds of each load beside psql's]({CHART})",
            _table(HEADS, rows),
            _table(["promised", "at most", "found", ""], promised),
        ]
    )


def plain(summaries: Sequence[Summary], verdict: Sequence[Promise]) -> str:
    """The same for a terminal."""
    figures = [
        f"{each.way:8} {each.seconds:6.2f} s ({each.fastest:.2f} to {each.slowest:.2f})"
        f"  {each.share:.2f} of psql's, server's CPU {each.server_share:.2f}"
        f"  {each.rss / 1e6:.0f} MB ({each.pss / 1e6:.0f} with shared pages once)"
        for each in summaries
    ]
    found = [
        f"{_word(each):7} {each.what}: {_amount(each.found, each)}"
        f" (at most {_amount(each.limit, each)})"
        for each in verdict
    ]
    return "\n".join(["", *figures, "", *found])


def _figures(each: Summary) -> list[str]:
    load = f"{each.cpu['main']:.1f}"
    if each.way not in THEIRS:
        load += f" + {each.cpu['reading']:.1f}"
    return [
        f"{each.seconds:.1f} ({each.fastest:.1f} to {each.slowest:.1f})",
        f"{each.share:.2f}", load, _cpu(each, "postgres"), f"{each.server_share:.2f}",
    ]  # fmt: skip


def _cpu(each: Summary, name: str) -> str:
    if each.way in THEIRS and name == "minio":
        return ""
    return f"{each.cpu[name]:.1f}" if name in each.cpu else "not seen"


def _amount(value: float, promise: Promise) -> str:
    return f"{value:.0f} {promise.unit}" if promise.unit else f"{value:.2f}"


def _word(promise: Promise) -> str:
    return "kept" if promise.kept else "BROKEN"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
