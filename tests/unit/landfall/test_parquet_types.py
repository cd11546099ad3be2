"""The page of Parquet's types says what the engine takes."""

from __future__ import annotations

from tests.support.parquet_types import COMMAND, DOMAIN, ENUM, PAGE, SOURCES, page


def test_the_page_is_what_the_engine_takes():
    assert PAGE.read_text(encoding="utf-8") == page(), f"{COMMAND} makes the page again"


def test_a_list_is_taken_for_arrays_of_the_same_types():
    for source in SOURCES:
        names = source.accepted
        if source.texts and names:  # of an array of domains Postgres says no base
            taken = [name for name in names if name != DOMAIN or ENUM in names]
            assert source.listed.accepted == [f"{name}[]" for name in taken]
