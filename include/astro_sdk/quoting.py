"""Quoted identifiers, apart from `tables`, so that parsing a DAG file does not import psycopg."""

from __future__ import annotations


def quoted(name: str) -> str:
    """Gives an identifier in quotes."""
    return '"' + name.replace('"', '""') + '"'
