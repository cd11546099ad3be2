"""Makes the next of something while a test uses the last, where the making is mostly waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """Enters each context before it is asked for; `take` hands it on, and ends it."""

    def __init__(self, make: Callable[[], AbstractContextManager[T]]) -> None:
        self._make = make
        self._maker = ThreadPoolExecutor(1)
        self._next = self._begin()

    @contextmanager
    def take(self) -> Iterator[T]:
        """The one that is ready. Raises what the making raised."""
        ready, self._next = self._next, self._begin()
        made, rest = ready.result()
        with rest:
            yield made

    def __enter__(self) -> Ahead[T]:
        return self

    def __exit__(self, *_: object) -> None:
        """End the one that nobody took."""
        self._maker.shutdown()
        if self._next.exception() is None:
            self._next.result()[1].close()

    def _begin(self) -> Future[tuple[T, ExitStack]]:
        return self._maker.submit(self._enter)

    def _enter(self) -> tuple[T, ExitStack]:
        stack = ExitStack()
        return stack.enter_context(self._make()), stack
