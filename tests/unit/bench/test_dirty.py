"""The dirty files of the bench have as many bad rows as they say."""

from __future__ import annotations

import pytest

from tests.bench.dirty import DIRTS, KINDS, MIDDLE

ROW = b'1,2,3,4,17,21168.23,0.04,0.02,N,O,1996-03-13,1996-02-12,1996-03-22,TO,TRUCK,"so, so"\n'


@pytest.mark.parametrize("dirt", DIRTS, ids=lambda dirt: dirt.name)
def test_as_many_rows_are_spoiled_as_the_table_says(dirt):
    near = range(MIDDLE - 500, MIDDLE + 500)
    spoiled = sum(dirt.spoil(number, ROW) != ROW for number in near)
    assert spoiled == (1 if dirt.bad == 1 else len(near) // 100)


def test_the_kinds_of_bad_rows_differ():
    assert len({kind(ROW) for kind in KINDS} - {ROW}) == len(KINDS)
