"""A program: parses a folder of DAG files, and reports what each file accessed during that.

Prints one JSON object. For each file it has `reached`, the accesses to the network, to connections
and to variables, and `big`, the large packages that the file imported. It must be a process of its
own: a module that was imported before would not run again.
"""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path

NETWORK_EVENTS = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname")
BIG_PACKAGES = ("boto3", "numpy", "pandas", "psycopg", "pyarrow", "sqlalchemy.orm.session")


class ForbiddenAccess(Exception):
    """A DAG file accessed something while it was parsed."""


def forbid_access(accesses: list[str]) -> None:
    """Refuses the network, connections and variables from now on, and notes each access."""
    from airflow.models import connection, variable
    from airflow.sdk.execution_time import context

    def refuse(what: str):
        def refused(*args, **_):
            accesses.append(f"{what} {args[0] if args else ''}".strip())
            raise ForbiddenAccess(what)

        return refused

    def audit(event, args):
        # A Unix socket is no network. Its address is a text.
        if event in NETWORK_EVENTS and not (event == "socket.connect" and isinstance(args[1], str)):
            refuse("network")(args[1] if event == "socket.connect" else args[0])

    sys.addaudithook(audit)
    for name in ("_get_connection", "_async_get_connection"):
        setattr(context, name, refuse("connection"))
    for name in ("_get_variable", "_async_get_variable"):
        setattr(context, name, refuse("variable"))
    connection.Connection.get_connection_from_secrets = refuse("connection")
    variable.Variable.get = refuse("variable")


def main(folder: Path) -> None:
    """Parses file by file, and prints the report."""
    from airflow.dag_processing.dagbag import DagBag

    with contextlib.redirect_stdout(sys.stderr):
        # Loads the plugins and the settings, as every process of Airflow does.
        DagBag(folder / "no such folder")
        accesses: list[str] = []
        forbid_access(accesses)
        report = {}
        # The lessons come first: the feeds import packages, which would hide a lesson's import.
        for path in sorted(folder.rglob("*.py"), key=lambda path: (path.parent == folder, path)):
            before = set(sys.modules)
            accesses.clear()
            DagBag(path)
            big = [name for name in BIG_PACKAGES if name in sys.modules and name not in before]
            report[str(path.relative_to(folder))] = {"reached": list(accesses), "big": big}
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
