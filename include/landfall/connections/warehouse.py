"""A Postgres database and the role that loads it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from include.landfall.connections.options import filled, flag, refuse_named, refuse_others
from include.landfall.connections.store import Store
from include.landfall.errors import ConnectionUnusable

# What Airflow's own hook takes from a Postgres connection's extras, and a load has no use for.
HOOK_OPTIONS = frozenset("cursor log_sql enable_log_db_messages sqlalchemy_scheme".split())

# What Airflow and people call a connection to Postgres. `generic` may be anything.
POSTGRES_TYPES = {"postgres", "postgresql", "generic", "", None}

# A host that vanishes is noticed in two minutes: by the server's keepalives, and by these.
DEFAULTS = {
    "connect_timeout": "10", "keepalives_idle": "60", "keepalives_interval": "10",
    "keepalives_count": "6", "tcp_user_timeout": "120000",
}  # fmt: skip

_REDSHIFT = "Landfall loads PostgreSQL, also on RDS and Aurora, and not Redshift"
REFUSED = {
    "redshift": _REDSHIFT,
    "redshift-serverless": _REDSHIFT,
    "cluster-identifier": _REDSHIFT,
    "workgroup-name": _REDSHIFT,
    "azure_conn_id": "write a login and a password: tokens are made for RDS only",
    "client_encoding": "take it out: a load sends UTF-8, and the server converts it",
    "replication": "take it out: a load needs a usual connection",
}
WHERE = "the Postgres connection has an extra"


@dataclass(frozen=True)
class Warehouse:
    """A Postgres database and the role that loads it.

    `host` may be several, with commas, and the path of a socket's folder. `options` are libpq's.
    With `iam` a token takes the place of the password: RDS takes it from whom that AWS connection
    is.
    """

    host: str = "localhost"
    port: int = 5432
    dbname: str = "postgres"
    user: str = "postgres"
    password: str | None = field(default=None, repr=False)
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    iam: Store | None = None

    @classmethod
    def from_fields(
        cls,
        *,
        host: str | None,
        port: int | None,
        schema: str | None,
        login: str | None,
        password: str | None,
        extra: Mapping[str, Any] | None = None,
        iam: Store | None = None,
        conn_id: str = "",
        conn_type: str | None = None,
        **_: object,
    ) -> Warehouse:
        """Makes a warehouse from the fields of an Airflow connection of type `postgres`.

        Airflow calls the database `schema`. Every option of libpq may stand in the extras, and goes
        before the field, as in Airflow. `iam` is the store of `aws_conn_id`: see `uses_iam`.

        Raises: ConnectionUnusable when there is another one: what guards a connection must not be
        dropped because it is misspelt. Also when the connection is of another type.
        """
        _check_type(conn_id, conn_type)
        options = _options(filled(extra))
        if "service" not in options:  # its file has what the connection leaves out
            host, port, schema = host or "localhost", port or 5432, schema or "postgres"
            login = login or "postgres"
        host, ports = _split_ports(options.pop("host", host or ""))
        options |= {"port": ports} if ports else {}
        port = int(options.pop("port")) if options.get("port", "").isdigit() else port or 0
        warehouse = cls(
            host, port, options.pop("dbname", schema or ""), options.pop("user", login or ""),
            options.pop("password", password), options, iam,
        )  # fmt: skip
        _check_one_host(host, iam)
        return warehouse

    def conninfo(self) -> str:
        """Returns the connection as libpq reads it. It holds the password: never log it."""
        # Imported here, so that the reading process, which needs no database, stays small.
        from psycopg.conninfo import make_conninfo

        fields = {
            "host": self.host, "port": self.port, "dbname": self.dbname, "user": self.user,
            "password": self.password,
        }  # fmt: skip
        defaults = {**DEFAULTS, **({"sslmode": "require"} if self.iam else {})}
        given = {name: str(value) for name, value in fields.items() if value}
        return make_conninfo("", **{**given, **defaults, **self.options})

    @property
    def address(self) -> str:
        """The host and its port, or all hosts and their ports."""
        hosts = self.host.split(",")
        ports = self.options.get("port", str(self.port)).split(",")
        ports = ports * len(hosts) if len(ports) == 1 else ports
        pairs = [f"{host}:{port}" for host, port in zip(hosts, ports, strict=False)]
        return ",".join(pairs) if self.host else f"service {self.options.get('service')}"

    @property
    def name(self) -> str:
        """The name of this database in messages, without the password."""
        return f"{self.user}@{self.address}/{self.dbname}"


def _check_one_host(host: str, iam: Store | None) -> None:
    if iam and "," in host:
        raise ConnectionUnusable(
            "a token of RDS is for one host", found=host, expected="one host, or a password"
        )


def _check_type(conn_id: str, conn_type: str | None) -> None:
    if conn_type not in POSTGRES_TYPES:
        raise ConnectionUnusable(
            f"the connection {conn_id!r} is no postgres connection",
            found=f"type {conn_type}",
            expected="type postgres",
            do="name the connection of the database in the feed, or correct its type",
        )


def uses_iam(extra: Mapping[str, Any] | None) -> bool:
    """Returns whether a Postgres connection signs in with a token of RDS instead of a password.

    Raises: ConnectionUnusable when `iam` is neither true nor false.
    """
    return flag(filled(extra), "iam")


def _options(given: dict[str, Any]) -> dict[str, str]:
    """Returns the options of libpq among the extras, as texts."""
    # What is switched off is not there.
    given = {k: v for k, v in given.items() if k not in REFUSED or str(v).lower() != "false"}
    refuse_named(WHERE, given, REFUSED)
    if not uses_iam(given):
        refuse_named(WHERE, given, {"aws_conn_id": "add iam: true, or take it out"})
    ours = HOOK_OPTIONS | {"iam", "aws_conn_id"}
    options = {k: str(int(v) if isinstance(v, bool) else v) for k, v in given.items()
               if k not in ours}  # fmt: skip
    refuse_others(WHERE, options, _libpq_options())
    return options


def _libpq_options() -> list[str]:
    # Imported here, so that the reading process, which needs no database, stays small.
    from psycopg.pq import Conninfo

    return [option.keyword.decode() for option in Conninfo.get_defaults()]


def _split_ports(host: str) -> tuple[str, str]:
    """Takes host:port,host:port apart, as a URI has them. libpq has two lists."""
    pairs = [re.fullmatch(r"(\[.*\]|[^:]*):(\d+)", each) for each in host.split(",")]
    if "," not in host or not any(pairs):
        return host, ""
    hosts = [pair[1] if pair else each for pair, each in zip(pairs, host.split(","), strict=True)]
    ports = [pair[2] if pair else "5432" for pair in pairs]
    return ",".join(each.strip("[]") for each in hosts), ",".join(ports)
