"""The stack: built, started, proved by a run of a DAG, and taken away.

Health alone proves nothing: with a wrong secret every part is healthy and every task fails.
"""

from __future__ import annotations

import json
import os
import time
import urllib.error
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from include.landfall.connections import Store, Warehouse
from include.landfall.s3.client import make_client
from include.local.airflow.api import Api, unhealthy
from include.local.celery.docker import Compose, call, docker, require_docker, socket_group
from include.local.celery.secrets_file import ensure_env
from include.local.demo.seed import seed
from include.local.services.process import LOCALHOST, wait_until
from include.local.state import PROJECT, LocalError

NAME = "landfall"
FILE = PROJECT / "docker-compose.celery.yml"
IMAGES = {
    "landfall/airflow:local": "include/local/celery/Dockerfile",
    "landfall/training:local": "include/training/Dockerfile",
}
PROOF = "feed_airlines"
READY_SECONDS = 300
RUN_SECONDS = 300


@dataclass(frozen=True)
class Stack:
    """The stack of one compose project, and what its .env says."""

    compose: Compose
    env: dict[str, str]

    @classmethod
    def of(cls, environ: Mapping[str, str] = os.environ) -> Stack:
        """The stack of this checkout. A name of .env that the environment has too is its, as
        compose has it; LANDFALL_PROJECT puts a second stack beside the first.
        """
        env = ensure_env(PROJECT / ".env.example", PROJECT / ".env")
        env |= {name: environ[name] for name in env if environ.get(name)}
        project = environ.get("LANDFALL_PROJECT", NAME)
        env |= {"LANDFALL_DOCKER_GID": socket_group(), "LANDFALL_PROJECT": project}
        return cls(Compose(project, (FILE,), env), env)

    @property
    def address(self) -> str:
        """Airflow's page."""
        return f"http://{LOCALHOST}:{self.env['LANDFALL_AIRFLOW_PORT']}"

    @property
    def store(self) -> Store:
        """MinIO, as this machine reaches it."""
        endpoint = f"http://{LOCALHOST}:{self.env['LANDFALL_STORE_PORT']}"
        return Store(endpoint, "landfall", self.env["LANDFALL_STORE_PASSWORD"])

    @property
    def warehouse(self) -> Warehouse:
        """The warehouse, as this machine reaches it."""
        port = int(self.env["LANDFALL_WAREHOUSE_PORT"])
        password = self.env["LANDFALL_WAREHOUSE_PASSWORD"]
        return Warehouse(LOCALHOST, port, "warehouse", "landfall", password)

    @property
    def _label(self) -> str:
        return f"label=com.docker.compose.project={self.compose.project}"

    def login(self) -> Api:
        """Airflow's API, as the user admin."""
        return Api.login(self.address, "admin", self.env["LANDFALL_AIRFLOW_PASSWORD"])

    def build(self) -> None:
        """The project's own images. Raises LocalError."""
        for image, file in IMAGES.items():
            context = PROJECT if "celery" in file else (PROJECT / file).parent
            call(
                ["docker", "build", "--quiet", "-t", image, "-f", str(PROJECT / file), str(context)]
            )

    def start(self) -> None:
        """Every service. Raises LocalError."""
        self.compose.run("up", "-d", "--no-build", "--remove-orphans")

    def wait_ready(self) -> Api:
        """Airflow's API once all its parts are healthy. Raises LocalError."""
        if not wait_until(lambda: not unhealthy(self.address), READY_SECONDS, pause=1):
            missing = ", ".join(unhealthy(self.address))
            do = "see which container is not healthy (docker ps -a), and its docker logs"
            raise LocalError(f"Airflow is not ready: {missing}", do=do)
        return self.login()

    def down(self) -> None:
        """Containers, network and volumes away. Raises LocalError."""
        # Stopped first: a worker that still runs would start one more container in the network.
        self.compose.run("stop", "--timeout", "10")
        strays = docker("ps", "-aq", "--filter", f"network={self.compose.project}_airflow")
        own = docker("ps", "-aq", "--filter", self._label)
        for stray in set(strays.split()) - set(own.split()):
            docker("rm", "--force", stray)  # of a task: compose knows nothing of it
        self.compose.run("down", "--volumes", "--remove-orphans", "--timeout", "10")

    def left(self) -> list[str]:
        """What the project still has of containers, networks and volumes."""
        mine = ("--filter", self._label, "-q")
        return [
            each
            for kind in (("ps", "-a"), ("network", "ls"), ("volume", "ls"))
            for each in docker(*kind, *mine).split()
        ]


def prove(api: Api, dag_id: str = PROOF) -> dict[str, Any]:
    """One run of a DAG from its start to success. Raises LocalError, with where its tasks ended."""
    if not wait_until(lambda: dag_id in api.dags(), READY_SECONDS, pause=1):
        errors = "; ".join(api.import_errors()) or "no import error"
        raise LocalError(f"Airflow has not read {dag_id}", found=errors)
    api.unpause(dag_id)
    run = api.post(f"dags/{dag_id}/dagRuns", {"logical_date": None})
    return wait_run(api, dag_id, run["dag_run_id"])


def wait_run(api: Api, dag_id: str, run_id: str, seconds: float = RUN_SECONDS) -> dict[str, Any]:
    """The run when it has ended well, however often the API server is away. Raises LocalError."""
    path = f"dags/{dag_id}/dagRuns/{run_id}"
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        run: dict[str, Any] = _patiently(lambda: api.get(path)) or {}
        if run.get("state") == "success":
            return run
        if run.get("state") == "failed":
            break
        time.sleep(0.5)
    raise LocalError(f"{dag_id} did not end well", found=json.dumps(states(api, path)))


def states(api: Api, path: str) -> dict[str, str]:
    """The state of each task of a run; of a mapped one, of each instance."""
    answer = api.get(f"{path}/taskInstances", limit=200)
    return {f"{ti['task_id']}[{ti['map_index']}]": ti["state"] for ti in answer["task_instances"]}


def _patiently(ask: Callable[[], Any]) -> Any:
    """What is asked, or None while the API server is away."""
    try:
        return ask()
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return None


def up(console: Console | None = None) -> int:
    """`make celery`: build, start, wait until a run has passed, say where to look."""
    console = console or Console(highlight=False)
    require_docker()
    stack = Stack.of()
    started = time.monotonic()
    with console.status("building the images (some minutes the first time)"):
        stack.build()
    with console.status("starting the services"):
        stack.start()
    with console.status("waiting for Airflow"):
        api = stack.wait_ready()
    with console.status("putting the files into the bucket"):
        seed(make_client(stack.store), restore=False)
    with console.status(f"running {PROOF}"):
        run = prove(api)
    console.print(f"{PROOF} ended with {run['state']}; up in {time.monotonic() - started:.0f} s\n")
    say_where(stack, console)
    return 0


def say_where(stack: Stack, console: Console) -> None:
    """Where to look, and how to end it."""
    port = {name: f"http://{LOCALHOST}:{value}" for name, value in stack.env.items()}
    lines = [
        ("Airflow", stack.address, "admin, LANDFALL_AIRFLOW_PASSWORD"),
        ("Flower", port["LANDFALL_FLOWER_PORT"], "admin, LANDFALL_FLOWER_PASSWORD"),
        ("reports", port["LANDFALL_REPORTS_PORT"], "X-API-Key: LANDFALL_REPORTS_KEY"),
        ("MinIO", port["LANDFALL_STORE_CONSOLE_PORT"], "landfall, LANDFALL_STORE_PASSWORD"),
        ("warehouse", stack.warehouse.name, "LANDFALL_WAREHOUSE_PASSWORD"),
    ]
    for name, where, who in lines:
        console.print(f"{name:11}{where:42}{who}", soft_wrap=True)
    console.print("\nThe passwords are in .env. Unpause feed_flights, and look at both workers.")
    console.print("make celery-down ends it, and removes its volumes.")


def down(console: Console | None = None) -> int:
    """`make celery-down`: nothing of the stack is left."""
    console = console or Console(highlight=False)
    require_docker()
    stack = Stack.of()
    with console.status("stopping the services"):
        stack.down()
    left = stack.left()
    if left:
        raise LocalError("something of the stack is left", found=", ".join(left))
    console.print("no container, network or volume of the stack is left")
    return 0
