"""Computes medians, their ratios to psql's, and whether each promise is kept. It does no I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from .measure import Usage

PSQL = "psql"
PSQL_BINARY = "binary"  # psql with rows that are encoded already: the least work for a server
BY_PSQL = {PSQL, PSQL_BINARY}
TIME_LIMITS = {"csv": 0.9, "gzip": 0.95, "zstd": 0.95, "parquet": 0.8}
SERVER_LIMIT = 0.65
MEMORY_LIMIT = 256e6  # bytes, of all the load's processes together
SAME_MEMORY = 1.1  # at most this ratio between two scales counts as the same

Runs = Mapping[str, Sequence[Usage]]  # by way


@dataclass(frozen=True)
class Summary:
    """The medians of a way, in seconds; memory is the peak in bytes.

    `share` is the ratio of its time to psql's, `server_share` that of the server's CPU.
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
    """One line of the verdict: what is promised, the limit and the measured value, in `unit`."""

    what: str
    limit: float
    measured: float
    unit: str = ""

    @property
    def kept(self) -> bool:
        """Whether the measured value is within the limit."""
        return self.measured <= self.limit


def summarise(runs: Runs) -> list[Summary]:
    """Summarises each way. One of them must be psql."""
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
    """Compares the measurements with the promises; `larger` has runs at a larger scale, by way."""
    loads = {each.way: each for each in summaries if each.way not in BY_PSQL}
    times = [
        Promise(f"{way}: time, of psql's", TIME_LIMITS[way], loads[way].share) for way in loads
    ]
    servers = [
        Promise(f"{way}: server's CPU, of psql's", SERVER_LIMIT, loads[way].server_share)
        for way in loads
    ]
    peaks = [*(each.rss for each in loads.values()), *(run.rss for run in larger.values())]
    memory = [Promise("memory at the most", MEMORY_LIMIT / 1e6, max(peaks) / 1e6, "MB")]
    memory += [
        Promise(f"{way}: memory at scale 3, of scale 1's", SAME_MEMORY, run.rss / loads[way].rss)
        for way, run in larger.items()
        if way in loads
    ]
    return times + servers + memory
