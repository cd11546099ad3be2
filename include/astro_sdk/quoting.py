"""How an identifier is quoted. By itself: DAG files that parse need no more of `tables`."""

from __future__ import annotations


def quoted(name: str) -> str:
    """An identifier in quotes."""
    return '"' + name.replace('"', '""') + '"'
