"""When to hand on arrivals, when to wait on, when to give up: pure, without a clock of its own.

The sensor on a worker and its trigger on a triggerer both ask `decide`, so they cannot differ.
Times are seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from include.landfall.arrival import Arrival

# Airflow maps a task over at most [core] max_map_length, 1024, values: it fails beyond. What is
# left over is still new to the next run.
MOST_ARRIVALS = 1000
SHORTEST_WAIT = 0.1


@dataclass(frozen=True)
class Sighting:
    """How an object looked, and since when it has looked so."""

    version: str
    size: int
    since: float


@dataclass(frozen=True)
class Watch:
    """How long to wait for a feed's arrivals, and what has been seen so far.

    `timeout` is how long to wait for anything new at all, from `started`, deferrals included.
    An object counts as whole when it has not changed for `settle` seconds: by the store's own
    last-modified time (its clock and ours may differ by less than that), or between two listings.
    """

    started: float
    timeout: float = 0
    poke_interval: float = 60
    settle: float = 0
    most: int = MOST_ARRIVALS
    next_look: float = 0
    sightings: Mapping[str, Sighting] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The watch in values that a trigger's row in Airflow's database can hold."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `as_dict`."""
        seen = {key: Sighting(**sighting) for key, sighting in values["sightings"].items()}
        return cls(**{**values, "sightings": seen})

    @property
    def ends(self) -> float:
        """When waiting for anything new ends."""
        return self.started + self.timeout

    @property
    def ends_for_growing(self) -> float:
        """When waiting for an object that still grows ends: it gets a fair chance to settle."""
        return max(self.ends, self.started + 2 * self.settle + self.poke_interval)


@dataclass(frozen=True)
class Ready:
    """These arrivals are new and whole, oldest first; `left` more wait for the next run."""

    arrivals: list[Arrival]
    left: int
    growing: list[Arrival]


@dataclass(frozen=True)
class Wait:
    """Look again at `watch.next_look`."""

    watch: Watch


@dataclass(frozen=True)
class Nothing:
    """The time is up. What is in `growing` is still new to the next run."""

    growing: list[Arrival]


def decide(new: Iterable[Arrival], watch: Watch, now: float) -> Ready | Wait | Nothing:
    """What to do about the arrivals that the ledger does not have, seen at `now`.

    Whole ones are handed on at once, without waiting for others that grow.
    """
    arrivals = sorted(new, key=lambda a: (a.last_modified, a.key))
    seen = {a.key: _sighting(a, watch.sightings.get(a.key), now) for a in arrivals}
    growing = [a for a in arrivals if _unsettled_for(a, seen[a.key], watch, now) > 0]
    whole = [a for a in arrivals if _unsettled_for(a, seen[a.key], watch, now) <= 0]
    if whole:
        return Ready(whole[: watch.most], max(0, len(whole) - watch.most), growing)
    ends = watch.ends_for_growing if growing else watch.ends
    if now >= ends:
        return Nothing(growing)
    settling = [_unsettled_for(a, seen[a.key], watch, now) for a in growing]
    pause = min([watch.poke_interval, ends - now, *settling])
    next_look = now + max(pause, SHORTEST_WAIT)
    return Wait(replace(watch, sightings=seen, next_look=next_look))


def _sighting(arrival: Arrival, before: Sighting | None, now: float) -> Sighting:
    if before and (before.version, before.size) == (arrival.version, arrival.size):
        return before
    return Sighting(arrival.version, arrival.size, now)


def _unsettled_for(arrival: Arrival, seen: Sighting, watch: Watch, now: float) -> float:
    """Seconds until the arrival, unchanged, counts as whole; 0 or less: it does."""
    unchanged = max(now - arrival.last_modified.timestamp(), now - seen.since)
    return watch.settle - unchanged
