"""What is made ahead of its use is handed out once, ended once, and fails for its user only."""

from __future__ import annotations

import itertools
from contextlib import contextmanager

import pytest

from tests.support.prefetch import Prefetch


@pytest.fixture
def events():
    return []


@pytest.fixture
def make(events):
    numbers = itertools.count(1)

    @contextmanager
    def making():
        number = next(numbers)
        events.append(f"made {number}")
        yield number
        events.append(f"ended {number}")

    return making


def test_the_next_one_is_made_before_its_use_and_none_is_left(make, events):
    with Prefetch(make) as prefetch:
        for number in (1, 2):
            with prefetch.take() as taken:
                assert taken == number
                assert f"ended {number}" not in events
            assert f"ended {number}" in events
    assert sorted(events) == ["ended 1", "ended 2", "ended 3", "made 1", "made 2", "made 3"]


def test_a_failed_making_is_the_error_of_the_test_that_takes_it():
    @contextmanager
    def broken():
        raise OSError("the server is away")
        yield

    with Prefetch(broken) as prefetch, pytest.raises(OSError, match="away"), prefetch.take():
        pass
