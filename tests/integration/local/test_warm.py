"""The processes of tasks find done what `include.local.airflow.warm` has done before the fork."""

from __future__ import annotations

import subprocess
import sys

from include.local.state import PROJECT

# Airflow's own command is replaced by what a task of a feed does before its work.
TASK = """
import sys
import airflow.__main__

def task():
    before = set(sys.modules)
    from airflow.sdk.listener import get_listener_manager
    from airflow.sdk.plugins_manager import integrate_macros_plugins
    assert get_listener_manager.cache_info().currsize == 1
    assert integrate_macros_plugins.cache_info().currsize == 1
    from include.astro_sdk import ArrivalFile, aql, feed_checks, feed_table
    from include.astro_sdk.database import PostgresDatabase
    print(*sorted(set(sys.modules) - before))

airflow.__main__.main = task
from include.local.airflow import warm
warm.main()
"""


def test_a_task_of_a_feed_imports_nothing_and_loads_no_plugin(airflow_home):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", TASK],
        capture_output=True, text=True, cwd=PROJECT, env=airflow_home.environ, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == ""
