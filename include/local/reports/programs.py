"""The report service on this machine: its programs, started, waited for, stopped.

API, worker, beat and Flower run as separate programs on an embedded Redis, as they would in
containers.
"""

from __future__ import annotations

import os
import secrets
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from include.landfall.connections import Store, Warehouse
from include.landfall.s3.client import make_client
from include.local.airflow.api import OPENER
from include.local.demo.seed import ensure_bucket
from include.local.services import redis_server
from include.local.services.environ import around_proxies, connections
from include.local.services.process import LOCALHOST, free_ports, is_free
from include.local.services.program import Program, run_programs, wait_for_parts
from include.local.services.redis_server import Redis, find_redis, start_redis
from include.local.state import PROJECT, LocalError, read_state, write_state

NAME = "reports"
# The ports that the documentation names.
PORTS = {"api": 8100, "flower": 5556}
USER = "admin"
READY_SECONDS = 60
CELERY = ("celery", "-A", "include.reports.app")
USE_THAT = "use that one; make down stops it where its command was killed"


@dataclass(frozen=True)
class ReportService:
    """A running service: its addresses, key and password, and its programs."""

    ports: Mapping[str, int]
    key: str = field(repr=False)
    flower_password: str = field(repr=False)
    redis: Redis
    programs: dict[str, Program]
    environ: Mapping[str, str] = field(repr=False)

    @property
    def address(self) -> str:
        """The API's address."""
        return f"http://{LOCALHOST}:{self.ports['api']}"

    @property
    def flower(self) -> str:
        """Flower's address."""
        return f"http://{LOCALHOST}:{self.ports['flower']}"


@contextmanager
def report_service(
    home: Path,
    warehouse: Warehouse,
    store: Store,
    *,
    ports: Mapping[str, int] | None = None,
    **environ: str,
) -> Iterator[ReportService]:
    """Starts the service, waits until all of it answers, and stops it at the end.

    It listens at the ports of the last time, else at `ports`, and where those are taken, at any.
    `environ` is added to the environment of the programs.

    Raises: LocalError when it runs already, or a part of it cannot start.
    """
    running = find_reports(home)
    if running:
        raise LocalError("the report service runs already", found=running[0], do=USE_THAT)
    with closing(make_client(store)) as client:
        ensure_bucket(client)
    with ExitStack() as stack:
        redis = start_redis(home / redis_server.NAME)
        stack.callback(_stop_redis, home)
        state = _prepare(home, ports or {})
        values = _environ(home, redis, state) | connections(warehouse, store) | environ
        modules = commands(home, state["ports"])
        logs = {name: home / "logs" / f"reports-{name}.log" for name in modules}
        programs = stack.enter_context(run_programs(modules, values, logs))
        service = ReportService(
            state["ports"], state["key"], state["flower_password"], redis,
            {program.name: program for program in programs}, values,
        )  # fmt: skip
        _wait_ready(home, service)
        yield service


def _stop_redis(home: Path) -> None:
    """Stops the Redis that runs in this home now, which may be another one than at the start."""
    redis = find_redis(home / redis_server.NAME)
    if redis:
        redis.stop()


def find_reports(home: Path) -> tuple[str, str] | None:
    """Address and key of this home's service, if it runs. No other one has the home's key."""
    state = _state(home / NAME)
    if "ports" not in state:
        return None
    address = f"http://{LOCALHOST}:{state['ports']['api']}"
    request = urllib.request.Request(  # noqa: S310 - http
        f"{address}/reports/none", headers={"X-API-Key": state["key"]}
    )
    try:
        OPENER.open(request, timeout=5)
    except urllib.error.HTTPError as answer:
        with answer:
            return (address, state["key"]) if answer.code == 404 else None
    except OSError:
        pass
    return None


def commands(home: Path, ports: Mapping[str, int]) -> dict[str, Sequence[str]]:
    """Returns each program's module and arguments."""
    return {
        "api": (
            "uvicorn", "--factory", "include.reports.api:create_app", "--host", LOCALHOST,
            "--port", str(ports["api"]), "--no-access-log",
        ),
        "worker": (*CELERY, "worker", "--loglevel", "INFO", "--without-gossip", "--without-mingle"),
        "beat": (
            *CELERY, "beat", "--loglevel", "INFO", "--schedule", str(_schedule(home)),
            "--pidfile=",
        ),
        "flower": (
            *CELERY, "flower", f"--address={LOCALHOST}", f"--port={ports['flower']}",
        ),
    }  # fmt: skip


def _environ(home: Path, redis: Redis, state: Mapping[str, Any]) -> dict[str, str]:
    return {
        **os.environ,
        **around_proxies(),
        "PYTHONPATH": str(PROJECT),
        "LANDFALL_REPORTS_BROKER": redis.url,
        "LANDFALL_REPORTS_KEY": state["key"],
        "LANDFALL_REPORTS_ALIVE_FILE": str(_alive_file(home)),
        "FLOWER_BASIC_AUTH": f"{USER}:{state['flower_password']}",
    }


def _wait_ready(home: Path, service: ReportService) -> None:
    schedule = _schedule(home)
    checks = {
        "api": lambda: _opens(f"{service.address}/health"),
        "worker": _alive_file(home).exists,
        "beat": lambda: any(schedule.parent.glob(f"{schedule.name}*")),
        "flower": lambda: _opens(f"{service.flower}/healthcheck"),
    }
    wait_for_parts(
        "the report service", list(service.programs.values()),
        lambda: [name for name, ready in checks.items() if not ready()],
        READY_SECONDS, home / "logs",
    )  # fmt: skip


def _opens(url: str) -> bool:
    try:
        with OPENER.open(url, timeout=5) as response:
            return response.status == 200
    except OSError:
        return False


def _prepare(home: Path, preferred: Mapping[str, int]) -> dict[str, Any]:
    """The state with the ports of this start; what showed that the last worker ran is deleted."""
    _alive_file(home).unlink(missing_ok=True)
    state = _state(home / NAME)
    last = state.get("ports", {})
    state["ports"] = {
        name: next((p for p in (last.get(name), preferred.get(name)) if p and is_free(p)), other)
        for name, other in zip(PORTS, free_ports(len(PORTS)))
    }
    write_state(home / NAME, state)
    return state


def _state(folder: Path) -> dict[str, Any]:
    """The key and the password of this service, made on first use."""
    state = read_state(folder)
    if "key" not in state:
        state = {"key": secrets.token_urlsafe(24), "flower_password": secrets.token_urlsafe(12)}
        write_state(folder, state)
    return state


def _alive_file(home: Path) -> Path:
    return home / NAME / "worker-alive"


def _schedule(home: Path) -> Path:
    return home / NAME / "beat"
