"""
# 16. Waiting for a file

## What
A **sensor** is a task that waits. This one waits for a file in a bucket, and the run goes on when
there is one: it loads the file and says which it was.

## Why
Work should begin when its data is there, not at an hour when it probably is. A sensor that sleeps
on a worker keeps one of its few places busy all the while. A **deferrable** one hands the waiting
to the **triggerer**, a program that waits for hundreds of things at once in one process, and the
place is free.

## The code that matters
```python
wait_for_file = NewArrivalsSensor(task_id="wait_for_file", feed=FEED, poke_interval=2, timeout=3600)
```
It lists what matches the feed's pattern (`s3_sensor.yaml`, beside this file) and takes away what
the ledger (`landfall.ledger`) has. What is left is new, and goes on as XCom: names, never the
rows. The second task loads it, and the ledger's row commits with the rows. So the next run does
not wake for this file again.

Airflow's own `S3KeySensor` waits for a key or a wildcard, and does not say what it found.

## Look at
Trigger the lesson: `wait_for_file` turns **deferred** (violet), and no worker is busy. Drop a
file:
```sh
eval "$(make -s env)"
cat > /tmp/monday.csv <<END
order_id,amount
1,9.95
2,19.90
END
.venv/bin/python -c 'import boto3
boto3.client("s3").upload_file("/tmp/monday.csv", "landing", "lessons/s3_sensor/monday.csv")'
```
Within seconds the run goes on. The log of `load` names the file, and so does its XCom, `woken_by`.
Trigger it again: it waits, for Monday's file is known.

## Since Airflow 2.9
Connections of the type `s3` have gone: MinIO and the like are type `aws` with an `endpoint_url`. A
schedule can itself be an asset that a watcher in the triggerer updates (`AssetWatcher`, for
message queues), so that there is no run at all until something comes.

## Exercise
Drop a file whose second order is `2,free`. What does the run do, and what must you do?

The answer is in the tab [Code](/dags/lesson_16_s3_sensor/code), below these words.

<details><summary>Answer</summary>
The run wakes, `load` fails at once (no retry would help), and its log names object, line, column
and cell: `found: free`. Nothing of the file is in the table. Mend the file, put it in its place
and trigger the lesson: what was refused is still new, and so is its next version.
</details>
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, task

from include.landfall.feed.yaml_file import read_feed
from plugins.arrivals.sensor import NewArrivalsSensor
from plugins.s3_to_postgres import S3ToPostgresHook

log = logging.getLogger(__name__)
FEED = read_feed(Path(__file__).with_suffix(".yaml"))

with DAG(
    dag_id="lesson_16_s3_sensor",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "data-team", "retries": 2, "retry_delay": timedelta(seconds=5)},
    tags=["lesson", "section 16"],
    doc_md=__doc__,
):
    wait_for_file = NewArrivalsSensor(
        task_id="wait_for_file", feed=FEED, poke_interval=2, timeout=3600
    )

    @task
    def load(arrivals: list[dict[str, Any]]) -> dict[str, Any]:
        """Loads each file that woke the run, once; says which they were."""
        receipts = [S3ToPostgresHook.of(FEED).load(FEED, arrival) for arrival in arrivals]
        for receipt in receipts:
            log.info("woken by s3://%s/%s: %s rows", receipt.bucket, receipt.key, receipt.rows)
        woken_by = [receipt.key for receipt in receipts]
        return {"woken_by": woken_by, "rows": sum(receipt.rows for receipt in receipts)}

    load(wait_for_file.output)
