"""The type of a new column is one that all of its cells have, in the whole file."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from include.landfall.contract import NEW_LABEL, Expected, IfMissing, Rules, match_columns
from include.landfall.errors import HeaderMismatch
from include.landfall.feed.dialect import Spelling
from include.landfall.read.inference import infer_types
from include.landfall.read.rows import Rows


def inferred(*stretches: list[str | None], **spelling: Any) -> str:
    rows = [
        Rows(1, pa.record_batch({f"{NEW_LABEL}x": pa.array(cells, pa.string())}), lambda _: [])
        for cells in stretches
    ]
    return infer_types(rows, ["x"], Spelling(**spelling))["x"]


@pytest.mark.parametrize(
    ("stretches", "expected"),
    [
        ([["1", None], ["-20"]], "bigint"),
        ([["1"], ["9" * 18]], "bigint"),
        ([["1"], ["9" * 19]], "numeric"),
        ([["1"], ["1" + "0" * 18]], "numeric"),  # a bigint, and the next one may be none
        ([["1"], ["2.50"]], "numeric"),
        ([["1"], ["2e3"]], "double precision"),
        ([["1"], ["1e400"]], "text"),  # no double precision
        ([["1"], ["01"]], "text"),
        ([["1"], [" 2"]], "text"),
        ([["1"], ["+2"]], "text"),
        ([["1"], [""]], "text"),
        ([["1"], ["true"]], "text"),
        ([["true"], ["false", None]], "boolean"),
        ([["true"], ["yes"]], "text"),
        ([["2026-02-28"], ["2024-02-29"]], "date"),
        ([["2026-02-28"], ["2000-02-29"]], "date"),
        ([["2026-02-28"], ["1900-02-29"]], "text"),
        ([["2026-02-28"], ["2026-02-29"]], "text"),
        ([["2026-02-28"], ["2026-02-28 10:00"]], "timestamp"),
        ([["2026-02-28 10:00Z"], ["2026-02-28 10:00+01"]], "timestamptz"),
        ([["2026-02-28 10:00Z"], ["2026-02-28 10:00"]], "text"),
        ([["28.02.2026"]], "text"),
        ([[None], []], "text"),
        ([], "text"),
    ],
)
def test_one_cell_in_doubt_makes_it_text_however_late_it_comes(stretches, expected):
    assert inferred(*stretches) == expected


COMMA = {"decimal": ",", "thousands": "."}
SPELT = [
    ({"decimal": ","}, ["1,5", "2"], "numeric"),
    ({"decimal": ","}, ["1.5"], "text"),
    (COMMA, ["1.234"], "bigint"),
    (COMMA, ["1.234,50"], "numeric"),
    (COMMA, ["1.5"], "text"),
    ({"dates": ("DMY",)}, ["31/12/2026", "2026-01-02"], "date"),
    ({"dates": ("DMY",)}, ["31/12/2026 10:00"], "timestamp"),
    ({"dates": ("MDY",)}, ["31/12/2026"], "text"),
    ({"dates": ("%d.%m.%Y",)}, ["2026-01-02"], "text"),
    ({"dates": ("%d.%m.%Y",)}, ["02.01.2026"], "date"),
    ({"true_words": ("ja",), "false_words": ("nein",)}, ["Ja", "nein"], "boolean"),
    ({"trim": True, "nulls": ("",)}, [" 12", "3 ", "  "], "bigint"),
    ({"nulls": ("", "NA"), "null_scope": "no_text"}, ["", "NA", "7"], "bigint"),
    ({"nulls": ("", "NA"), "null_scope": "no_text"}, ["", "NA", "x"], "text"),
    ({"nulls": ("", "NA"), "null_scope": "always"}, ["", "NA"], "text"),
]  # fmt: skip


@pytest.mark.parametrize(("spelling", "cells", "expected"), SPELT)
def test_a_cell_is_judged_as_the_load_will_spell_it(spelling, cells, expected):
    assert inferred([None, *cells], **spelling) == expected


def test_each_column_is_read_where_it_is_and_a_left_out_one_is_named():
    columns = [
        Expected("id"),
        Expected("name", ("Nom",)),
        Expected("made", if_missing=IfMissing.DEFAULT),
        Expected("old", if_missing=IfMissing.TABLE_ONLY),
        Expected("note", if_missing=IfMissing.NULL),
    ]
    rules = Rules("rescue", ignores_case=True, ignored=(Expected("internal"),), rescue="spare")
    match = match_columns(["x", "NOM", "Internal", "ID"], columns, rules)
    assert match.places == (3, 1, 0)
    assert match.labels == ("id", "name", f"{NEW_LABEL}x")
    assert match.names == ("ID", "NOM", "x")
    assert (match.new, match.left_out) == (["x"], ("made", "old"))
    with pytest.raises(HeaderMismatch, match="twice: 'Name', 'nom'"):
        match_columns(["id", "nom", "Name", "x"], columns, rules)


def test_each_column_that_a_file_names_in_two_ways_is_told_with_its_names():
    with pytest.raises(HeaderMismatch) as caught:
        match_columns(["id", "ID", "Name", "name"], ["id", "name"], Rules(ignores_case=True))
    assert caught.value.found == "twice: 'ID', 'id'; twice: 'Name', 'name'"
    assert "case: exact" in (caught.value.do or "")
