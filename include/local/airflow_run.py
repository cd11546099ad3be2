"""Airflow with its UI on this machine: everything wired, until Ctrl-C.

The API server, the scheduler, the DAG processor and the triggerer run as programs of their own, as
in production. What this starts it stops; services that ran before go on.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from rich.console import Console

from include.landfall.s3 import make_client

from . import services
from .airflow_api import Api, unhealthy
from .airflow_home import (
    PORT,
    USER,
    known_port,
    local_settings,
    prepare_metadata,
    use_port,
    write_login,
)
from .environ import exports
from .process import free_ports, is_free, wait_until
from .seed import seed
from .services import Services
from .state import PROJECT, LocalError

# The scheduler and the triggerer would also serve logs on every address of the machine; the API
# server reads the same files.
PROGRAMS = {
    "api-server": ("airflow", "api-server"),
    "scheduler": ("include.local.airflow_scheduler", "--skip-serve-logs"),
    "dag-processor": ("airflow", "dag-processor"),
    "triggerer": ("airflow", "triggerer", "--skip-serve-logs"),
}
MARTS = "flights_marts"
READY_SECONDS = 120
PARSE_SECONDS = 60
STOP_SECONDS = 20


@dataclass
class Program:
    """One of Airflow's programs and where its words go."""

    name: str
    child: subprocess.Popen[bytes]
    log: Path

    @classmethod
    def start(cls, name: str, environ: dict[str, str], log: Path) -> Program:
        """Start it in a process group of its own, so that Ctrl-C reaches it through us alone."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as file:
            child = subprocess.Popen(
                [sys.executable, "-m", *PROGRAMS[name]],
                stdin=subprocess.DEVNULL, stdout=file, stderr=file, cwd=PROJECT, env=environ,
                start_new_session=True,
            )  # fmt: skip
        return cls(name, child, log)

    def ask_to_stop(self) -> None:
        """Ask the program; it ends its own children."""
        if self.child.poll() is None:
            self.child.terminate()

    def wait(self, seconds: float) -> None:
        """Wait for its end, then end what is left of its group."""
        with suppress(subprocess.TimeoutExpired):
            self.child.wait(seconds)
        with suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()


def run(home: Path) -> int:
    """Start everything, say where it is, wait for Ctrl-C. Raises LocalError."""
    console = Console(highlight=False)
    before = [name for name, handle in services.find(home).items() if handle is not None]
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    try:
        with console.status("starting PostgreSQL and the object store"):
            found = services.up(home)
            seed(make_client(found.object_store.store), restore=False)
        with console.status("preparing Airflow's metadata"):
            environ = _prepare(home, found)
        with _programs(home, environ) as programs:
            with console.status("starting Airflow (about 20 s)"):
                address, password = _ready(home, programs)
                started = _start_feeds(address, password)
            _say(console, home, address, password, started)
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


def _prepare(home: Path, found: Services) -> dict[str, str]:
    port = next((p for p in (known_port(home), PORT) if is_free(p)), None) or free_ports(1)[0]
    use_port(home, port)
    write_login(home)
    server = found.postgres.warehouse
    prepare_metadata(home, server)
    return {**os.environ, **exports(home, found), **local_settings(home, server)}


@contextmanager
def _programs(home: Path, environ: dict[str, str]) -> Iterator[list[Program]]:
    programs: list[Program] = []
    try:
        for name in PROGRAMS:
            log = home / "logs" / f"airflow-{name}.log"
            programs.append(Program.start(name, environ, log))
        yield programs
    finally:
        for program in programs:
            program.ask_to_stop()
        for program in programs:
            program.wait(STOP_SECONDS)


def _ready(home: Path, programs: list[Program]) -> tuple[str, str]:
    address = f"http://127.0.0.1:{known_port(home)}"

    def settled() -> bool:
        _all_alive(programs)
        return not unhealthy(address)

    if not wait_until(settled, READY_SECONDS, pause=0.5):
        missing = ", ".join(unhealthy(address))
        raise LocalError(f"Airflow is not ready: {missing}", do=f"read the logs in {home / 'logs'}")
    return address, write_login(home)


def _all_alive(programs: list[Program]) -> None:
    for program in programs:
        if program.child.poll() is not None:
            raise LocalError(
                f"Airflow's {program.name} ended with exit code {program.child.returncode}",
                do=f"read {program.log}",
            )


def _start_feeds(address: str, password: str) -> list[str]:
    """Have the marts wait for the feeds, and each feed run once now; gives back the feeds."""
    api = Api.login(address, USER, password)
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


def _say(console: Console, home: Path, address: str, password: str, started: list[str]) -> None:
    console.print(f"\n[bold]Airflow runs at {address}[/]")
    console.print(f"  user {USER}, password {password}")
    console.print(f"  {len(started)} feeds run now; the marts follow when they have loaded")
    console.print(f"  logs in {home / 'logs'}")
    console.print('  a shell that reaches all of it: eval "$(make -s env)"')
    console.print("Ctrl-C stops what was started here.")


def _watch(programs: list[Program]) -> None:
    while True:
        _all_alive(programs)
        time.sleep(1)
