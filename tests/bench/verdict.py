"""What the runs say: medians, shares of psql's, and whether each promise is kept. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from .measure import Usage

PSQL = "psql"
FLOOR = "binary"  # psql again, of rows that are encoded already: no client asks less of a server
THEIRS = {PSQL, FLOOR}
TIME_LIMITS = {"csv": 0.9, "gzip": 0.95, "zstd": 0.95, "parquet": 0.8}
SERVER_LIMIT = 0.65
MEMORY_LIMIT = 256e6  # bytes, of all the load's processes together
SAME = 1.1  # what may be called the same memory at another scale


@dataclass(frozen=True)
class Pair:
    """A run of a way, and the run of psql right before or after it."""

    run: Usage
    psql: Usage


Pairs = Mapping[str, Sequence[Pair]]  # by way; none for psql itself


@dataclass(frozen=True)
class Summary:
    """A way's medians; `share` and `server_share` are of psql's. Seconds; bytes at the peak.

    A share is the median of what each pair says: a machine that is slow for a minute is slow for
    both of them.
    """

    way: str
    seconds: float
    fastest: float
    slowest: float
    share: float
    cpu: Mapping[str, float]
    server_share: float
    rss: int
    pss: int


@dataclass(frozen=True)
class Promise:
    """One line of the verdict: what is promised, the limit, what was found (in `unit`)."""

    what: str
    limit: float
    found: float
    unit: str = ""

    @property
    def kept(self) -> bool:
        """Whether what was found is within the limit."""
        return self.found <= self.limit


def summarise(pairs: Pairs) -> list[Summary]:
    """A summary for psql and one for each way."""
    psql = [Pair(pair.psql, pair.psql) for each in pairs.values() for pair in each]
    return [_summary(way, each) for way, each in {PSQL: psql, **pairs}.items()]


def _summary(way: str, pairs: Sequence[Pair]) -> Summary:
    runs = [pair.run for pair in pairs]
    seconds = [run.seconds for run in runs]
    return Summary(
        way,
        median(seconds),
        min(seconds),
        max(seconds),
        median(pair.run.seconds / pair.psql.seconds for pair in pairs),
        {name: median(run.cpu[name] for run in runs) for name in runs[0].cpu},
        median(pair.run.cpu["postgres"] / pair.psql.cpu["postgres"] for pair in pairs),
        max(run.rss for run in runs),
        max(run.pss for run in runs),
    )


def promises(summaries: Sequence[Summary], larger: Mapping[str, Usage]) -> list[Promise]:
    """The promises on speed and memory; `larger` are runs at a larger scale, by way."""
    ours = {each.way: each for each in summaries if each.way not in THEIRS}
    times = [Promise(f"{way}: time, of psql's", TIME_LIMITS[way], ours[way].share) for way in ours]
    servers = [
        Promise(f"{way}: server's CPU, of psql's", SERVER_LIMIT, ours[way].server_share)
        for way in ours
    ]
    peaks = [*(each.rss for each in ours.values()), *(run.rss for run in larger.values())]
    memory = [Promise("memory at the most", MEMORY_LIMIT / 1e6, max(peaks) / 1e6, "MB")]
    memory += [
        Promise(f"{way}: memory at scale 3, of scale 1's", SAME, run.rss / ours[way].rss)
        for way, run in larger.items()
        if way in ours
    ]
    return times + servers + memory
