"""What the operators' `if_exists` and `if_conflicts` may be."""

from __future__ import annotations

LOADS = ("replace", "append")
CONFLICTS = ("update", "ignore", "exception")


def check_if_exists(value: str) -> None:
    """Refuses what no load does, because a typing error must not replace a table.

    Raises: ValueError when `if_exists` is neither `replace` nor `append`.
    """
    _check("if_exists", value, LOADS)


def check_if_conflicts(value: str) -> None:
    """Refuses what no merge does, because a typing error must not update rows.

    Raises: ValueError when `if_conflicts` is not `update`, `ignore` or `exception`.
    """
    _check("if_conflicts", value, CONFLICTS)


def _check(option: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        choices = " or ".join(map(repr, allowed))
        raise ValueError(f"{option}={value!r}: expected {choices}. Nothing has changed")
