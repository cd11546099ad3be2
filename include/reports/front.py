"""The API's access to Redis, which sends the requests of one moment together.

Redis writes each change to its disk before it answers. If the API sent two hundred requests one by
one, they would wait for two hundred writes. So requests that come while a batch is on its way form
the next batch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, cast

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from .records import CONNECTION_ERRORS, NewReport, Record, accept, record_key

# A bigger batch would delay the answer to its first request.
MAX_BATCH = 256
CONNECTIONS = 16

Answer = tuple[str, str]  # the request that Redis keeps, and its state
Waiting = tuple[NewReport, asyncio.Future[Answer]]


class RedisAway(Exception):
    """Redis did not answer, so the API can promise nothing."""


class Front:
    """The asynchronous client that accepts and finds reports.

    Raises: RedisAway when Redis does not answer.
    """

    def __init__(self, url: str) -> None:
        # One retry at once, because a pooled connection may be broken since Redis restarted. It
        # does no harm: a report that is sent twice is accepted once.
        pool = BlockingConnectionPool.from_url(
            url, max_connections=CONNECTIONS, decode_responses=True, socket_connect_timeout=2,
            socket_timeout=5, retry=Retry(NoBackoff(), 1), retry_on_error=list(CONNECTION_ERRORS),
        )  # fmt: skip
        self._redis: Redis = Redis.from_pool(pool)
        self._waiting: list[Waiting] = []
        self._sender: asyncio.Task[None] | None = None

    async def accept(self, report: NewReport) -> Answer:
        """Keeps a report and queues it for the workers; returns the kept request and its state."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((report, answer))
        if self._sender is None:
            self._sender = asyncio.create_task(self._send())
        return await answer

    async def find(self, report_id: str) -> Record | None:
        """Returns the report, or None if Redis has none with this id."""
        fields = await _answer(self._redis.hgetall(record_key(report_id)))
        return Record.from_fields(report_id, fields) if fields else None

    async def ping(self) -> None:
        """Returns when Redis has answered."""
        await _answer(self._redis.ping())

    async def close(self) -> None:
        """Closes the connections to Redis."""
        await self._redis.aclose()

    async def _send(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
                await self._send_batch(batch)
        finally:
            self._sender = None

    async def _send_batch(self, batch: list[Waiting]) -> None:
        futures = [future for _, future in batch]
        try:
            answers = await _answer(self._redis.eval(*accept([report for report, _ in batch])))
        except Exception as error:  # noqa: BLE001  every caller must get the error, whatever it is
            for future in futures:
                if not future.done():
                    future.set_exception(error)
            return
        for future, (request, state) in zip(futures, answers):
            if not future.done():  # a future is done already when its caller has disconnected
                future.set_result((request, state))


async def _answer(call: Awaitable[Any] | Any) -> Any:
    try:
        return await cast("Awaitable[Any]", call)
    except (RedisError, OSError) as error:
        raise RedisAway(str(error)) from error
