"""When to hand arrivals on, when to wait, and when to give up: pure, without a clock.

The sensor on a worker and its trigger on a triggerer both call `decide`, so they cannot differ.
Times are seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from include.landfall.arrival import Arrival

# Airflow maps a task over at most [core] max_map_length, 1024, values, and fails beyond. The next
# run finds the rest, because it is still new.
MOST_ARRIVALS = 1000
SHORTEST_WAIT = 0.1


@dataclass(frozen=True)
class Sighting:
    """How an object looked in a listing, and since when it has looked so."""

    version: str
    size: int
    since: float


@dataclass(frozen=True)
class Watch:
    """How long to wait for a feed's arrivals, and what the listings have shown so far.

    `timeout` is how long to wait for anything new, from `started` on, deferrals included. An object
    is complete when it has not changed for `settle` seconds: by the store's last-modified time (its
    clock and this machine's may differ, but by less than that), or between two listings.
    `retries_failed`: whether failed arrivals are handed on before their time has come.
    """

    started: float
    timeout: float = 0
    poke_interval: float = 60
    settle: float = 0
    most: int = MOST_ARRIVALS
    retries_failed: bool = False
    next_look: float = 0
    sightings: Mapping[str, Sighting] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Returns the watch in values that Airflow's database can hold for a trigger."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Makes a watch from the values of `as_dict`."""
        sightings = {key: Sighting(**sighting) for key, sighting in values["sightings"].items()}
        return cls(**{**values, "sightings": sightings})

    @property
    def ends(self) -> float:
        """When waiting for anything new ends."""
        return self.started + self.timeout

    @property
    def ends_for_growing(self) -> float:
        """When waiting for an object that still grows ends: it gets enough time to settle."""
        return max(self.ends, self.started + 2 * self.settle + self.poke_interval)


@dataclass(frozen=True)
class Ready:
    """New and complete arrivals in the ledger's order; `left` more are left to the next run.

    `incomplete` are the keys of snapshots that lack a part or their marker, `early` those of failed
    arrivals whose time for another try has not come.
    """

    arrivals: list[Arrival]
    left: int
    growing: list[Arrival]
    incomplete: tuple[str, ...] = ()
    early: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wait:
    """The decision to look again at `watch.next_look`; `growing` is new and not complete yet."""

    watch: Watch
    growing: list[Arrival] = field(default_factory=list)


@dataclass(frozen=True)
class Nothing:
    """The decision that the time is up. What is in `growing` is still new to the next run.

    So are the snapshots in `incomplete`, once they are complete, and the failed ones in `early`,
    once their time has come.
    """

    growing: list[Arrival]
    incomplete: tuple[str, ...] = ()
    early: tuple[str, ...] = ()


def decide(new: Iterable[Arrival], watch: Watch, now: float) -> Ready | Wait | Nothing:
    """Decides what to do with the arrivals that the ledger does not have, as listed at `now`.

    Complete ones are handed on at once, without waiting for others that grow. They keep their order
    (`new_arrivals`: failed ones last), so that of too many the first are handed on.
    """
    arrivals = list(new)
    sightings = {a.key: _sighting(a, watch.sightings.get(a.key), now) for a in arrivals}
    unsettled = {a.key: _unsettled_for(a, sightings[a.key], watch, now) for a in arrivals}
    growing = [a for a in arrivals if unsettled[a.key] > 0]
    complete = [a for a in arrivals if unsettled[a.key] <= 0]
    if complete:
        return Ready(complete[: watch.most], max(0, len(complete) - watch.most), growing)
    ends = watch.ends_for_growing if growing else watch.ends
    if now >= ends:
        return Nothing(growing)
    pause = min([watch.poke_interval, ends - now, *unsettled.values()])
    next_look = now + max(pause, SHORTEST_WAIT)
    # Airflow's database keeps the watch, so it must not grow with the files: where the store's
    # clock is not ahead, last-modified says at least as much as a sighting.
    ahead = {a.key: sightings[a.key] for a in arrivals if a.last_modified.timestamp() > now}
    return Wait(replace(watch, sightings=ahead, next_look=next_look), growing)


def wait_on(watch: Watch, now: float) -> Wait | None:
    """Returns the decision after a look that a passing fault has ended: to look again, in time.

    None: the time is up, or waiting for anything new has not begun.
    """
    next_look = now + max(watch.poke_interval, SHORTEST_WAIT)
    if watch.next_look == 0 or next_look > watch.ends:
        return None
    return Wait(replace(watch, next_look=next_look))


def _sighting(arrival: Arrival, before: Sighting | None, now: float) -> Sighting:
    if before and (before.version, before.size) == (arrival.version, arrival.size):
        return before
    return Sighting(arrival.version, arrival.size, now)


def _unsettled_for(arrival: Arrival, sighting: Sighting, watch: Watch, now: float) -> float:
    """Seconds until the unchanged arrival is complete; 0 or less when it is."""
    unchanged = max(now - arrival.last_modified.timestamp(), now - sighting.since)
    return watch.settle - unchanged
