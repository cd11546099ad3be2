"""Measuring: what it missed would make a load look cheaper than it is."""

from __future__ import annotations

import os
import sys

import psutil
import pytest

from include.local.state import LocalError
from tests.bench.measure import cpu_of, measure

BUSY = """
import subprocess, sys, time
held = bytearray(60_000_000)
work = "import time\\nheld = bytearray(60_000_000)\\nwhile time.process_time() < 0.9: pass"
subprocess.run([sys.executable, "-c", work])
while time.process_time() < 0.3: pass
"""


def test_a_program_and_its_child_are_measured_together(tmp_path):
    used = measure([sys.executable, "-c", BUSY], os.environ, {}, tmp_path / "log")
    assert used.seconds >= 1.2
    assert sum(used.cpu.values()) >= 1.2
    assert used.cpu["reading"] >= 0.5
    assert used.rss >= 120_000_000


def test_ended_children_count_as_cpu_of_the_server():
    me = psutil.Process()
    before = cpu_of(me)
    work = "import time\nwhile time.process_time() < 0.3: pass"
    psutil.Popen([sys.executable, "-c", work]).wait()
    assert cpu_of(me) - before >= 0.25  # the kernel counts in hundredths


def test_a_program_that_fails_is_an_error(tmp_path):
    with pytest.raises(LocalError, match="what went wrong"):
        measure(
            [sys.executable, "-c", "raise SystemExit('what went wrong')"],
            os.environ, {}, tmp_path / "log",
        )  # fmt: skip
