"""What the role of a connection may do with the ledger, and what it lacks."""

from __future__ import annotations

from typing import Any

from include.landfall.errors import ConnectionUnusable


def check_ledger(rights: Any) -> str:
    """Returns what the next load will find; `rights` is the row of sql/ledger/rights.sql.

    Raises: ConnectionUnusable with the statements that help.
    """
    if rights.writes_ledger:
        return _rejects(rights)
    if rights.writes_ledger is None and rights.creates_ledger:
        return "the first load makes it"
    if rights.creates_ledger is None and rights.creates_schemas:
        return "the first load makes it"
    if rights.creates_ledger is None:
        raise ConnectionUnusable(
            "there is no ledger, and the role may not make its schema",
            do=f"CREATE SCHEMA landfall AUTHORIZATION {rights.role}",
        )
    raise ConnectionUnusable("the role may not use the ledger", do=_grants(rights))


def _rejects(rights: Any) -> str:
    """Returns what the next load will find beside the ledger. Raises: ConnectionUnusable."""
    tables = (
        rights.writes_rejects, rights.writes_replays, rights.writes_changes, rights.writes_replaced,
    )  # fmt: skip
    if all(tables) and rights.is_newest:
        return "there"
    if None in tables or not rights.is_newest:
        if rights.extends_ledger:
            return "the first load brings it up to date"
        raise ConnectionUnusable(
            "the ledger lacks tables or columns of this version, and the role may not add them",
            found=rights.owners,
            expected="a first load by who owns them, or this role as their owner",
            do=rights.takes_over,
        )
    raise ConnectionUnusable(
        "the role may not write rejects, replays, changes and replaced rows", do=_grants(rights)
    )


def _grants(rights: Any) -> str:
    return (
        f"GRANT USAGE ON SCHEMA landfall TO {rights.role};"
        f" GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA landfall TO {rights.role}"
    )
