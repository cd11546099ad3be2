"""The API's way to Redis: the reports that are asked for at once go there in one round trip.

Redis writes each change to its disk before it answers, so two hundred one by one would wait for two
hundred writes. Those that come while a batch is under way are the next batch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, cast

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from .records import AWAY, New, Record, accept, record

# More would hold up the first of them.
MOST_AT_ONCE = 256
CONNECTIONS = 16


class RedisAway(Exception):
    """Redis did not answer, so nothing can be promised."""


class Front:
    """Accepts and finds reports. Raises RedisAway."""

    def __init__(self, url: str) -> None:
        # Tried twice, at once: a kept connection of before a restart is broken, and what is sent
        # twice is accepted once.
        pool = BlockingConnectionPool.from_url(
            url, max_connections=CONNECTIONS, decode_responses=True, socket_connect_timeout=2,
            socket_timeout=5, retry=Retry(NoBackoff(), 1), retry_on_error=list(AWAY),
        )  # fmt: skip
        self._redis: Redis = Redis.from_pool(pool)
        self._waiting: list[tuple[New, asyncio.Future[tuple[str, str]]]] = []
        self._sending: asyncio.Task[None] | None = None

    async def accept(self, new: New) -> tuple[str, str]:
        """Keeps a report and hands it to the workers; the request that is kept, and its state."""
        answer: asyncio.Future[tuple[str, str]] = asyncio.get_running_loop().create_future()
        self._waiting.append((new, answer))
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())
        return await answer

    async def find(self, report_id: str) -> Record | None:
        """The report, or None."""
        found = await _answer(self._redis.hgetall(record(report_id)))
        return Record.of(report_id, found) if found else None

    async def ping(self) -> None:
        """Nothing, when Redis answers."""
        await _answer(self._redis.ping())

    async def close(self) -> None:
        """Ends the connections."""
        await self._redis.aclose()

    async def _send(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
                await self._send_batch(batch)
        finally:
            self._sending = None

    async def _send_batch(self, batch: list[tuple[New, asyncio.Future[tuple[str, str]]]]) -> None:
        futures = [future for _, future in batch]
        try:
            answers = await _answer(self._redis.eval(*accept([new for new, _ in batch])))
        except Exception as error:  # noqa: BLE001  whatever it is, each caller must hear of it
            for future in futures:
                if not future.done():
                    future.set_exception(error)
            return
        for future, (request, state) in zip(futures, answers):
            if not future.done():  # else its caller has gone
                future.set_result((request, state))


async def _answer(call: Awaitable[Any] | Any) -> Any:
    try:
        return await cast("Awaitable[Any]", call)
    except (RedisError, OSError) as error:
        raise RedisAway(str(error)) from error
