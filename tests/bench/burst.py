"""Sends many HTTP requests at once, each on its own connection, and times the answers."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """One answer: its status, its JSON, and the seconds since all requests started."""

    status: int
    body: dict[str, Any]
    seconds: float


def burst(
    port: int, path: str, key: str, bodies: Sequence[dict[str, Any]], most_seconds: float
) -> list[Answer]:
    """Returns the answers that came in time. The time starts before the first connection."""
    return asyncio.run(_burst(port, path, key, bodies, most_seconds))


async def _burst(
    port: int, path: str, key: str, bodies: Sequence[dict[str, Any]], most_seconds: float
) -> list[Answer]:
    requests = [_request(path, key, body) for body in bodies]
    started = time.perf_counter()
    tasks = [asyncio.create_task(_send(port, request, started)) for request in requests]
    done, late = await asyncio.wait(tasks, timeout=most_seconds)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    return [task.result() for task in done]


def _request(path: str, key: str, body: dict[str, Any]) -> bytes:
    content = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + content


async def _send(port: int, request: bytes, started: float) -> Answer:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        answer = await reader.read()
    finally:
        writer.close()
    seconds = time.perf_counter() - started
    head, _, body = answer.partition(b"\r\n\r\n")
    return Answer(int(head.split()[1]), json.loads(body), seconds)
