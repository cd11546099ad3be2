"""Makes the next resource while a test uses the current one, where making one is mostly waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


class Prefetch(Generic[T]):
    """Enters each context before a test needs it; `take` hands it to the test, and ends it."""

    def __init__(self, make: Callable[[], AbstractContextManager[T]]) -> None:
        self._make = make
        self._thread = ThreadPoolExecutor(1)
        self._next = self._begin()

    @contextmanager
    def take(self) -> Iterator[T]:
        """Gives the resource that is ready. Raises what its making raised."""
        ready, self._next = self._next, self._begin()
        resource, ending = ready.result()
        with ending:
            yield resource

    def __enter__(self) -> Prefetch[T]:
        return self

    def __exit__(self, *_: object) -> None:
        """End the resource that no test has taken."""
        self._thread.shutdown()
        if self._next.exception() is None:
            self._next.result()[1].close()

    def _begin(self) -> Future[tuple[T, ExitStack]]:
        return self._thread.submit(self._enter)

    def _enter(self) -> tuple[T, ExitStack]:
        stack = ExitStack()
        return stack.enter_context(self._make()), stack
