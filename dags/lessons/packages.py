"""# 15. Packages in the image

## What
A task can import the packages that are installed where it runs. In containers that is the
**image**, which the Astro CLI builds from the project's `Dockerfile`. This lesson compares the
installed packages with `requirements.txt`, one by one.

## Why
*It works on my machine* usually means that another machine has other versions. So every requirement
has an exact version (`==`), and the image and your machine get the same packages:

| file | contains | read by |
|---|---|---|
| `pyproject.toml` | the project's dependencies: Airflow and the packages | `make lock` |
| `requirements.txt` | these packages, by `make lock` | the build of the image |
| `packages.txt` | system packages of the image, named as for `apt` | the build of the image |
| `requirements-dev.in` | what developers need as well: tools | `make lock` |
| `requirements-dev.txt` | the **lock**: every package, direct or not, with checksums | `make`, CI |

A test checks that these files agree. There are two ways to put something into
the image:

- **Extend** it with a dependency in `pyproject.toml` and `make lock`, or with a line in
  `packages.txt`. Do this whenever it is enough.
- **Customise** it with your own step in the `Dockerfile`. Do this for what no package contains, or
  for a package that conflicts with the others. `packages.Dockerfile`, beside this file, is an
  example that you can copy: it puts a newer pandas into a separate environment, because astro-sdk
  needs an older one.

The Celery stack shows both ways in full for Apache's own image: `include/local/celery/Dockerfile`
extends it, and `custom.Dockerfile` beside it builds an image from a plain Python image. The README
in that folder says when to use which.

## The code that matters
```python
requirement = Requirement(text)
installed = version(requirement.name)
```
The rest of the task prints a table to the log. The task fails where the two differ, and says what
to do.

## Look at
The log of `compare` has a line for each package. Its XCom has Python, Airflow, and the image that
the `Dockerfile` names. The image's number contains the version of Airflow: 3.3-8 has Airflow 3.3.

## Since Airflow 2.9
Astro Runtime had its own numbers (11 was Airflow 2.9); now its numbers follow Airflow's. The
standard operators moved from Airflow's core to a package with its own version,
`apache-airflow-providers-standard`.

## Exercise
Write `PyYAML==6.0.2` in `requirements.txt` and trigger the lesson. What does it say? Which command
would tell you before any run?

The answer is in the tab [Code](/dags/lesson_15_packages/code), below this text.

<details><summary>Answer</summary>
`compare` fails with `PyYAML: 6.0.3 instead of ==6.0.2`, and is not tried again. `make test-unit`
reports it too, because `pyproject.toml` and the lock have another version. `make lock` would write
`requirements.txt` again from `pyproject.toml`. To change a version, change it there: `make lock`
then writes a new lock, and the next `make` command that needs packages installs its versions.
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
        """Logs the required and the installed version of each package.

        Raises: AirflowFailException when they differ.
        """
        packages, wrong = {}, []
        for line in (PROJECT / "requirements.txt").read_text().splitlines():
            if text := line.partition("#")[0].strip():
                requirement = Requirement(text)
                name, required = requirement.name, requirement.specifier
                try:
                    installed = version(name)
                except PackageNotFoundError:
                    installed = "nothing"
                agree = installed != "nothing" and required.contains(installed)
                mark = "ok" if agree else "WRONG"
                log.info("%-45s  %-18s  %-14s  %s", name, required, installed, mark)
                packages[name] = installed
                if not agree:
                    wrong.append(f"{name}: {installed} instead of {required}")
        if wrong:
            do = "what to do: make lock; for the image, astro dev restart"
            raise AirflowFailException("\n".join([*wrong, do]))
        image = (PROJECT / "Dockerfile").read_text().split("\nFROM ")[-1].split()[0]
        versions = {"python": platform.python_version(), "airflow": version("apache-airflow")}
        return {**versions, "image": image, "packages": packages}

    compare()
