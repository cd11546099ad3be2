"""Turns the errors of psycopg and Postgres into the project's errors, by the table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from include.landfall.connections import Warehouse
from include.landfall.errors import (
    ConnectionUnusable,
    LandfallError,
    RefusedCell,
    ServerUnavailable,
    shorten,
)
from include.landfall.postgres.error_table import (
    CLASSES,
    OF_PGBOUNCER,
    STATEMENT_MODE,
    STATES,
    TIMEOUT_STATES,
    TIMEOUTS,
    UNKNOWN,
)
from include.landfall.verdict import Verdict

# psycopg gives no SQLSTATE when a connection fails, so the message decides. Words of the server
# about the role and the database, and of libpq about certificates: a retry meets them again.
REFUSALS = (
    "password", "authentication", "does not exist", "pg_hba.conf", "not permitted",
    "permission denied", "certificate", "does not support SSL", "channel binding",
)  # fmt: skip
# What the server says of a login that it could not finish in time, as one that is overloaded.
UNFINISHED = "canceling authentication due to timeout"
# How the server and PgBouncer word that they take no more connections just now.
NO_MORE = (
    "too many connections", "too many clients", "remaining connection slots",
    "no more connections allowed",
)  # fmt: skip
# How the server words that another session changed or dropped what a statement was working on. The
# state is that of an error inside the server, and yet a later transaction succeeds.
OVERTAKEN = (
    "tuple concurrently updated", "tuple concurrently deleted", "cache lookup failed for",
    "could not open relation with OID",
)  # fmt: skip
# Words of libpq, psycopg and PgBouncer about options that they do not take as they are.
WRONG_OPTIONS = (
    " value: \"", "bad value for", "invalid integer value", "invalid port number",
    "could not match", "could not parse network address", "weak sslmode", "definition of service",
    "unsupported startup parameter",
)  # fmt: skip
# libpq begins each reason with the address, which the error has already. Of several they are told.
ATTEMPT = re.compile(
    r"connection (?:failed|is bad): connection to server (?:at|on socket) .*? failed: "
)
# A line of the server's context that names a function of the database, such as a trigger's. Blocks
# of the engine itself are no such function.
FUNCTION = re.compile(r"^(?:PL/\w+|SQL) function (?!inline_code_block).*", re.MULTILINE)
WORDLESS = "read the server's log: its message is not kept here, because it may quote rows"
REASON = 320  # characters of a server's own words; the state must stay beside them
LIMITS = {"statement_timeout", "lock_timeout"}  # a feed can set them for its own loads


@contextmanager
def postgres_errors() -> Iterator[None]:
    """Turns what psycopg raises into the project's errors."""
    try:
        yield
    except psycopg.Error as error:
        raise refusal(error) from error


def refusal(error: psycopg.Error, *, has_feed: bool = True) -> LandfallError:
    """Returns the error as one of the project's, by what a retry would do.

    Only where there is a feed can its limits be what to raise.
    """
    verdict, message = _verdict(error), _message(error)
    setting = _setting(error.sqlstate, message)
    state = f" (SQLSTATE {error.sqlstate})" if error.sqlstate else ""
    refused = verdict.error(
        f"the database stopped the work because of {setting}" if setting else verdict.what,
        found=shorten(message, REASON) + state,
        do=_what_to_do(error, setting, verdict, has_feed),
    )
    if function := _function(error):
        refused.more.append(("raised in", function))
    return refused


def hide_words(refused: LandfallError) -> None:
    """Takes the server's words out of the error: what a trigger says, or hints, may quote rows."""
    refused.found = None
    if not refused.retryable:
        refused.do = WORDLESS


def refuses_rows(error: psycopg.Error) -> bool:
    """Returns whether the error may be about single rows: data, or a trigger's own SQLSTATE."""
    verdict = _verdict(error)
    return verdict is UNKNOWN or verdict.error is RefusedCell


def unreached(warehouse: Warehouse, error: psycopg.Error) -> LandfallError:
    """Returns a failed connect as one of the project's errors, by what a retry would do."""
    message = _reason(error)
    if any(words in message for words in WRONG_OPTIONS):
        return ConnectionUnusable(
            "an option of the Postgres connection cannot be used",
            found=message,
            do="correct the connection's extras",
        )
    if _is_refused(error, message):
        return ConnectionUnusable(
            f"the database refused the connection as {warehouse.name}",
            found=message,
            do="check the connection's user, password and database, and that the user may CONNECT",
        )
    if any(words in message for words in NO_MORE):
        return ServerUnavailable(
            f"the database at {warehouse.address} takes no more connections",
            found=message,
            do="retry; if it happens again, let fewer loads run at once, or raise the limit that"
            " the message names",
        )
    return ServerUnavailable(
        f"the database cannot be reached at {warehouse.address}",
        found=message,
        do="start it, or correct the connection; then retry",
    )


def _reason(error: psycopg.Error) -> str:
    """Returns why a connect failed, in the server's or libpq's words."""
    message = " ".join(str(error).split())
    return message if len(ATTEMPT.findall(message)) > 1 else ATTEMPT.sub("", message)


def _is_refused(error: psycopg.Error, message: str) -> bool:
    if error.sqlstate:
        return not _verdict(error).error.retryable
    return UNFINISHED not in message and any(words in message for words in REFUSALS)


def _verdict(error: psycopg.Error) -> Verdict:
    if error.sqlstate == "XX000" and any(words in str(error) for words in OVERTAKEN):
        return STATES["40"]
    if error.sqlstate == "08P01" and "statement pooling mode" in str(error):
        return STATEMENT_MODE
    if error.sqlstate:
        return STATES.get(error.sqlstate) or STATES.get(error.sqlstate[:2], UNKNOWN)
    lines = (CLASSES.get(base.__name__) for base in type(error).__mro__)
    return next((verdict for verdict in lines if verdict), UNKNOWN)


def _message(error: psycopg.Error) -> str:
    parts = (error.diag.message_primary or str(error), error.diag.message_detail)
    return "; ".join(" ".join(part.split()) for part in parts if part)


def _function(error: psycopg.Error) -> str | None:
    """Returns the function of the database that raised the error, and its line.

    The engine's own blocks raise an error again: then its context stands for a constraint's name.
    """
    context = f"{error.diag.constraint_name or ''}\n{error.diag.context or ''}"
    raised = FUNCTION.search(context)
    return raised[0] if raised else None


def _what_to_do(
    error: psycopg.Error, setting: str | None, verdict: Verdict, has_feed: bool
) -> str | None:
    if setting:
        is_limit = has_feed and setting in LIMITS
        of_feed = f"limits: {setting} of the feed, which goes before " if is_limit else ""
        whose = "PgBouncer" if setting in OF_PGBOUNCER else "the role"
        return f"retry; if it happens again, raise {of_feed}{setting} of {whose}"
    hint = (error.diag.message_hint or "").rstrip(".")
    return "; then ".join(part for part in (hint, verdict.do) if part) or None


def _setting(state: str | None, message: str) -> str | None:
    """Returns the setting that the server's message gives as the reason, if it gives one."""
    if state not in TIMEOUT_STATES:
        return None
    return next((name for words, name in TIMEOUTS.items() if words in message), None)
