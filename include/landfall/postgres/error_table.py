"""What each SQLSTATE of Postgres, and each error class of psycopg without one, becomes.

The states are those of https://www.postgresql.org/docs/current/errcodes-appendix.html; the first
two characters of a state are its class. A state's own line goes before the line of its class.
"""

from __future__ import annotations

from include.landfall.errors import (
    ConnectionUnusable,
    FeedError,
    RefusedCell,
    ServerUnavailable,
    TerminalError,
)
from include.landfall.verdict import Verdict, by_name

UNKNOWN = Verdict(
    TerminalError,
    "the database refused",
    do="look the SQLSTATE up in the documentation of PostgreSQL, and in the server's log",
)
BROKEN = Verdict(ServerUnavailable, "the connection to the database broke", do="retry")

STATES = by_name(
    # The connection or the server ended: a new connection can work.
    (BROKEN, "08"),
    (
        Verdict(
            ServerUnavailable,
            "the database ended the connection, or is stopping or starting",
            do="retry",
        ),
        "57",
    ),
    (Verdict(ServerUnavailable, "the database canceled the statement", do="retry"), "57014"),
    (
        Verdict(ServerUnavailable, "the database closed a connection that was idle", do="retry"),
        "57P05 25P03",
    ),
    (
        Verdict(ServerUnavailable, "the database stopped a transaction that was long", do="retry"),
        "25P04",
    ),
    (
        Verdict(ServerUnavailable, "the operating system of the database failed", do="retry"),
        "58",
    ),
    # Others were in the way: a later transaction can succeed.
    (
        Verdict(ServerUnavailable, "another transaction was in conflict with this one", do="retry"),
        "40",
    ),
    (
        Verdict(ServerUnavailable, "another session uses what the load needs", do="retry"),
        "55P03 55006",
    ),
    (Verdict(ServerUnavailable, "the transaction's snapshot became too old", do="retry"), "72"),
    # Memory, disk, connections and limits that the load of the server decides.
    (
        Verdict(
            ServerUnavailable,
            "the database ran out of a resource",
            do="free or raise what the message names, then retry",
        ),
        "53",
    ),
    # A standby takes over sooner or later, or the connection finds the primary at its next try.
    (
        Verdict(
            ServerUnavailable,
            "the server takes no writes: it is a standby, or it is set to read only",
            do="connect to the primary (target_session_attrs=read-write), or set the role's and the"
            " database's default_transaction_read_only to off; then retry",
        ),
        "25006",
    ),
    # A foreign table whose own server is away, or short of memory.
    (
        Verdict(
            ServerUnavailable, "the server behind a foreign table is not available", do="retry"
        ),
        "HV00N HV001",
    ),
    # The role, its rights and its database.
    (
        Verdict(
            ConnectionUnusable,
            "the database refused the role",
            do="grant the role what it lacks; where it is about the table or the ledger, the"
            " command check prints the GRANT",
        ),
        "28 42501",
    ),
    (
        Verdict(
            ConnectionUnusable,
            "the connection's database does not exist",
            do="check the connection's database",
        ),
        "3D 57P04",
    ),
    # What a row brings about: data, constraints, the check of a view, limits (the bounds of an
    # array, JSON that nests too deep), and what a trigger raises.
    (
        Verdict(
            RefusedCell,
            "the database refused the rows",
            do="correct the rows, or the constraint or trigger that is against them",
        ),
        "22 23 44 54 P0001",
    ),
    # The target lacks a schema, a table, a column or a type, or has another one than the feed.
    (
        Verdict(
            FeedError,
            "the feed does not fit its target",
            do="compare the feed with its table: the command check tells of both",
        ),
        "42 3F",
    ),
    # What a retry of the same statement meets again.
    (
        Verdict(
            TerminalError,
            "the database is not in the state that the statement needs",
            do="do what the message says, then load again",
        ),
        "55",
    ),
    (
        Verdict(
            TerminalError,
            "the database cannot do what the statement asks for",
            do="check the version of the server and the kind of the target",
        ),
        "0A",
    ),
    (
        Verdict(
            TerminalError,
            "the database lost a prepared statement",
            do="let the pooler before the database keep sessions (its session mode)",
        ),
        "26",
    ),
    (
        Verdict(
            TerminalError,
            "a foreign table, or the server behind it, refused",
            do="check the foreign table and its server",
        ),
        "HV",
    ),
    (
        Verdict(
            TerminalError,
            "a file of the database server is missing or wrong",
            do="ask the server's administrator: the message names the file",
        ),
        "58P01 58P02 58P03 F0",
    ),
    (
        Verdict(
            TerminalError,
            "the database met an error inside itself, or damaged data",
            do="ask the server's administrator: the server's log says more",
        ),
        "XX",
    ),
    # Transactions, cursors, routines, triggers and grants that are used in a wrong way.
    (
        UNKNOWN,
        "02 03 09 0B 0F 0L 0P 0Z 10 20 21 24 25 27 2B 2D 2F 34 38 39 3B P0",
    ),
)

# The errors that psycopg raises itself have no SQLSTATE.
CLASSES = by_name(
    (BROKEN, "OperationalError"),
    (
        Verdict(ServerUnavailable, "the database did not answer in time", do="retry"),
        "ConnectionTimeout CancellationTimeout _WaitTimeout",
    ),
    (
        Verdict(
            TerminalError,
            "psycopg does not take the statement or the connection's options",
            do="check the options of the connection",
        ),
        "ProgrammingError NotSupportedError OutOfOrderTransactionNesting",
    ),
    (
        Verdict(
            TerminalError,
            "the database's answer could not be read",
            do="check that PostgreSQL is what answers, and look into its log",
        ),
        "Error InterfaceError DatabaseError DataError IntegrityError InternalError PipelineAborted",
    ),
)

# PgBouncer's word for `pool_mode = statement`, in which no transaction can be open.
STATEMENT_MODE = Verdict(
    ConnectionUnusable,
    "the pooler before the database takes single statements only, and no transaction",
    do="let it pool this database and user by transaction or by session (pool_mode)",
)

# How the server's message names the setting that ended the work, and the states that come with it.
# 08P01 is PgBouncer's.
TIMEOUT_STATES = frozenset("57014 55P03 25P03 25P04 57P05 08P01".split())
TIMEOUTS = {
    "statement timeout": "statement_timeout",
    "lock timeout": "lock_timeout",
    "idle-in-transaction timeout": "idle_in_transaction_session_timeout",
    "idle transaction timeout": "idle_transaction_timeout",
    "transaction timeout": "transaction_timeout",
    "idle-session timeout": "idle_session_timeout",
    "query timeout": "query_timeout",
    "query_wait_timeout": "query_wait_timeout",
}
OF_PGBOUNCER = {"query_timeout", "idle_transaction_timeout", "query_wait_timeout"}
