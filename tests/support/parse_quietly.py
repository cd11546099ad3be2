"""A program: parses a folder of DAG files, and tells what each reached for while it did.

Prints one JSON object, file by file: what was reached for, and which big packages it brought in.
It is a process of its own because a module that others imported already would do nothing here.
"""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path

NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname")
BIG = ("boto3", "numpy", "pandas", "psycopg", "pyarrow", "sqlalchemy.orm.session")


class Reached(Exception):
    """A DAG file reached for something while it was parsed."""


def watch(reached: list[str]) -> None:
    """Refuse the network, connections and variables from now on, and note who asked for them."""
    from airflow.models import connection, variable
    from airflow.sdk.execution_time import context

    def refuse(what: str):
        def refused(*args, **_):
            reached.append(f"{what} {args[0] if args else ''}".strip())
            raise Reached(what)

        return refused

    def audit(event, args):
        # The address of a Unix socket, which is no network, is text.
        if event in NETWORK and not (event == "socket.connect" and isinstance(args[1], str)):
            refuse("network")(args[1] if event == "socket.connect" else args[0])

    sys.addaudithook(audit)
    for name in ("_get_connection", "_async_get_connection"):
        setattr(context, name, refuse("connection"))
    for name in ("_get_variable", "_async_get_variable"):
        setattr(context, name, refuse("variable"))
    connection.Connection.get_connection_from_secrets = refuse("connection")
    variable.Variable.get = refuse("variable")


def main(folder: Path) -> None:
    """Parse file by file."""
    from airflow.dag_processing.dagbag import DagBag

    with contextlib.redirect_stdout(sys.stderr):
        DagBag(folder / "no such folder")  # plugins and settings, which every process has
        reached: list[str] = []
        watch(reached)
        found = {}
        # Lessons first: the feeds bring in what every lesson would then find there.
        for path in sorted(folder.rglob("*.py"), key=lambda path: (path.parent == folder, path)):
            before = set(sys.modules)
            del reached[:]
            DagBag(path)
            big = [name for name in BIG if name in sys.modules and name not in before]
            found[str(path.relative_to(folder))] = {"reached": list(reached), "big": big}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
