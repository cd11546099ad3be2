"""
# 3. Airflow in Docker

## What
The Astro CLI runs this same project in containers. Two files say what stands beside Airflow there:
`docker-compose.override.yml` the servers, `airflow_settings.yaml` the connections to them. This
lesson reads both, as text, and shows for each connection which service serves it. It needs no
Docker itself.

## Why
In containers, the machine is nearly the one of production: its Linux, its Python, its packages.
What that costs: an image to build, and names and ports that must agree between files. Where they do
not, a task fails with *could not translate host name*, and nobody knows which file is wrong.

## The code that matters
```python
service = services.get(str(address.hostname))
```
Inside the containers' network a service is reached **by its name**, at its own port:
`warehouse:5432`. From your machine it is reached at the **published** port: `127.0.0.1:5433`.
```yaml
ports: ["127.0.0.1:5433:5432"]   # address of this machine : port of this machine : port inside
```
Without the `127.0.0.1:` Docker opens the port to the whole network, past most firewalls.

## Look at
The XCom of `who_serves` (its tab *Storage*): each connection, its service, its address
inside and outside. With Docker and the Astro CLI the real thing is:
```sh
astro dev start   # builds the image, starts Airflow, its database, and the services of both files
astro dev stop    # stops them; the data stays
astro dev kill    # removes containers and volumes: runs, connections and tables are gone
```
Then the page is at `localhost:8080`. Without the Astro CLI, and as production has it, with Celery
and two workers (section 19):
```sh
make celery       # init (the metadata is brought up to date), then up; ends when a run has passed
make celery-down  # down, volumes included
```

## Since Airflow 2.9
In the containers, too, the web server has become the API server, and reading DAG files has a
container of its own, `dag-processor`. Tasks talk to the API server, and no longer to the database.

## Exercise
In `docker-compose.override.yml` write `"5433:5432"` for the port of the warehouse, save, and
trigger this lesson. What does it say?

The answer is in the tab [Code](/dags/lesson_03_docker/code), below these words.

<details><summary>Answer</summary>
`warehouse publishes 5433:5432 to the whole network: write 127.0.0.1:5433:5432`. The task fails at
once and is not tried again: no retry mends a file. Put the address back.
</details>
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from airflow.sdk import DAG, task
from airflow.sdk.exceptions import AirflowFailException

PROJECT = Path(__file__).parents[2]


def served(connection: dict[str, Any], services: dict[str, Any]) -> dict[str, str]:
    """Who serves the connection, and where; fails where the two files do not agree."""
    name, extra = connection["conn_id"], connection.get("conn_extra", {})
    url = extra.get("endpoint_url") or f"//{connection['conn_host']}:{connection['conn_port']}"
    address = urlsplit(url)
    service = services.get(str(address.hostname))
    if service is None:
        raise AirflowFailException(f"{name} asks for {address.hostname}: there is no such service")
    if connection["conn_password"] not in service["environment"].values():
        raise AirflowFailException(f"{name} has another password than {address.hostname}")
    for port in service["ports"]:
        if not port.startswith("127.0.0.1:"):
            raise AirflowFailException(
                f"{address.hostname} publishes {port} to the whole network: write 127.0.0.1:{port}"
            )
    outside = [port for port in service["ports"] if port.endswith(f":{address.port}")]
    if not outside:
        raise AirflowFailException(f"{name} asks for port {address.port}: it is not published")
    return {
        "connection": name,
        "service": f"{address.hostname} ({service['image']})",
        "inside": f"{address.hostname}:{address.port}",
        "outside": outside[0].rpartition(":")[0],
    }


with DAG(
    dag_id="lesson_03_docker",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "data-team", "retries": 2, "retry_delay": timedelta(seconds=5)},
    tags=["lesson", "section 3"],
    doc_md=__doc__,
):

    @task
    def who_serves() -> list[dict[str, str]]:
        """For each connection of the containers: its service, and its address in and outside."""
        import yaml

        settings = yaml.safe_load((PROJECT / "airflow_settings.yaml").read_text("utf-8"))
        compose = yaml.safe_load((PROJECT / "docker-compose.override.yml").read_text("utf-8"))
        connections = settings["airflow"]["connections"]
        return [served(connection, compose["services"]) for connection in connections]

    who_serves()
