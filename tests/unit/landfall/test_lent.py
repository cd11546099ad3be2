"""The interpreter ends only when no thread of Arrow holds a Python object any more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from include.landfall.read import lent
from tests.unit.landfall.test_sniff_surroundings import proposal

PROJECT = Path(__file__).resolve().parents[3]
# A thread that holds a lent object for a while, and needs Python's lock to give it back. Without
# the wait the interpreter ends before.
HOLDER = """
import threading, time
from include.landfall.read.lent import lend
class Thing: pass
thing = Thing()
lend(thing)
def hold(things):
    time.sleep(0.3)
    print("given back", flush=True)
    things.clear()
threading.Thread(target=hold, args=([thing],), daemon=True).start()
del thing
"""


def run(code):
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, timeout=60
    )
    return result.returncode, result.stdout, result.stderr


def test_the_interpreter_waits_for_what_is_lent():
    assert run(HOLDER) == (0, "given back\n", "")


def test_it_does_not_wait_for_ever(monkeypatch):
    class Thing:
        pass

    kept = Thing()
    monkeypatch.setattr(lent, "_lent", [])
    monkeypatch.setattr(lent, "LONGEST_WAIT", 0.01)
    lent.lend(kept)
    lent.wait_until_returned()


@pytest.mark.parametrize("data", [b"id,rate\n1,12.5%\n2,3%\n", b'{"a": 1}\n{"a": 2}\n'])
def test_what_arrow_gets_of_csv_and_json_is_lent_and_comes_back(monkeypatch, data):
    """A sniff at such a file aborted one time in ten: a thread of Arrow held the block's bytes."""
    lent_objects = []
    monkeypatch.setattr(lent, "_lent", lent_objects)
    proposal(data)
    assert lent_objects
    lent.wait_until_returned()
    assert [each for each in lent_objects if each() is not None] == []


SNIFF = """
from datetime import UTC, datetime
from include.landfall.arrival import Arrival
from include.landfall.sniff.sample import Sample
from include.landfall.sniff.sniffing import sniff
data = b"id,rate\\n1,12.5%\\n2,3%\\n"
arrival = Arrival("landing", "x.csv", "e", len(data), datetime(2026, 1, 1, tzinfo=UTC))
print(sniff([(arrival, Sample("x.csv", data, True))], "xxx", "raw.x").doubts)
"""


def test_sniff_ends_with_its_own_exit_code():
    results = [run(SNIFF) for _ in range(5)]
    assert [(code, errors) for code, _, errors in results] == [(0, "")] * 5
