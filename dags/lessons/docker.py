"""# 3. Airflow in Docker

## What
The Astro CLI runs this same project in containers. Two files describe what runs beside Airflow
there: `docker-compose.override.yml` has the servers, and `airflow_settings.yaml` has the
connections to them. This lesson reads both files as text, and shows for each connection which
service answers it. The lesson itself needs no Docker.

## Why
Containers make your machine nearly the same as production: the same Linux, the same Python, the
same packages. The price is an image to build, and names and ports that must agree between files.
Where they do not agree, a task fails with *could not translate host name*, and it is hard to see
which file is wrong.

## The code that matters
```python
service = services[host]
```
Inside the network of the containers, a service has **its name** as its address, and its own port:
`warehouse:5432`. On your machine it has the **published** port: `127.0.0.1:5433`.
```yaml
ports: ["127.0.0.1:5433:5432"]   # address of this machine : port of this machine : port inside
```
Without the `127.0.0.1:` Docker opens the port to the whole network, and most firewalls do not stop
it.

## Look at
The XCom of `who_serves` (its tab *Storage*): each connection, its service, and its address inside
and outside. If you have Docker and the Astro CLI, start the containers themselves:
```sh
astro dev start   # builds the image, starts Airflow, its database, and the services of both files
astro dev stop    # stops them; the data stays
astro dev kill    # removes containers and volumes: runs, connections and tables are gone
```
The page is then at `localhost:8080`, or at the address that the CLI prints, where `make airflow`
has that port. Without the Astro CLI you can run the project as it runs in production, with Celery
and two workers (section 19):
```sh
make celery       # init (updates the metadata database), then up; ends when a run has succeeded
make celery-down  # down, and removes the volumes
```

## Since Airflow 2.9
In the containers, too, the web server is now the API server, and a separate container,
`dag-processor`, reads the DAG files. Tasks talk to the API server, and no longer to the database.

## Exercise
In `docker-compose.override.yml`, write `"5433:5432"` as the port of the warehouse, save the file,
and trigger this lesson. What does it say?

The answer is in the tab [Code](/dags/lesson_03_docker/code), below this text.

<details><summary>Answer</summary>
`warehouse publishes 5433:5432 to the whole network: write 127.0.0.1:5433:5432`. The task fails at
once and is not tried again, because a retry does not change a file. Put the address back.
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


def expect(true: bool, message: str) -> None:
    """Raises AirflowFailException with the message, unless the condition is true."""
    if not true:
        raise AirflowFailException(message)


def service_of(connection: dict[str, Any], services: dict[str, Any]) -> dict[str, str]:
    """Returns the service of the connection and its addresses.

    Raises: AirflowFailException when the two files do not agree.
    """
    name, extra = connection["conn_id"], connection.get("conn_extra", {})
    url = extra.get("endpoint_url") or f"//{connection['conn_host']}:{connection['conn_port']}"
    host, port = str(urlsplit(url).hostname), urlsplit(url).port
    expect(host in services, f"connection {name}: no service has the name of its host, {host}")
    service = services[host]
    same = connection["conn_password"] in service["environment"].values()
    expect(same, f"connection {name}: its password is not that of the service {host}")
    for published in service["ports"]:
        local = published.startswith("127.0.0.1:")
        message = f"{host} publishes {published} to the whole network: write 127.0.0.1:{published}"
        expect(local, message)
    outside = [published for published in service["ports"] if published.endswith(f":{port}")]
    expect(bool(outside), f"connection {name}: the service {host} does not publish port {port}")
    return {
        "connection": name,
        "service": f"{host} ({service['image']})",
        "inside": f"{host}:{port}",
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
        """Returns for each connection its service, and its addresses inside and outside."""
        import yaml

        settings = yaml.safe_load((PROJECT / "airflow_settings.yaml").read_text("utf-8"))
        compose = yaml.safe_load((PROJECT / "docker-compose.override.yml").read_text("utf-8"))
        connections = settings["airflow"]["connections"]
        return [service_of(connection, compose["services"]) for connection in connections]

    who_serves()
