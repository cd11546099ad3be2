"""# 16. Waiting for a file

## What
A **sensor** is a task that waits. This one waits for a file in a bucket. When a file is there, the
run goes on: it loads the file and says which one it was.

## Why
Work should start when its data is there, and not at an hour when the data is probably there. A
sensor that waits on a worker occupies one of the worker's few slots all the time. A **deferrable**
sensor lets the **triggerer** wait instead, and its slot is free. The triggerer is one process that
can wait for hundreds of things at once.

## The code that matters
```python
wait_for_file = NewArrivalsSensor(task_id="wait_for_file", feed=FEED, poke_interval=2, timeout=3600)
```
The sensor lists the objects that match the feed's pattern (`s3_sensor.yaml`, beside this file), and
leaves out those that the ledger (`landfall.ledger`) has. The others are new, and the sensor hands
their names on as XCom, never their rows. The second task loads them. The ledger's row commits
together with the file's rows, so the next run does not wake for the same file.

Airflow's own `S3KeySensor` waits for a key or a wildcard, and does not say which object it saw.

## Look at
Trigger the lesson: `wait_for_file` becomes **deferred** (violet), and no worker is busy. Then drop
a file:
```sh
eval "$(make -s env)"
cat > /tmp/monday.csv <<END
order_id,amount
1,9.95
2,19.90
END
.venv/bin/python -m include.local put /tmp/monday.csv lessons/s3_sensor/monday.csv
```
Within seconds the run goes on. The log of `load` names the file, and so does its XCom, `woken_by`.
Trigger the lesson again: it waits, because the ledger already has Monday's file.

## Since Airflow 2.9
The connection type `s3` no longer exists: for MinIO and similar stores, use the type `aws` with an
`endpoint_url`. A DAG can also be scheduled by an asset that a watcher in the triggerer updates
(`AssetWatcher`, for message queues). Then no run exists until something arrives.

## Exercise
Drop a file whose second order is `2,free`. What does the run do, and what must you do?

The answer is in the tab [Code](/dags/lesson_16_s3_sensor/code), below this text.

<details><summary>Answer</summary>
The run wakes, and `load` fails at once, because no retry would help. Its log names the object, the
line, the column and the cell: `found: free`. The table has no row of the file. Correct the file,
upload it under the same key and trigger the lesson. A refused file still counts as new, so the
sensor wakes for the corrected one.
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
        """Loads each file that woke the run, once, and returns their keys."""
        receipts = [S3ToPostgresHook.of(FEED).load(FEED, arrival) for arrival in arrivals]
        for receipt in receipts:
            log.info("woken by s3://%s/%s: %s rows", receipt.bucket, receipt.key, receipt.rows)
        woken_by = [receipt.key for receipt in receipts]
        return {"woken_by": woken_by, "rows": sum(receipt.rows for receipt in receipts)}

    load(wait_for_file.output)
