"""Files that depart from their feed: what each mode does with them, and the changes it keeps."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from include.landfall.errors import HeaderMismatch
from tests.support.departures import csv_of, kept_changes, parquet_of, rows_of

MODES = {
    "refuse": {},
    "ignore": {"new_columns": "ignore"},
    "rescue": {"new_columns": "rescue"},
    "evolve": {"new_columns": "evolve"},
    "null": {"missing_columns": "null"},
    "default": {"missing_columns": "default"},
    "case": {"case": "ignore"},
    "trim": {"trim": True},
    "rescue, null": {"new_columns": "rescue", "missing_columns": "null"},
    "evolve, default": {"new_columns": "evolve", "missing_columns": "default"},
    "ignore, case, trim": {"new_columns": "ignore", "case": "ignore", "trim": True},
}
COLUMNS = {"id": "integer", "name": "text"}
KEYED = {**COLUMNS, "id": {"type": "integer", "nullable": False}}
OTHER_NAMES = {**COLUMNS, "name": {"type": "text", "from": ["full_name", "Nom"]}}
A = {"id": 1, "name": "a"}


@dataclass(frozen=True)
class Loaded:
    """What a load leaves: the rows without NULLs, and its changes."""

    rows: Any
    changes: tuple[str, ...] = ()


def a(*changes: str, **more: Any) -> Loaded:
    """The row of a file with id 1 and name a, and further columns."""
    return Loaded([{**A, **more}], changes)


# What departs: the feed's columns, the file's header and its row, and what each mode makes of it.
DEPARTURES: dict[str, tuple[Any, list[str], list[str | None], dict[str, Any]]] = {
    "none": (COLUMNS, ["id", "name"], ["1", "a"], dict.fromkeys(MODES, a())),
    "another order": (COLUMNS, ["name", "id"], ["a", "1"], dict.fromkeys(MODES, a())),
    "a new column, last": (COLUMNS, ["id", "name", "x"], ["1", "a", "7"], {
        "refuse": "not in the feed: 'x'",
        "null": "not in the feed: 'x'",
        "ignore": a("new column x: ignored"),
        "rescue": a("new column x: rescued into _rescued", _rescued={"x": "7"}),
        "evolve": a("column added x: bigint", x=7),
    }),
    "a new column, first": (COLUMNS, ["x", "id", "name"], ["b", "1", "a"], {
        "refuse": "not in the feed: 'x'",
        "ignore": a("new column x: ignored"),
        "rescue": a("new column x: rescued into _rescued", _rescued={"x": "b"}),
        "evolve": a("column added x: text", x="b"),
    }),
    "a new column without a cell": (COLUMNS, ["id", "x", "name"], ["1", None, "a"], {
        "ignore": a("new column x: ignored"),
        "rescue": a("new column x: rescued into _rescued"),
        "evolve": a("column added x: text"),
    }),
    "a new date": (COLUMNS, ["id", "name", "x"], ["1", "a", "2026-02-28"], {
        "evolve": a("column added x: date", x="2026-02-28"),
    }),
    "a new date that is none": (COLUMNS, ["id", "name", "x"], ["1", "a", "2026-02-30"], {
        "evolve": a("column added x: text", x="2026-02-30"),
    }),
    "a new moment": (COLUMNS, ["id", "name", "x"], ["1", "a", "2026-02-28T10:00:00Z"], {
        "evolve": a("column added x: timestamptz", x="2026-02-28T10:00:00+00:00"),
    }),
    "a new number": (COLUMNS, ["id", "name", "x"], ["1", "a", "1.50"], {
        "evolve": a("column added x: numeric", x=1.50),
    }),
    "a new code with a leading zero": (COLUMNS, ["id", "name", "x"], ["1", "a", "007"], {
        "evolve": a("column added x: text", x="007"),
    }),
    "a new truth": (COLUMNS, ["id", "name", "x"], ["1", "a", "true"], {
        "evolve": a("column added x: boolean", x=True),
    }),
    "two new columns": (COLUMNS, ["id", "x", "name", "y z"], ["1", "b", "a", "c"], {
        "refuse": "not in the feed: 'x', 'y z'",
        "ignore": a("new column x: ignored", "new column y z: ignored"),
        "rescue": a("new column x: rescued into _rescued", "new column y z: rescued into _rescued",
                    _rescued={"x": "b", "y z": "c"}),
        "evolve": a("column added x: text", "column added y z: text", x="b", **{"y z": "c"}),
    }),
    "a new column with the engine's name": (COLUMNS, ["id", "name", "_load_id"], ["1", "a", "b"], {
        "evolve": "cannot be added",
        "ignore": a("new column _load_id: ignored"),
        "rescue": a("new column _load_id: rescued into _rescued", _rescued={"_load_id": "b"}),
    }),
    "a nameless last column": (COLUMNS, ["id", "name", ""], ["1", "a", None], {
        "refuse": "not in the feed: ''",
        "ignore": a("new column column_3: ignored"),
        "rescue": a("new column column_3: rescued into _rescued"),
        "evolve": "cannot be added",
    }),
    "a nameless column with cells": (COLUMNS, ["id", "", "name"], ["1", "b", "a"], {
        "rescue": a("new column column_2: rescued into _rescued", _rescued={"column_2": "b"}),
    }),
    "a new name that stands twice": (COLUMNS, ["id", "name", "x", "x"], ["1", "a", "b", "c"], {
        "refuse": "twice: 'x'",
        "ignore": a("new column x: ignored", "new column x_4: ignored"),
        "rescue": a("new column x: rescued into _rescued", "new column x_4: rescued into _rescued",
                    _rescued={"x": "b", "x_4": "c"}),
        "evolve": "cannot be added",
    }),
    "a name of the feed that stands twice": (COLUMNS, ["id", "name", "name"], ["1", "a", "b"],
        dict.fromkeys(("refuse", "ignore", "rescue", "evolve", "null"), "twice: 'name'")),
    "a missing column": (COLUMNS, ["id"], ["1"], {
        "refuse": "missing: 'name'",
        "ignore": "missing: 'name'",
        "rescue": "missing: 'name'",
        "null": Loaded([{"id": 1}], ("missing column name: null",)),
        "default": Loaded([{"id": 1, "name": "none"}], ("missing column name: default",)),
        "evolve, default": Loaded([{"id": 1, "name": "none"}], ("missing column name: default",)),
    }),
    "a missing column that takes no NULL": (KEYED, ["name"], ["a"], {
        "refuse": "missing: 'id'",
        "null": "missing: 'id'",
        "default": Loaded([{"id": 0, "name": "a"}], ("missing column id: default",)),
    }),
    "every column missing": (COLUMNS, ["x"], ["b"], {
        "null": "not in the feed: 'x'",
        "rescue, null": Loaded(
            [{"_rescued": {"x": "b"}}],
            ("missing column id: null", "missing column name: null",
             "new column x: rescued into _rescued"),
        ),
    }),
    "a column that was renamed": (COLUMNS, ["id", "full_name"], ["1", "a"], {
        "refuse": "missing: 'name'; not in the feed: 'full_name'",
        "null": "not in the feed: 'full_name'",
        "rescue, null": Loaded(
            [{"id": 1, "_rescued": {"full_name": "a"}}],
            ("missing column name: null", "new column full_name: rescued into _rescued"),
        ),
        "evolve, default": Loaded(
            [{"id": 1, "name": "none", "full_name": "a"}],
            ("missing column name: default", "column added full_name: text"),
        ),
    }),
    "another name that the feed has": (OTHER_NAMES, ["id", "full_name"], ["1", "a"],
        dict.fromkeys(MODES, a("other name name: full_name -> name"))),
    "the other name in other case": (OTHER_NAMES, ["id", "nom"], ["1", "a"], {
        "refuse": "missing: 'name'; not in the feed: 'nom'",
        "case": a("other name name: nom -> name"),
    }),
    "both names at once": (OTHER_NAMES, ["id", "name", "Nom"], ["1", "a", "b"],
        dict.fromkeys(("refuse", "ignore", "rescue", "evolve"), "twice: 'Nom', 'name'")),
    "other case": (COLUMNS, ["ID", "Name"], ["1", "a"], {
        "refuse": "missing: 'id', 'name'; not in the feed: 'ID', 'Name'",
        "case": a("other name id: ID -> id", "other name name: Name -> name"),
        "trim": "missing: 'id'",
    }),
    "two names in one case": (COLUMNS, ["id", "name", "NAME"], ["1", "a", "b"], {
        "case": "twice: 'NAME', 'name'",
        "ignore": a("new column NAME: ignored"),
    }),
    "spaces around a name": (COLUMNS, [" id", "name "], ["1", "a"], {
        "refuse": "missing: 'id', 'name'",
        "trim": a("other name id:  id -> id", "other name name: name  -> name"),
        "case": "missing: 'id'",
    }),
    "spaces, case and a new column": (COLUMNS, [" ID ", "NAME", "x"], ["1", "a", "b"], {
        "ignore, case, trim": a("other name id:  ID  -> id", "other name name: NAME -> name",
                                "new column x: ignored"),
    }),
}  # fmt: skip


# Arrow reads the columns of Parquet by name, so none may stand twice there.
CASES = [
    (name, file_format)
    for name, (_, header, *_) in DEPARTURES.items()
    for file_format in ("csv", "parquet")
    if file_format == "csv" or len(set(header)) == len(header)
]


@pytest.mark.parametrize(("departure", "file_format"), CASES)
def test_what_comes_of_a_departure_in_each_mode(engine, departure, file_format):
    columns, header, row, outcomes = DEPARTURES[departure]
    data = (csv_of if file_format == "csv" else parquet_of)(header, row)
    for mode, outcome in outcomes.items():
        engine.be(columns=columns, contract=MODES[mode], format=file_format)
        engine.sql(
            "DROP SCHEMA IF EXISTS raw, landfall CASCADE; CREATE SCHEMA raw;"
            " CREATE TABLE raw.t (id integer DEFAULT 0, name text DEFAULT 'none')"
        )
        if "rescue" in mode:
            engine.sql("ALTER TABLE raw.t ADD _rescued jsonb")
        if isinstance(outcome, str):
            with pytest.raises(HeaderMismatch) as caught:
                engine.load(data)
            assert outcome in str(caught.value), mode
            assert (rows_of(engine), kept_changes(engine)) == ([], []), mode
            continue
        try:
            receipt = engine.load(data)
        except HeaderMismatch as error:
            raise AssertionError(f"{mode}: {error}") from error
        assert (rows_of(engine), kept_changes(engine)) == (outcome.rows, sorted(outcome.changes)), (
            mode
        )
        assert sorted(receipt.changes) == sorted(outcome.changes), mode


as_text = partial(json.dumps, sort_keys=True)
JSON = b"""\
{"id": 1, "name": "a"}
{"x": {"y": 1.10}, "ID": 2, "z": "t"}
no object
{"name": "c", "z": null, "id": 3}
"""


@pytest.mark.parametrize(
    ("contract", "rows", "changes"),
    [
        ({"new_columns": "ignore"}, [A, {}, {"id": 3, "name": "c"}],
         ["new column ID: ignored", "new column x: ignored", "new column z: ignored"]),
        ({"new_columns": "rescue"},
         [A, {"_rescued": {"x": {"y": 1.10}, "ID": 2, "z": "t"}}, {"id": 3, "name": "c"}],
         ["new column ID: rescued into _rescued", "new column x: rescued into _rescued",
          "new column z: rescued into _rescued"]),
        ({"new_columns": "evolve"},
         [A, {"x": '{"y": 1.10}', "ID": 2, "z": "t"}, {"id": 3, "name": "c"}],
         ["column added ID: bigint", "column added x: text", "column added z: text"]),
    ],
)  # fmt: skip
def test_keys_of_json_that_the_feed_does_not_know(engine, contract, rows, changes):
    engine.be(contract=contract, format="json", rejects={"at_most": 1})
    receipt = engine.load(JSON)
    assert (receipt.rows, receipt.rejected, sorted(receipt.changes)) == (3, 1, changes)
    assert sorted(map(as_text, rows_of(engine))) == sorted(map(as_text, rows))


def test_a_key_of_json_has_other_names_and_other_case(engine):
    engine.be(
        columns={"id": "integer", "name": {"type": "text", "from": ["nom"]}},
        contract={"case": "ignore"}, format="json",
    )  # fmt: skip
    receipt = engine.load('[{"ID": 1, "Nom": "a"}, {"ID": 2}]')
    assert receipt.changes == ["other name id: ID -> id", "other name name: Nom -> name"]
    assert engine.rows() == [(1, "a"), (2, None)]


def test_another_name_is_a_change_once_and_not_with_each_file(engine):
    """The log of each task would warn of what the feed itself says, and hide what is new."""
    engine.be(columns={"id": "integer", "name": {"type": "text", "from": ["Nom", "Name"]}})
    headers = {"1": "id,Nom", "2": "id,Nom", "3": "id,Name", "4": "id,Nom"}
    changes = {key: engine.load(f"{header}\n1,a\n", key).changes for key, header in headers.items()}
    assert changes == {
        "1": ["other name name: Nom -> name"], "2": [],
        "3": ["other name name: Name -> name"], "4": [],
    }  # fmt: skip
    assert kept_changes(engine) == changes["3"] + changes["1"]
