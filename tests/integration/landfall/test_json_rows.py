"""Rows of JSON under a key are loaded as those of any file: packed, in parts, by a contract."""

from __future__ import annotations

import gzip
import json

import pytest

from include.landfall.errors import DataError, TruncatedFile
from tests.support.file_bytes import zip_bytes

FORMAT = {"type": "json", "rows": "result.records"}


def enveloped(*rows, indent=None):
    return json.dumps({"n": 1, "result": {"records": rows}, "z": [{}]}, indent=indent)


PACKED = {
    "plain": lambda one, two: enveloped(one, two),
    "gzip": lambda one, two: gzip.compress(enveloped(one, two, indent=1).encode()),
    "byte-order mark": lambda one, two: b"\xef\xbb\xbf" + enveloped(one, two).encode(),
    "zip": lambda one, two: zip_bytes(
        ("0.json", enveloped(one)), ("1.json", enveloped()), ("2.json", enveloped(two))
    ),
}


@pytest.mark.parametrize("packing", PACKED)
def test_the_rows_of_a_packed_file_are_loaded(engine, packing):
    source = {"bucket": engine.bucket, "pattern": "**", "member": "*.json"}
    engine.be(format=FORMAT, **({"source": source} if packing == "zip" else {}))
    body = PACKED[packing]({"id": 1, "name": "a"}, {"id": 2, "name": None})
    assert engine.load(body, "a.json").rows == 2
    assert engine.rows() == [(1, "a"), (2, None)]


def test_a_reject_has_its_line_and_text_and_is_replayed(engine):
    engine.be(format=FORMAT, rejects={"at_most": 2})
    body = enveloped({"id": 1}, {"id": "x", "name": "b"}, {"id": 3, "q": 1}, indent=0)
    receipt = engine.load(body, "a.json")
    assert (receipt.rows, receipt.rejected) == (1, 2)
    kept = engine.sql(
        "SELECT row_number, line, reason, raw, reject_id FROM landfall.rejects ORDER BY 1"
    )
    assert [row[:3] for row in kept] == [(2, 8, "cell"), (3, 12, "other_key")]
    assert [row[3] for row in kept] == ['{\n"id": "x",\n"name": "b"\n}', '{\n"id": 3,\n"q": 1\n}']
    (done,) = engine.replay(edited={kept[0][4]: ["2", "b"]})
    assert (done.rows, engine.rows()) == (1, [(1, None), (2, "b")])


BY_IDS = '{"u": {\n"1": {"name": "a"},\n"x": {"name": "b"},\n"3": {"name": "c", "q": 1}}}'


def test_a_reject_of_rows_by_ids_has_its_line_and_is_replayed(engine):
    engine.be(format={"type": "json", "rows": "u", "ids": "id"}, rejects={"at_most": 2})
    receipt = engine.load(BY_IDS, "a.json")
    assert (receipt.rows, receipt.rejected) == (1, 2)
    kept = engine.sql(
        "SELECT row_number, line, reason, raw, reject_id FROM landfall.rejects ORDER BY 1"
    )
    assert [row[:4] for row in kept] == [
        (2, 3, "cell", '{"id": "x", "name": "b"}'),
        (3, 4, "other_key", '{"id": "3", "name": "c", "q": 1}'),
    ]
    engine.be(format={"type": "json", "rows": "u", "ids": "id", "other_keys": "ignore"})
    (done,) = engine.replay(edited={kept[0][4]: ["2", "b"]})
    assert done.rows == 1
    assert engine.rows() == [(1, "a"), (2, "b")]


def test_new_keys_of_rows_by_ids_are_new_columns(engine):
    engine.be(
        format={"type": "json", "rows": "u", "ids": "id"}, columns={"id": "text", "name": "text"},
        contract={"new_columns": "evolve"},
    )  # fmt: skip
    assert "column added q: bigint" in engine.load(BY_IDS, "a.json").changes
    assert engine.sql("SELECT id, name, q FROM raw.t ORDER BY id") == [
        ("1", "a", None), ("3", "c", 1), ("x", "b", None),
    ]  # fmt: skip


@pytest.mark.parametrize("new_columns", ["rescue", "evolve"])
def test_a_contract_holds_for_the_names_in_the_first_array(engine, new_columns):
    engine.be(
        format={"type": "json", "rows": "values", "header": True}, rejects={"at_most": 1},
        contract={"new_columns": new_columns, "case": "ignore", "missing_columns": "null"},
    )  # fmt: skip
    body = {"range": "A1:B3", "values": [["q", "ID"], [1.5, 1], [["x"], "y"], [None, 3]]}
    receipt = engine.load(json.dumps(body), "a.json")
    assert (receipt.rows, receipt.rejected) == (2, 1)
    if new_columns == "evolve":
        assert engine.sql("SELECT id, name, q FROM raw.t ORDER BY 1") == [
            (1, None, "1.5"), (3, None, None),
        ]  # fmt: skip
        return
    rescued = engine.feed.contract.rescue_column
    assert engine.sql(f"SELECT id, {rescued} FROM raw.t ORDER BY 1") == [(1, {"q": 1.5}), (3, None)]
    reject = engine.sql("SELECT reject_id FROM landfall.rejects")[0]
    engine.replay(edited={reject: ["2", None, '{"q": ["x"]}']})
    assert engine.sql(f"SELECT {rescued} FROM raw.t WHERE id = 2") == [{"q": ["x"]}]


def test_objects_one_after_the_other_are_loaded_packed_and_large(engine):
    engine.be(format={"type": "json", "objects": "concatenated"}, rejects={"at_most": 1})
    many = "".join(f'{{"id": {n}, "name": "{"x" * 60}"}}' for n in range(60_000))  # by a process
    receipt = engine.load(gzip.compress((many + '\n{"id":\n"x"}').encode()), "a.gz")
    assert (receipt.rows, receipt.rejected) == (60_000, 1)
    assert engine.sql("SELECT row_number, line, raw FROM landfall.rejects") == [
        (60_001, 2, '{"id":\n"x"}')
    ]
    assert engine.sql("SELECT sum(id)::bigint FROM raw.t") == [sum(range(60_000))]


@pytest.mark.parametrize("text", ['{\n "id": 1\n}\n{\n "id": 2\n}', '{"id": 1}{"id": 2}'])
def test_objects_that_are_not_one_a_line_say_what_to_write(engine, text):
    engine.be(format="json")
    with pytest.raises(DataError, match="write objects: concatenated under format:"):
        engine.load(text, "a.json")


def test_a_contract_holds_for_rows_under_a_key(engine):
    engine.be(format=FORMAT, contract={"new_columns": "evolve", "case": "ignore"})
    receipt = engine.load(enveloped({"ID": 1, "NAME": "a", "paid": 1.5}), "a.json")
    assert "column added paid: numeric" in receipt.changes
    assert engine.sql("SELECT id, name, paid::text FROM raw.t") == [(1, "a", "1.5")]


def test_other_keys_of_rows_under_a_key_are_rescued(engine):
    engine.be(format=FORMAT, contract={"new_columns": "rescue"})
    engine.load(enveloped({"id": 1, "x": [1.5]}), "a.json")
    rescued = engine.feed.contract.rescue_column
    assert engine.sql(f"SELECT id, {rescued} FROM raw.t") == [(1, {"x": [1.5]})]


def test_the_parts_of_a_snapshot_are_one_load(engine):
    from include.landfall.s3.listing import list_arrivals

    source = {"bucket": engine.bucket, "pattern": "x/*/part-*", "snapshot": "dir"}
    engine.be(format=FORMAT, source=source, disposition="replace")
    for name, body in {
        "part-0": enveloped({"id": 1}), "part-1": enveloped({"id": 2}, {"id": 3}), "_SUCCESS": "",
    }.items():  # fmt: skip
        engine.put(body, f"x/1/{name}")
    (folder,) = list_arrivals(engine.client, engine.feed.source)
    assert engine.load(folder).rows == 3
    assert engine.rows() == [(1, None), (2, None), (3, None)]


def test_a_file_that_is_cut_behind_its_rows_leaves_nothing(engine):
    engine.be(format=FORMAT)
    rows = [{"id": n, "name": "x" * 60} for n in range(40_000)]  # read by a process of its own
    with pytest.raises(TruncatedFile, match="ends within its JSON") as error:
        engine.load(enveloped(*rows)[:-5], "a.json")
    assert "a.json" in str(error.value)
    assert engine.load(enveloped(*rows), "b.json").rows == 40_000
    assert engine.sql("SELECT count(*), sum(id)::bigint FROM raw.t") == [
        (40_000, sum(range(40_000)))
    ]


def test_arrays_are_read_by_position_without_the_columns_that_are_ignored(engine):
    columns = {"sid": {"ignore": True}, "name": "text", "x": {"ignore": True}, "id": "integer"}
    engine.be(
        columns=columns, rejects={"at_most": 2},
        format={"type": "json", "rows": "data", "columns": "by position"},
    )  # fmt: skip
    rows = [["r1", "a", {}, 1], ["r2", "b", {}], ["r3", "c", {}, "x"], ["r4", None, None, 4]]
    receipt = engine.load(json.dumps({"data": rows}), "a.json")
    assert (receipt.rows, receipt.rejected) == (2, 2)
    assert engine.rows() == [(1, "a"), (4, None)]
    assert engine.sql("SELECT reason, raw FROM landfall.rejects ORDER BY row_number") == [
        ("fields", '["r2", "b", {}]'), ("cell", '["r3", "c", {}, "x"]'),
    ]  # fmt: skip


def test_a_file_whose_rows_are_under_a_key_says_which_key_of_the_feed_is_missing(engine):
    engine.be(format="json")
    for text in (enveloped({"id": 1}), enveloped({"id": 1}, indent=1)):
        with pytest.raises(DataError, match="write rows: under format:"):
            engine.load(text, "a.json")


def test_text_behind_the_rows_is_not_shown_where_the_feed_hides_texts(engine):
    engine.be(format=FORMAT, columns={"id": {"type": "integer", "secret": True}})
    with pytest.raises(DataError, match="text follows the JSON object") as error:
        engine.load(enveloped({"id": 1}) + '{"id": 4711}', "a.json")
    assert "4711" not in str(error.value)
    assert "4711" not in str(engine.sql("SELECT * FROM landfall.ledger"))
