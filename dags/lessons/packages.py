"""
# 15. Packages in the image

## What
A task can import what is installed where it runs. In containers that is the **image**, which the
Astro CLI builds from the project's `Dockerfile`. This lesson compares what is installed with what
`requirements.txt` asks for, package by package.

## Why
*It works on my machine* mostly means: other versions there. So every requirement is pinned (`==`),
and the image and your machine get the same:

| file | says | read by |
|---|---|---|
| `requirements.txt` | Python packages of the image | the image's build, and `make lock` |
| `packages.txt` | system packages of the image, as `apt` calls them | the image's build |
| `requirements-dev.in` | what developing needs besides: Airflow, tools | `make lock` |
| `requirements-dev.txt` | the **lock**: each with all it needs, and checksums | `make`, CI |

A test holds that lock and `requirements.txt` agree. There are two ways to bring something into the
image:

- **Extend** it: a line in `requirements.txt` or `packages.txt`. Take this whenever it is enough.
- **Customise** it: a step of your own in the `Dockerfile`. Take this for what is in no package, or
  does not agree with the others. `packages.Dockerfile`, beside this file, is one to copy: it puts
  a newer pandas into an environment of its own, since astro-sdk needs an older one.

The Celery stack has both ways for Apache's own image, whole: `include/local/celery/Dockerfile`
extends it, `custom.Dockerfile` beside it builds one from Python up; the page there says when to
take which.

## The code that matters
```python
asked = Requirement(text)
installed = version(asked.name)
```
The rest of the task is a table in the log. It fails where the two differ, and says what to do.

## Look at
The log of `compare`: a line for each package. Its XCom: Python, Airflow, and the image that the
`Dockerfile` names. Runtime numbers follow Airflow: 3.3-8 is Airflow 3.3.

## Since Airflow 2.9
Runtime was numbered by itself (11 was Airflow 2.9) and is now numbered like Airflow. The standard
operators left Airflow's core for a package, `apache-airflow-providers-standard`, which has a
version of its own.

## Exercise
Pin `PyYAML==6.0.2` in `requirements.txt` and trigger the lesson. What does it say? Which command
would tell you before any run?

The answer is in the tab [Code](/dags/lesson_15_packages/code), below these words.

<details><summary>Answer</summary>
`compare` fails with `PyYAML: 6.0.3 instead of ==6.0.2`, and is not tried again. `make test-unit`
says it too: the lock has another version. `make lock` would resolve anew, and the next `make`
command that needs packages installs what the lock then says.
</details>
"""

from __future__ import annotations

import logging
import platform
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, task
from airflow.sdk.exceptions import AirflowFailException
from packaging.requirements import Requirement

log = logging.getLogger(__name__)
PROJECT = Path(__file__).parents[2]

with DAG(
    dag_id="lesson_15_packages",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "data-team", "retries": 2, "retry_delay": timedelta(seconds=5)},
    tags=["lesson", "section 15"],
    doc_md=__doc__,
):

    @task
    def compare() -> dict[str, Any]:
        """What requirements.txt asks for beside what is installed; fails where they differ."""
        packages, wrong = {}, []
        for line in (PROJECT / "requirements.txt").read_text().splitlines():
            if text := line.partition("#")[0].strip():
                asked = Requirement(text)
                try:
                    installed = version(asked.name)
                except PackageNotFoundError:
                    installed = "nothing"
                agree = installed != "nothing" and asked.specifier.contains(installed)
                word = "ok" if agree else "WRONG"
                log.info("%-45s%-14s%-12s%s", asked.name, asked.specifier, installed, word)
                packages[asked.name] = installed
                if not agree:
                    wrong.append(f"{asked.name}: {installed} instead of {asked.specifier}")
        if wrong:
            do = "what to do: make lock; for the image, astro dev restart"
            raise AirflowFailException("\n".join([*wrong, do]))
        image = (PROJECT / "Dockerfile").read_text().split("\nFROM ")[-1].split()[0]
        versions = {"python": platform.python_version(), "airflow": version("apache-airflow")}
        return {**versions, "image": image, "packages": packages}

    compare()
