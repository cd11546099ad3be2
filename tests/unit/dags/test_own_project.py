"""What docs/astro-cli.md copies into another Astro project is all that feeds need there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
FEED = """\
feed: orders
source: {bucket: landing, pattern: "orders/*", late_after: 26 hours}
target: {table: raw.orders}
columns: {id: integer}
"""
READ = """
from airflow.dag_processing.dagbag import DagBag
import include.landfall.cli.main, include.astro_sdk.arrivals, plugins.s3_to_postgres
bag = DagBag("dags", bundle_path="dags")
assert not bag.import_errors, bag.import_errors
print(*sorted(bag.dags), include.landfall.cli.main.__file__)
"""


def test_a_project_of_another_team_reads_its_feeds(tmp_path):
    section = (ROOT / "docs/astro-cli.md").read_text().split("## Into a project that you have")[1]
    (copies,) = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)[:1]
    for folder in ("dags", "include", "plugins"):  # as `astro dev init` makes them
        (tmp_path / folder).mkdir()
    script = re.sub("project=.*", f"project={tmp_path}", copies)
    subprocess.run(["sh", "-euc", script], check=True, cwd=ROOT)
    (tmp_path / "include/feeds/orders.yaml").write_text(FEED)
    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}
    environ["AIRFLOW__CORE__PLUGINS_FOLDER"] = str(tmp_path / "plugins")
    done = subprocess.run(
        [sys.executable, "-P", "-c", READ], capture_output=True, text=True, check=False,
        cwd=tmp_path, env=environ,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *dags, engine = done.stdout.splitlines()[-1].split()
    assert dags == ["feed_orders", "late_files", "maintenance"]
    assert Path(engine).is_relative_to(tmp_path)
