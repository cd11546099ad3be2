"""Airflow with its UI on this machine: everything wired, until Ctrl-C.

What this starts it stops; services that ran before go on.
"""

from __future__ import annotations

import signal
import time
from pathlib import Path
from types import FrameType

from rich.console import Console

from include.landfall.s3.client import make_client
from include.local.airflow.api import Api
from include.local.airflow.home import PORT, USER, known_port, password_of
from include.local.airflow.programs import airflow_programs, find_airflow, prepare, wait_ready
from include.local.demo.seed import seed
from include.local.services import control as services
from include.local.services.process import wait_until
from include.local.services.program import Program, check_alive
from include.local.state import PROJECT, LocalError

MARTS = "flights_marts"
PARSE_SECONDS = 60


def run(home: Path) -> int:
    """Start everything, say where it is, wait for Ctrl-C. Raises LocalError."""
    running = find_airflow(home)
    if running:
        raise LocalError(
            "Airflow runs already", found=running.address,
            do="open it; or wait for its end, where make lessons has started it",
        )  # fmt: skip
    console = Console(highlight=False)
    before = services.alive(home)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    try:
        with console.status("starting PostgreSQL and the object store"):
            found = services.up(home)
            seed(make_client(found.object_store.store), restore=False)
        with console.status("preparing Airflow's metadata"):
            environ = prepare(home, found, ports=(PORT, known_port(home)))
        with airflow_programs(home, environ) as programs:
            with console.status("starting Airflow (about 20 s)"):
                api = wait_ready(home, programs)
                started = start_feeds(api)
            _say(console, home, api.address, started)
            _watch(programs)
    except KeyboardInterrupt:
        return 0
    finally:
        if not before:
            console.print("stopping")
            services.down(home)
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def start_feeds(api: Api) -> list[str]:
    """Have the marts wait for the feeds, and each feed run once now; gives back the feeds."""
    wanted = _expected_dags()
    if not wait_until(lambda: wanted <= api.dags().keys(), PARSE_SECONDS, pause=1):
        missing = ", ".join(sorted(wanted - api.dags().keys()))
        found = "\n".join(api.import_errors()) or None
        raise LocalError(f"Airflow did not read the DAGs {missing}", found=found)
    paused = api.dags()
    feeds = sorted(dag_id for dag_id in wanted if dag_id != MARTS)
    for dag_id in (MARTS, *feeds):
        if paused[dag_id]:
            # A schedule that begins runs at once for the hour that is over.
            api.unpause(dag_id)
        elif dag_id != MARTS:
            api.trigger(dag_id)
    return feeds


def _expected_dags() -> set[str]:
    feeds = (PROJECT / "include" / "feeds").glob("*.yaml")
    return {f"feed_{path.stem}" for path in feeds} | {MARTS}


def _say(console: Console, home: Path, address: str, started: list[str]) -> None:
    console.print(f"\n[bold]Airflow runs at {address}[/]")
    console.print(f"  user {USER}, password {password_of(home)}")
    console.print(f"  {len(started)} feeds run now; the marts follow when they have loaded")
    console.print(f"  the course, paused until you start one: {address}/dags?tags=lesson")
    console.print(f"  logs in {home / 'logs'}")
    console.print('  a shell that reaches all of it: eval "$(make -s env)"')
    console.print("Ctrl-C stops what was started here.")


def _watch(programs: list[Program]) -> None:
    while True:
        check_alive(programs)
        time.sleep(1)
