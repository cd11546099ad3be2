"""Makes the next of something while a test uses the last, where the making is mostly waiting."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from typing import Generic, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """Enters one context before it is asked for; `take` hands it on to the taker's stack."""

    def __init__(self, make: Callable[[], AbstractContextManager[T]]) -> None:
        self._make = make
        self._maker = ThreadPoolExecutor(1)
        self._next = self._begin()

    def take(self, stack: ExitStack) -> T:
        """The one that is ready; the stack's end is its end. Raises what the making raised."""
        ready, self._next = self._next, self._begin()
        made, rest = ready.result()
        stack.push(rest)
        return made

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
