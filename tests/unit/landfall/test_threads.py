"""One thread after another can use the engine."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[3]
PROGRAM = """
import threading
import include.landfall

def work():
    import pyarrow
    pyarrow.array(range(100_000))

for _ in range(3):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
"""


def test_a_thread_that_loads_leaves_nothing_that_breaks_the_next_one():
    """The process would crash without a message, and the ledger would have no error."""
    environ = {k: v for k, v in os.environ.items() if k != "ARROW_DEFAULT_MEMORY_POOL"}
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM)]
    assert subprocess.run(command, env=environ, cwd=ROOT, check=False).returncode == 0
