"""What the runs say: medians, shares of psql's, and whether each promise is kept. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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

Runs = Mapping[str, Sequence[Usage]]  # by way


@dataclass(frozen=True)
class Summary:
    """A way's medians; `share` and `server_share` are of psql's. Seconds; bytes at the peak."""

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


def summarise(runs: Runs) -> list[Summary]:
    """A summary for each way. psql must be among them."""
    psql_seconds = _median(runs[PSQL], _seconds)
    psql_server = _median(runs[PSQL], _server)
    return [_summary(way, each, psql_seconds, psql_server) for way, each in runs.items()]


def _summary(way: str, runs: Sequence[Usage], psql_seconds: float, psql_server: float) -> Summary:
    seconds = [run.seconds for run in runs]
    names = runs[0].cpu
    return Summary(
        way,
        median(seconds),
        min(seconds),
        max(seconds),
        median(seconds) / psql_seconds,
        {name: median(run.cpu[name] for run in runs) for name in names},
        _median(runs, _server) / psql_server,
        max(run.rss for run in runs),
        max(run.pss for run in runs),
    )


def _seconds(run: Usage) -> float:
    return run.seconds


def _server(run: Usage) -> float:
    return run.cpu["postgres"]


def _median(runs: Sequence[Usage], value: Callable[[Usage], float]) -> float:
    return median(map(value, runs))


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
