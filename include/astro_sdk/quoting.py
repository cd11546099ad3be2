"""How an identifier is quoted. By itself, for DAG files need no more of `tables` while they parse."""

from __future__ import annotations


def quoted(name: str) -> str:
    """An identifier in quotes."""
    return '"' + name.replace('"', '""') + '"'
