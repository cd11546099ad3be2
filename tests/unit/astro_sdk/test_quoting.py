"""Names: what an author writes, what Postgres keeps, and what stands in SQL."""

from __future__ import annotations

import pytest

from include.astro_sdk.quoting import folded, in_sql, unfolded

# What an author writes, the name that Postgres keeps, the name in SQL.
NAMES = [
    ("homes", "homes", "homes"),
    ("Homes", "homes", "homes"),
    ("RAW", "raw", "raw"),
    ('"Homes"', "Homes", '"Homes"'),
    ('"homes"', "homes", "homes"),
    ("my-table", "my-table", '"my-table"'),
    ("2024", "2024", '"2024"'),
    ("order", "order", '"order"'),
    ("Größe", "Größe", '"Größe"'),
    ('say "hi"', 'say "hi"', '"say ""hi"""'),
    ("a$1", "a$1", "a$1"),
]


@pytest.mark.parametrize(("written", "kept", "sql"), NAMES)
def test_names_fold_as_in_postgres_unless_they_need_quotes(
    written: str, kept: str, sql: str
) -> None:
    assert folded(written) == kept
    assert in_sql(written) == sql


@pytest.mark.parametrize("kept", ["homes", "Homes", "my-table", "Größe"])
def test_what_is_written_for_a_kept_name_is_that_name_again(kept: str) -> None:
    """A feed's table may have capitals: its checks and marts must find it."""
    assert folded(unfolded(kept)) == kept
