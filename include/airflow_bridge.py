"""The adapter between Airflow and the engine, for the plugins and the seam to astro-sdk alike.

Airflow's connections go down to the engine as stores and warehouses, the engine's errors come up
to Airflow as its own, and the ledger learns which task loads.
"""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook, get_current_context
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowNotFoundException,
    AirflowSecretsBackendAccessDenied,
    AirflowSkipException,
)

from include.airflow_timeout import in_time
from include.landfall.connections import Store, Warehouse
from include.landfall.connections.environment import DEFAULT_STORE
from include.landfall.connections.warehouse import uses_iam
from include.landfall.errors import (
    ConnectionUnusable,
    DataError,
    LandfallError,
    ObjectChanged,
    ServerUnavailable,
    failures_of,
    printable,
)

if TYPE_CHECKING:
    from include.landfall.load import Receipt


def store_of(conn_id: str | None) -> Store:
    """Returns the S3 service of an AWS connection.

    Without a name it is the service of `aws_default`, or, where that is not defined either, AWS
    itself with the key that AWS's own chain finds (environment, profile, role).

    Raises: ConnectionUnusable when a connection is named that Airflow does not have.
    """
    try:
        connection = _connection(conn_id or DEFAULT_STORE)
    except LandfallError:
        if conn_id or _variable(DEFAULT_STORE) in os.environ:
            raise
        return Store()
    return _store(connection, _extra(connection))


def warehouse_of(conn_id: str, database: str | None = None) -> Warehouse:
    """Returns the database of a Postgres connection; `database` counts where it names none.

    Raises: ConnectionUnusable when Airflow does not have the connection.
    """
    connection = _connection(conn_id)
    extra = _extra(connection)
    iam = store_of(extra.get("aws_conn_id")) if uses_iam(extra) else None
    return _warehouse(connection, extra, iam, database)


async def astore_of(conn_id: str | None) -> Store:
    """Does what `store_of` does in the triggerer, where a blocking look-up stops the event loop.

    Raises: ConnectionUnusable when a connection is named that Airflow does not have.
    """
    try:
        connection = await _aconnection(conn_id or DEFAULT_STORE)
    except LandfallError:
        if conn_id or _variable(DEFAULT_STORE) in os.environ:
            raise
        return Store()
    return _store(connection, await asyncio.to_thread(_extra, connection))


async def awarehouse_of(conn_id: str) -> Warehouse:
    """Does what `warehouse_of` does, in the triggerer.

    Raises: ConnectionUnusable when Airflow does not have the connection.
    """
    connection = await _aconnection(conn_id)
    extra = await asyncio.to_thread(_extra, connection)
    iam = await astore_of(extra.get("aws_conn_id")) if uses_iam(extra) else None
    return _warehouse(connection, extra, iam)


def connection_type(conn_id: str) -> str:
    """Returns the type of an Airflow connection, such as `postgres`.

    Raises: ConnectionUnusable when Airflow does not have the connection.
    """
    return str(_connection(conn_id).conn_type)


def verdict(
    message: str, retryable: bool, failures: Sequence[dict[str, str]] = ()
) -> AirflowException:
    """Returns the exception with which Airflow retries a task only if a retry can help.

    Its attribute `failures` is that of `failures_of`, for who tells of the task's failure.
    """
    exception = (AirflowException if retryable else AirflowFailException)(message)
    exception.failures = list(failures)
    return exception


@contextmanager
def airflow_errors() -> Iterator[None]:
    """Turns the engine's errors into Airflow's, by whether a retry can help.

    Raises: AirflowException for a transient error, AirflowFailException for a terminal one.
    """
    try:
        with in_time():
            yield
    except LandfallError as error:
        # `from None`: the message is complete, and the engine's frames would hide it in the log.
        raise verdict(str(error), error.retryable, failures_of([error])) from None


@contextmanager
def arrival_errors() -> Iterator[None]:
    """Does what `airflow_errors` does, and skips the task when its listed object has changed.

    A retry would ask for the version that is gone. The new version is an arrival of its own, which
    the sensor's next look finds.

    Raises: AirflowSkipException when the object has changed, else as `airflow_errors`.
    """
    with airflow_errors():
        try:
            yield
        except ObjectChanged as changed:
            text = f"{changed}\nskipped: the next run lists the feed again"
            raise AirflowSkipException(text) from None
        except DataError as refused:
            raise with_samples(refused) from None


def with_samples(refused: LandfallError) -> LandfallError:
    """Adds the command that shows the refused rows, where the message names only some of them."""
    feed, uri = refused.place.feed, refused.place.object
    if isinstance(refused, DataError) and refused.rejection and feed and uri:
        command = rejects_command(feed, uri.removeprefix("s3://").partition("/")[2])
        refused.more.append(("to see the rows", f"{command} --state sample"))
    return refused


def loader() -> str:
    """Returns the name under which the ledger keeps the running task; empty when no task runs."""
    ti = _task_instance()
    return f"{ti.dag_id}.{ti.task_id} {ti.run_id} #{ti.try_number}" if ti else ""


def task_identity() -> str:
    """Returns what all tries of the running task instance share; empty when no task runs."""
    if (ti := _task_instance()) is None:
        return ""
    map_index = -1 if ti.map_index is None else ti.map_index
    return "\0".join([ti.dag_id, ti.task_id, ti.run_id, str(map_index)])


def push_xcom(key: str, value: Any) -> None:
    """Writes a small value to XCom under a key; does nothing when no task runs."""
    if ti := _task_instance():
        ti.xcom_push(key=key, value=value)


def rejects_command(feed: str, key: str | None = None) -> str:
    """Returns the command that shows the rejects of a feed of the project, or of one object."""
    command = f".venv/bin/landfall rejects --feed include/feeds/{feed}.yaml"
    return f"{command} --object {_quoted(key)}" if key else command


def _quoted(text: str) -> str:
    """Returns the text as a shell takes it, on one line."""
    if text.isprintable():
        return shlex.quote(text)
    escaped = text.encode("unicode_escape").decode().replace("'", "\\'")
    return f"$'{escaped}'"


def rejects_warning(receipt: Receipt) -> str | None:
    """Returns the warning of a load that has rejects: how many, why, and how to see them."""
    if not receipt.rejected:
        return None
    reasons = ", ".join(f"{number} {reason}" for reason, number in receipt.reasons.items())
    return (
        f"{_uri(receipt)}: {receipt.rejected} rows are rejected ({reasons});"
        f" to see them: {rejects_command(receipt.feed, receipt.key)}"
    )


def changes_warning(receipt: Receipt) -> str | None:
    """Returns the warning of a load whose file departs from its feed, or that altered the table."""
    if not receipt.changes:
        return None
    return f"{_uri(receipt)} departs from its feed: {printable('; '.join(receipt.changes))}"


def duplicate_warning(receipt: Receipt) -> str | None:
    """Returns the warning of a load whose content another object brought before."""
    if not receipt.duplicate_of:
        return None
    return (
        f"{_uri(receipt)} has content that was loaded before:"
        f" {printable(receipt.duplicate_of)}; where the sender sends files twice, write"
        " source.duplicates: refuse in the feed"
    )


def load_warnings(receipt: Receipt) -> list[str]:
    """Returns the warnings of a load, for its log."""
    warnings = (duplicate_warning(receipt), changes_warning(receipt), rejects_warning(receipt))
    return [warning for warning in warnings if warning]


def _uri(receipt: Receipt) -> str:
    return printable(f"s3://{receipt.bucket}/{receipt.key}")


def _task_instance() -> Any:
    try:
        return get_current_context()["ti"]
    except RuntimeError:  # how Airflow says that no task runs
        return None


def _connection(conn_id: str) -> Any:
    with _missing_connections(conn_id):
        return _read(BaseHook.get_connection(conn_id))


async def _aconnection(conn_id: str) -> Any:
    with _missing_connections(conn_id):
        return _read(await BaseHook.aget_connection(conn_id))


def _read(connection: Any) -> Any:
    """Returns the connection, unless Airflow made it of a text that is none, such as a password."""
    if connection.conn_type == "" and _variable(connection.conn_id) in os.environ:
        raise _unreadable(connection.conn_id)
    return connection


@contextmanager
def _missing_connections(conn_id: str) -> Iterator[None]:
    try:
        yield
    except AirflowNotFoundException:
        raise _missing(conn_id) from None
    except AirflowSecretsBackendAccessDenied as denied:
        raise ConnectionUnusable(str(denied)) from None


def _missing(conn_id: object) -> LandfallError:
    """Returns the error of a connection that Airflow does not give.

    Airflow says the same when it cannot read the connection, and when a secrets backend is away.
    """
    if not isinstance(conn_id, str) or not conn_id:
        name = repr(conn_id)
        return ConnectionUnusable("a connection without a name", found=name, expected="its id")
    if _variable(conn_id) in os.environ:
        return _unreadable(conn_id)
    settings = ("workers", "secrets_backend"), ("secrets", "backend")
    backend = next(filter(None, (conf.get(*each, fallback="") for each in settings)), None)
    if backend:
        return ServerUnavailable(
            f"Airflow has no connection {conn_id!r}, or its secrets backend did not answer",
            found=f"the secrets backend {backend}",
            do="define the connection there, or find out why the backend does not answer",
        )
    return ConnectionUnusable(
        f"Airflow has no connection {conn_id!r}",
        do=f"define it: airflow_settings.yaml, {_variable(conn_id)} or the UI",
    )


def _unreadable(conn_id: str) -> ConnectionUnusable:
    return ConnectionUnusable(
        f"Airflow cannot read the connection {conn_id!r}",
        found=f"a text in {_variable(conn_id)}",
        expected="JSON of an object, or a URI such as postgres://login:password@host/database",
    )


def _variable(conn_id: str) -> str:
    return f"AIRFLOW_CONN_{conn_id.upper()}"


def _extra(connection: Any) -> Mapping[str, Any]:
    """Returns the connection's extra. It blocks, as Airflow hides the values in it from the log.

    Raises: ConnectionUnusable when it is no JSON of an object: Airflow would go on without it.
    """
    parsed = connection.extra_dejson  # a secrets backend's own class may have no aextra_dejson
    is_empty = (connection.extra or "").replace(" ", "") in {"", "{}"}
    if isinstance(parsed, Mapping) and (parsed or is_empty):
        return parsed
    raise ConnectionUnusable(
        f"the extra of the connection {connection.conn_id!r} cannot be read",
        expected='JSON of an object, such as {"sslmode": "require"}',
    )


def _store(connection: Any, extra: Mapping[str, Any]) -> Store:
    """Makes the store from the connection, as Airflow's Amazon provider understands it.

    The engine renews keys on its own: the process that reads a large file has no Airflow to ask.
    """
    if conf.get("aws", "session_factory", fallback=None):
        raise ConnectionUnusable(
            "Airflow's setting [aws] session_factory gives keys that a load cannot have",
            do="name the role in the connection: role_arn, profile_name or a web identity",
        )
    return Store.from_fields(
        login=connection.login,
        password=connection.password,
        extra=extra,
        host=connection.host,
        conn_id=connection.conn_id,
        conn_type=connection.conn_type,
    )


def _warehouse(
    connection: Any, extra: Mapping[str, Any], iam: Store | None, database: str | None = None
) -> Warehouse:
    return Warehouse.from_fields(
        host=connection.host,
        port=connection.port,
        schema=connection.schema or database,
        login=connection.login,
        password=connection.password,
        extra=extra,
        iam=iam,
        conn_id=connection.conn_id,
        conn_type=connection.conn_type,
    )
