"""What Redis keeps of the reports: a record of each, a lease while one is made, the open ids.

Each change is one script. So it takes one round trip, and happens completely or not at all. When
the answer to a script is lost, the script can be sent again: the second run sees what the first one
did, and changes nothing.
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
OPEN = "reports:open"  # the key of the set that has the ids of open reports
RENEW_SECONDS = 1
# How long Redis keeps the record of a report that has ended, and with it its Idempotency-Key.
KEEP_SECONDS = 7 * 24 * 3600
# The errors of a server that cannot be reached now, as opposed to those of a wrong request.
CONNECTION_ERRORS = (
    exceptions.ConnectionError, exceptions.TimeoutError, exceptions.BusyLoadingError,
)  # fmt: skip
# With the pauses between them, a worker waits about a minute for a Redis that restarts.
RETRIES = 35


@dataclass(frozen=True)
class Record:
    """One report and its state. `made` counts how often it was made; `times` has its events."""

    id: str
    request: Request
    object_key: str
    state: State
    rows: int
    made: int
    times: dict[str, str]
    bytes: int | None = None
    error: str | None = None

    @classmethod
    def from_fields(cls, report_id: str, fields: Mapping[str, str]) -> Record:
        """Returns the record that a hash in Redis holds."""
        return cls(
            report_id,
            Request.model_validate_json(fields["request"]),
            fields["object"],
            fields["state"],  # type: ignore[arg-type]
            int(fields["rows"]),
            int(fields["made"]),
            {name: fields[name] for name in ("accepted", "started", "ended") if name in fields},
            int(fields["bytes"]) if "bytes" in fields else None,
            fields.get("error"),
        )


@dataclass(frozen=True)
class Call:
    """A script, its keys and its arguments, in the order that `redis.eval(*call)` takes them.

    The same call works for the blocking and for the asynchronous client.
    """

    script: str
    keys: tuple[str, ...]
    arguments: tuple[Any, ...]

    def __iter__(self) -> Any:
        return iter((self.script, len(self.keys), *self.keys, *self.arguments))


def record_key(report_id: str) -> str:
    """Returns the Redis key of a report's record."""
    return f"reports:record:{report_id}"


def lease_key(report_id: str) -> str:
    """Returns the Redis key of a report's lease."""
    return f"reports:lease:{report_id}"


@dataclass(frozen=True)
class NewReport:
    """A report to accept: its request as JSON, and the message that asks a worker for it."""

    id: str
    request: str
    object_key: str
    message: str


def accept(reports: Sequence[NewReport]) -> Call:
    """Returns the call that keeps reports and queues them for the workers.

    Its answer has a pair for each report: the request that Redis keeps, and the report's state.
    """
    keys = (OPEN, QUEUE, *(record_key(each.id) for each in reports))
    parts = (
        part for each in reports for part in (each.id, each.request, each.object_key, each.message)
    )
    return Call(_script("accept"), keys, (now(), *parts))


def now() -> str:
    """Returns the current time in the format of the records: ISO 8601, UTC, milliseconds."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")


@cache
def _script(name: str) -> str:
    return (Path(__file__).parent / "lua" / f"{name}.lua").read_text(encoding="utf-8")


class Records:
    """The records for a worker. It waits about a minute for a Redis that does not answer."""

    def __init__(self, url: str, lease_seconds: int, retries: int = RETRIES) -> None:
        self._lease_milliseconds = lease_seconds * 1000
        backoff = ExponentialBackoff(cap=2, base=0.1)
        self.redis = Redis.from_url(
            url, decode_responses=True, socket_connect_timeout=2, socket_timeout=5,
            retry=Retry(backoff, retries), retry_on_error=list(CONNECTION_ERRORS),
        )  # fmt: skip

    def accept(self, report: NewReport) -> State:
        """Keeps and queues a report, unless Redis has it already, and returns its state."""
        ((_, state),) = self._run(accept([report]))
        return state

    def find(self, report_id: str) -> Record | None:
        """Returns the report, or None if Redis has none with this id."""
        fields: Any = self.redis.hgetall(record_key(report_id))
        return Record.from_fields(report_id, fields) if fields else None

    def take(self, report_id: str, token: str) -> tuple[str, int]:
        """Takes the lease of a report, if no other worker has it.

        Returns `taken` and the number of the attempt; `held` and the milliseconds that the lease of
        another worker has left; or the state that the report ended in (`unknown` without a record)
        and 0.
        """
        keys = (record_key(report_id), lease_key(report_id))
        arguments = (token, self._lease_milliseconds, now())
        outcome, number = self._run(Call(_script("take"), keys, arguments))
        return outcome, number

    def renew(self, report_id: str, token: str, rows: int) -> bool:
        """Extends the lease and notes the rows so far; False if another worker has the lease."""
        keys = (record_key(report_id), lease_key(report_id))
        call = Call(_script("renew"), keys, (token, self._lease_milliseconds, rows))
        return bool(self._run(call))

    def settle(self, report_id: str, token: str, state: State, **values: Any) -> bool:
        """Ends the report, or returns it to the waiting ones (`accepted`).

        Returns False, and changes nothing, if another worker has the lease.
        """
        keys = (record_key(report_id), lease_key(report_id), OPEN)
        if state != "accepted":
            values["ended"] = now()
        pairs = [part for pair in values.items() for part in pair]
        arguments = (token, report_id, KEEP_SECONDS, state, *pairs)
        return bool(self._run(Call(_script("settle"), keys, arguments)))

    def lost(self) -> list[str]:
        """Returns the ids of open reports whose worker has died, or that have no message.

        A message disappears when a worker is killed after it took the message off the queue, and
        before it noted that. An id too many in the list does no harm, because a report is made only
        once however many messages ask for it.
        """
        with_message = {*self._ids_of_messages()}
        return sorted(each for each in self._open() if self._is_lost(each, with_message))

    def _is_lost(self, report_id: str, with_message: set[str]) -> bool:
        if self.redis.exists(lease_key(report_id)):
            return False
        state = self.redis.hget(record_key(report_id), "state")
        return report_id not in with_message or state == "running"

    def _open(self) -> set[str]:
        ids: Any = self.redis.smembers(OPEN)
        return set(ids)

    def _ids_of_messages(self) -> Iterator[str]:
        """Yields the ids in the queue, and those in Celery's hash of unacknowledged messages."""
        queued: Any = self.redis.lrange(QUEUE, 0, -1)
        taken: Any = self.redis.hvals("unacked")
        for message in (*map(json.loads, queued), *(json.loads(each)[0] for each in taken)):
            yield message["headers"]["id"]

    def _run(self, call: Call) -> Any:
        return self.redis.eval(*call)

    def queue(self, message: str) -> None:
        """Puts a message into the queue again."""
        self.redis.lpush(QUEUE, message)
