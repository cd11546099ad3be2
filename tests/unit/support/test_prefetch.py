"""What is made ahead is handed out once, ended once, and fails where it is taken."""

from __future__ import annotations

import itertools
from contextlib import contextmanager

import pytest

from tests.support.prefetch import Ahead


@pytest.fixture
def told():
    return []


@pytest.fixture
def make(told):
    numbers = itertools.count(1)

    @contextmanager
    def making():
        number = next(numbers)
        told.append(f"made {number}")
        yield number
        told.append(f"ended {number}")

    return making


def test_the_next_is_made_before_it_is_asked_for_and_nothing_is_left(make, told):
    with Ahead(make) as ahead:
        for number in (1, 2):
            with ahead.take() as taken:
                assert taken == number
                assert f"ended {number}" not in told
            assert f"ended {number}" in told
    assert sorted(told) == ["ended 1", "ended 2", "ended 3", "made 1", "made 2", "made 3"]


def test_what_cannot_be_made_is_the_error_of_who_takes_it_and_of_nobody_else():
    @contextmanager
    def broken():
        raise OSError("the server is away")
        yield

    with Ahead(broken) as ahead, pytest.raises(OSError, match="away"), ahead.take():
        pass
