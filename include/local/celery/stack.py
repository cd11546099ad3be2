"""The stack of containers: built, started, tried by one run of a DAG, and removed.

Health checks alone are not enough: with a wrong secret every part is healthy and every task fails.
"""

from __future__ import annotations

import json
import os
import time
import urllib.error
from collections.abc import Callable, Mapping
from contextlib import closing
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
    """The stack of one compose project, and the settings of its .env."""

    compose: Compose
    env: dict[str, str]

    @classmethod
    def of(cls, environ: Mapping[str, str] = os.environ) -> Stack:
        """Returns the stack of this checkout.

        The environment goes over .env, as in compose. LANDFALL_PROJECT names a second stack.
        """
        env = ensure_env(PROJECT / ".env.example", PROJECT / ".env")
        env |= {name: environ[name] for name in env if environ.get(name)}
        project = environ.get("LANDFALL_PROJECT", NAME)
        env |= {"LANDFALL_DOCKER_GID": socket_group(), "LANDFALL_PROJECT": project}
        return cls(Compose(project, (FILE,), env), env)

    @property
    def address(self) -> str:
        """Airflow's address."""
        return f"http://{LOCALHOST}:{self.env['LANDFALL_AIRFLOW_PORT']}"

    @property
    def store(self) -> Store:
        """MinIO, at its port of this machine."""
        endpoint = f"http://{LOCALHOST}:{self.env['LANDFALL_STORE_PORT']}"
        return Store(endpoint, "landfall", self.env["LANDFALL_STORE_PASSWORD"])

    @property
    def warehouse(self) -> Warehouse:
        """The warehouse, at its port of this machine."""
        port = int(self.env["LANDFALL_WAREHOUSE_PORT"])
        password = self.env["LANDFALL_WAREHOUSE_PASSWORD"]
        return Warehouse(LOCALHOST, port, "warehouse", "landfall", password)

    @property
    def _label(self) -> str:
        return f"label=com.docker.compose.project={self.compose.project}"

    def login(self) -> Api:
        """Logs in to Airflow's API as the user admin."""
        return Api.login(self.address, "admin", self.env["LANDFALL_AIRFLOW_PASSWORD"])

    def build(self) -> None:
        """Builds the project's own images.

        Raises: LocalError when one cannot be built.
        """
        for image, file in IMAGES.items():
            context = PROJECT if "celery" in file else (PROJECT / file).parent
            call(
                ["docker", "build", "--quiet", "-t", image, "-f", str(PROJECT / file), str(context)]
            )

    def start(self) -> None:
        """Starts every service.

        Raises: LocalError when one cannot start.
        """
        self.compose.run("up", "-d", "--no-build", "--remove-orphans")

    def wait_ready(self) -> Api:
        """Waits until all parts of Airflow are healthy; returns its API.

        Raises: LocalError when a part is not healthy in time.
        """
        if not wait_until(lambda: not unhealthy(self.address), READY_SECONDS, pause=1):
            missing = ", ".join(unhealthy(self.address))
            do = "see which container is not healthy (docker ps -a), and its docker logs"
            raise LocalError(f"Airflow is not ready: {missing}", do=do)
        return self.login()

    def down(self) -> None:
        """Removes containers, network and volumes.

        Raises: LocalError when Docker cannot.
        """
        # The stack stops first, since a running worker would start more containers in the network.
        self.compose.run("stop", "--timeout", "10")
        strays = docker("ps", "-aq", "--filter", f"network={self.compose.project}_airflow")
        own = docker("ps", "-aq", "--filter", self._label)
        for stray in set(strays.split()) - set(own.split()):
            docker("rm", "--force", stray)  # a task started it, so compose does not remove it
        self.compose.run("down", "--volumes", "--remove-orphans", "--timeout", "10")

    def left(self) -> list[str]:
        """Returns the ids of the project's containers, networks and volumes that still exist."""
        own = ("--filter", self._label, "-q")
        return [
            each
            for command in (("ps", "-a"), ("network", "ls"), ("volume", "ls"))
            for each in docker(*command, *own).split()
        ]


def prove(api: Api, dag_id: str = PROOF) -> dict[str, Any]:
    """Runs a DAG once and waits for its success.

    Raises: LocalError with the states of its tasks when it fails.
    """
    if not wait_until(lambda: dag_id in api.dags(), READY_SECONDS, pause=1):
        errors = "; ".join(api.import_errors()) or "no import error"
        raise LocalError(f"Airflow has not read {dag_id}", found=errors)
    api.unpause(dag_id)
    run = api.post(f"dags/{dag_id}/dagRuns", {"logical_date": None})
    return wait_run(api, dag_id, run["dag_run_id"])


def wait_run(api: Api, dag_id: str, run_id: str, seconds: float = RUN_SECONDS) -> dict[str, Any]:
    """Waits for a run's success, also while the API server is away for some time.

    Raises: LocalError with the states of its tasks when it fails, or takes more than `seconds`.
    """
    path = f"dags/{dag_id}/dagRuns/{run_id}"
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        run: dict[str, Any] = _or_none(lambda: api.get(path)) or {}
        if run.get("state") == "success":
            return run
        if run.get("state") == "failed":
            break
        time.sleep(0.5)
    raise LocalError(f"{dag_id} did not succeed", found=json.dumps(states(api, path)))


def states(api: Api, path: str) -> dict[str, str]:
    """Returns the state of each task instance of a run, by task id and map index."""
    answer = api.get(f"{path}/taskInstances", limit=200)
    return {f"{ti['task_id']}[{ti['map_index']}]": ti["state"] for ti in answer["task_instances"]}


def _or_none(call: Callable[[], Any]) -> Any:
    """Returns what `call` returns, or None while the API server is away."""
    try:
        return call()
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return None


def up(console: Console | None = None) -> int:
    """Builds and starts the stack, waits until one run has succeeded, and prints the addresses."""
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
    with (
        console.status("putting the files into the bucket"),
        closing(make_client(stack.store)) as client,
    ):
        seed(client, restore=False)
    with console.status(f"running {PROOF}"):
        run = prove(api)
    console.print(f"{PROOF} ended with {run['state']}; up in {time.monotonic() - started:.0f} s\n")
    _print_where(stack, console)
    return 0


def _print_where(stack: Stack, console: Console) -> None:
    address = {name: f"http://{LOCALHOST}:{value}" for name, value in stack.env.items()}
    lines = [
        ("Airflow", stack.address, "admin, LANDFALL_AIRFLOW_PASSWORD"),
        ("Flower", address["LANDFALL_FLOWER_PORT"], "admin, LANDFALL_FLOWER_PASSWORD"),
        ("reports", address["LANDFALL_REPORTS_PORT"], "X-API-Key: LANDFALL_REPORTS_KEY"),
        ("MinIO", address["LANDFALL_STORE_CONSOLE_PORT"], "landfall, LANDFALL_STORE_PASSWORD"),
        ("warehouse", stack.warehouse.name, "LANDFALL_WAREHOUSE_PASSWORD"),
    ]
    for name, where, login in lines:
        console.print(f"{name:11}{where:41} {login}", soft_wrap=True)
    console.print("\nThe passwords are in .env. Unpause feed_flights, and look at both workers.")
    console.print("make celery-down ends it, and removes its volumes.")


def down(console: Console | None = None) -> int:
    """Removes the stack, and checks that nothing of it is left.

    Raises: LocalError when something is left.
    """
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
