"""The target: its table, made when it is missing, and held against the feed when it is not."""

from __future__ import annotations

from psycopg import sql

TYPED = sql.Identifier("pg_temp", "landfall_rows")
