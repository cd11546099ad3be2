"""What Redis keeps of the reports: a record each, a lease while one is made, which are open.

Each change is one script, and so one round trip that happens as a whole or not at all. A script can
be sent again when its answer was lost: the second time it finds what the first has done.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from redis import Redis, exceptions
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from .catalogue import Request

State = Literal["accepted", "running", "done", "failed"]
QUEUE = "reports"
OPEN = "reports:open"
RENEW_SECONDS = 1
# How long an ended report can be asked for, and its Idempotency-Key is known.
KEEP_SECONDS = 7 * 24 * 3600
# What comes and goes with the server, as opposed to what is wrong with the request.
AWAY = (exceptions.ConnectionError, exceptions.TimeoutError, exceptions.BusyLoadingError)
# A worker waits about a minute for a Redis that restarts.
PATIENCE = 35


@dataclass(frozen=True)
class Record:
    """One report as it stands."""

    id: str
    request: Request
    object: str
    state: State
    rows: int
    made: int
    times: dict[str, str]
    bytes: int | None = None
    error: str | None = None

    @classmethod
    def of(cls, report_id: str, found: Mapping[str, str]) -> Record:
        """From the hash that Redis keeps."""
        return cls(
            report_id,
            Request.model_validate_json(found["request"]),
            found["object"],
            found["state"],  # type: ignore[arg-type]
            int(found["rows"]),
            int(found["made"]),
            {name: found[name] for name in ("accepted", "started", "ended") if name in found},
            int(found["bytes"]) if "bytes" in found else None,
            found.get("error"),
        )


@dataclass(frozen=True)
class Call:
    """A script, its keys and its arguments, for a client of either kind: `redis.eval(*call)`."""

    script: str
    keys: tuple[str, ...]
    arguments: tuple[Any, ...]

    def __iter__(self) -> Any:
        return iter((self.script, len(self.keys), *self.keys, *self.arguments))


def record(report_id: str) -> str:
    """The key of a report's record."""
    return f"reports:record:{report_id}"


def lease(report_id: str) -> str:
    """The key of a report's lease."""
    return f"reports:lease:{report_id}"


@dataclass(frozen=True)
class New:
    """A report to be accepted: its request as JSON, and the message that asks a worker for it."""

    id: str
    request: str
    object: str
    message: str


def accept(reports: Sequence[New]) -> Call:
    """Keeps reports and hands them to the workers; answers the request that is kept, and state."""
    keys = (OPEN, QUEUE, *(record(new.id) for new in reports))
    parts = (part for n in reports for part in (n.id, n.request, n.object, n.message))
    return Call(_script("accept"), keys, (now(), *parts))


def now() -> str:
    """The time, as records have it."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")


@cache
def _script(name: str) -> str:
    return (Path(__file__).parent / "lua" / f"{name}.lua").read_text(encoding="utf-8")


class Records:
    """The records as a worker sees them. It waits for a Redis that is away, for about a minute."""

    def __init__(self, url: str, lease_seconds: int, patience: int = PATIENCE) -> None:
        self._lease = lease_seconds * 1000
        backoff = ExponentialBackoff(cap=2, base=0.1)
        self.redis = Redis.from_url(
            url, decode_responses=True, socket_connect_timeout=2, socket_timeout=5,
            retry=Retry(backoff, patience), retry_on_error=list(AWAY),
        )  # fmt: skip

    def accept(self, new: New) -> State:
        """Keeps a report and hands it on, unless it is kept already; its state."""
        ((_, state),) = self._run(accept([new]))
        return state

    def find(self, report_id: str) -> Record | None:
        """The report, or None."""
        found: Any = self.redis.hgetall(record(report_id))
        return Record.of(report_id, found) if found else None

    def take(self, report_id: str, token: str) -> tuple[str, int]:
        """`taken` and the attempt, `held` and for how many milliseconds, or how it has ended."""
        keys = (record(report_id), lease(report_id))
        word, number = self._run(Call(_script("take"), keys, (token, self._lease, now())))
        return word, number

    def renew(self, report_id: str, token: str, rows: int) -> bool:
        """Whether the lease is still ours; it holds for longer then."""
        keys = (record(report_id), lease(report_id))
        call = Call(_script("renew"), keys, (token, self._lease, rows))
        return bool(self._run(call))

    def settle(self, report_id: str, token: str, state: State, **values: Any) -> bool:
        """Ends the report, or gives it back (`accepted`); False when the lease is another's."""
        keys = (record(report_id), lease(report_id), OPEN)
        if state != "accepted":
            values["ended"] = now()
        pairs = [part for pair in values.items() for part in pair]
        arguments = (token, report_id, KEEP_SECONDS, state, *pairs)
        return bool(self._run(Call(_script("settle"), keys, arguments)))

    def lost(self) -> list[str]:
        """Open reports whose worker has died, and those that no message asks for.

        A worker that is killed between taking a message off the queue and noting that it has it
        takes the message along. One too many is no harm: a report is made once all the same.
        """
        known = {*self._asked_for()}
        return sorted(each for each in self._open() if self._is_lost(each, known))

    def _is_lost(self, report_id: str, known: set[str]) -> bool:
        if self.redis.exists(lease(report_id)):
            return False
        return report_id not in known or self.redis.hget(record(report_id), "state") == "running"

    def _open(self) -> set[str]:
        found: Any = self.redis.smembers(OPEN)
        return set(found)

    def _asked_for(self) -> Iterator[str]:
        """The ids in the queue, and in Celery's own hash of what workers have taken from it."""
        queue: Any = self.redis.lrange(QUEUE, 0, -1)
        taken: Any = self.redis.hvals("unacked")
        for message in (*map(json.loads, queue), *(json.loads(each)[0] for each in taken)):
            yield message["headers"]["id"]

    def _run(self, call: Call) -> Any:
        return self.redis.eval(*call)

    def hand_on(self, message: str) -> None:
        """Puts a message into the queue again."""
        self.redis.lpush(QUEUE, message)
