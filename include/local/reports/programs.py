"""The report service on this machine: its programs, started, waited for, stopped.

API, worker, beat and Flower run as programs of their own on an embedded Redis, as they would in
containers.
"""

from __future__ import annotations

import os
import secrets
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from include.landfall.connections import Store, Warehouse
from include.landfall.s3.client import make_client
from include.local.airflow.api import OPENER
from include.local.demo.seed import ensure_bucket
from include.local.services import redis_server as redis
from include.local.services.environ import around_proxies, connections
from include.local.services.process import LOCALHOST, free_ports, is_free, wait_until
from include.local.services.program import Program, check_alive, run_programs
from include.local.services.redis_server import Redis, find_redis, start_redis
from include.local.state import PROJECT, LocalError, read_state, write_state

NAME = "reports"
# Those that people know.
PORTS = {"api": 8100, "flower": 5556}
USER = "admin"
READY_SECONDS = 60
CELERY = ("celery", "-A", "include.reports.app")


@dataclass(frozen=True)
class ReportService:
    """A running service: where it answers, and what opens it."""

    ports: Mapping[str, int]
    key: str = field(repr=False)
    flower_password: str = field(repr=False)
    redis: Redis
    programs: dict[str, Program]
    environ: Mapping[str, str] = field(repr=False)

    @property
    def address(self) -> str:
        """The API's."""
        return f"http://{LOCALHOST}:{self.ports['api']}"

    @property
    def flower(self) -> str:
        """Flower's."""
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
    """The service, once all of it answers; ended at the end. Raises LocalError.

    It listens at the `ports` of the last time, else at these, and where they are taken, at any.
    `environ` goes over what the programs have in their environment.
    """
    running = find_reports(home)
    if running:
        raise LocalError("the report service runs already", found=running[0], do="use that one")
    ensure_bucket(make_client(store))
    server = start_redis(home / redis.NAME)
    try:
        state = _prepare(home, ports or {})
        values = _environ(home, server, state) | connections(warehouse, store) | environ
        wanted = commands(home, state["ports"])
        logs = {name: home / "logs" / f"reports-{name}.log" for name in wanted}
        with run_programs(wanted, values, logs) as programs:
            service = ReportService(
                state["ports"], state["key"], state["flower_password"], server,
                {program.name: program for program in programs}, values,
            )  # fmt: skip
            _wait_ready(home, service)
            yield service
    finally:
        # Whichever runs there now: it may have been started anew meanwhile.
        left = find_redis(home / redis.NAME)
        if left:
            left.stop()


def find_reports(home: Path) -> tuple[str, str] | None:
    """Address and key of this home's service, when it runs: only it knows the home's key."""
    state = _state(home / NAME)
    if "ports" not in state:
        return None
    address = f"http://{LOCALHOST}:{state['ports']['api']}"
    headers = {"X-API-Key": state["key"]}
    asked = urllib.request.Request(f"{address}/reports/none", headers=headers)  # noqa: S310 - http
    try:
        OPENER.open(asked, timeout=5)
    except urllib.error.HTTPError as answer:
        with answer:
            return (address, state["key"]) if answer.code == 404 else None
    except OSError:
        pass
    return None


def commands(home: Path, ports: Mapping[str, int]) -> dict[str, Sequence[str]]:
    """Each program's module and arguments."""
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


def answers(url: str) -> bool:
    """Whether a page is there."""
    try:
        with OPENER.open(url, timeout=5) as response:
            return response.status == 200
    except OSError:
        return False


def _environ(home: Path, server: Redis, state: Mapping[str, Any]) -> dict[str, str]:
    return {
        **os.environ,
        **around_proxies(),
        "PYTHONPATH": str(PROJECT),
        "LANDFALL_REPORTS_BROKER": server.url,
        "LANDFALL_REPORTS_KEY": state["key"],
        "LANDFALL_REPORTS_ALIVE_FILE": str(_alive(home)),
        "FLOWER_BASIC_AUTH": f"{USER}:{state['flower_password']}",
    }


def _wait_ready(home: Path, service: ReportService) -> None:
    signs = {
        "api": lambda: answers(f"{service.address}/health"),
        "worker": _alive(home).exists,
        "beat": lambda: len(list(_schedule(home).parent.glob(f"{_schedule(home).name}*"))) > 0,
        "flower": lambda: answers(f"{service.flower}/healthcheck"),
    }

    def settled() -> bool:
        check_alive(list(service.programs.values()))
        return all(sign() for sign in signs.values())

    if not wait_until(settled, READY_SECONDS, pause=0.2):
        missing = ", ".join(name for name, sign in signs.items() if not sign())
        raise LocalError(
            f"the report service is not ready: {missing}", do=f"read the logs in {home / 'logs'}"
        )


def _prepare(home: Path, wished: Mapping[str, int]) -> dict[str, Any]:
    """The state with the ports of this time; no sign of life yet."""
    _alive(home).unlink(missing_ok=True)
    state = _state(home / NAME)
    known, taken = state.get("ports", {}), free_ports(len(PORTS))
    state["ports"] = {
        name: next((p for p in (known.get(name), wished.get(name)) if p and is_free(p)), other)
        for name, other in zip(PORTS, taken)
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


def _alive(home: Path) -> Path:
    return home / NAME / "worker-alive"


def _schedule(home: Path) -> Path:
    return home / NAME / "beat"
