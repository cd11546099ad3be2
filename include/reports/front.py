"""The API's way to Redis: what concurrent requests ask for goes there in one round trip.

Redis writes each change to its disk before it answers, so a hundred requests one by one would wait
for a hundred writes. Those that come while one batch is under way are the next batch.
"""

from __future__ import annotations

import asyncio
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from .records import AWAY, Record, accept, record

# More would hold up the first of them.
MOST_AT_ONCE = 64


class RedisAway(Exception):
    """Redis did not answer, so nothing can be promised."""


class Front:
    """Accepts and finds reports. Raises RedisAway."""

    def __init__(self, url: str) -> None:
        # Tried twice, at once: a kept connection of before a restart is broken. Each script may be
        # sent twice.
        self._redis: Redis = Redis.from_url(
            url, decode_responses=True, socket_connect_timeout=2, socket_timeout=5,
            retry=Retry(NoBackoff(), 1), retry_on_error=list(AWAY),
        )  # fmt: skip
        self._waiting: list[tuple[tuple[Any, ...], asyncio.Future[Any]]] = []
        self._sending: asyncio.Task[None] | None = None

    async def accept(
        self, report_id: str, request: str, place: str, message: str
    ) -> tuple[str, str]:
        """Keeps a request and hands it to the workers; the request that is kept, and its state."""
        kept, state = await self._ask("EVAL", *accept(report_id, request, place, message))
        return kept, state

    async def find(self, report_id: str) -> Record | None:
        """The report, or None."""
        found = await self._ask("HGETALL", record(report_id))
        return Record.of(report_id, found) if found else None

    async def ping(self) -> None:
        """Nothing, when Redis answers."""
        await self._ask("PING")

    async def close(self) -> None:
        """Ends the connections."""
        await self._redis.aclose()

    async def _ask(self, *command: Any) -> Any:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((command, answer))
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())
        return await answer

    async def _send(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            pipeline = self._redis.pipeline(transaction=False)
            for command, _ in batch:
                pipeline.execute_command(*command)
            try:
                answers = await pipeline.execute(raise_on_error=False)
            except (RedisError, OSError) as error:
                answers = [RedisAway(str(error))] * len(batch)
            for (_, future), answer in zip(batch, answers):
                _resolve(future, answer)
        self._sending = None


def _resolve(future: asyncio.Future[Any], answer: Any) -> None:
    if future.done():  # its caller has gone
        return
    if isinstance(answer, RedisError):
        future.set_exception(RedisAway(str(answer)))
    elif isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
