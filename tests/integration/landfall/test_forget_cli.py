"""The command `forget`: what it takes away, and when it takes nothing."""

from __future__ import annotations

import json

from tests.support.kept_rejects import keep_load


def test_forget_takes_rows_rejects_and_the_ledgers_rows_away(engine_shell, rejects, engine):
    keep_load(engine, rows=3, key="b.csv")
    keep_load(engine, key="a.csv", status="superseded", etag="older")
    engine_shell.run("replay")
    code, out, _ = engine_shell.run("forget", "--object", "a.csv")
    assert (code, out) == (
        0, "forgotten      a.csv  3 rows, 3 rejects, 1 replay, 2 ledger rows\n"
    )  # fmt: skip
    assert engine.sql("SELECT key FROM landfall.ledger") == ["b.csv"]
    assert engine.sql("SELECT count(*) FROM raw.t") == [3]
    assert (
        engine.sql("SELECT 1 FROM landfall.rejects UNION ALL SELECT 1 FROM landfall.replays") == []
    )
    code, _, err = engine_shell.run("forget", "--object", "a.csv")
    assert (code, "the ledger has no such object" in err) == (4, True)
    assert f"s3://{engine.bucket}/a.csv" in err


def test_forget_without_a_ledger_and_with_a_table_that_is_gone(engine_shell, engine):
    assert engine_shell.run("forget", "--object", "a.csv")[0] == 4
    keep_load(engine, rows=3)
    engine.sql("DROP TABLE raw.t")
    code, out, _ = engine_shell.run("forget", "--object", "a.csv", "--gone", "--json")
    assert (code, json.loads(out)["rows"], json.loads(out)["entries"]) == (0, 0, 1)


def test_forget_leaves_all_when_the_rows_are_elsewhere_or_cannot_be_deleted(engine_shell, engine):
    keep_load(engine, rows=3)
    engine.sql("CREATE RULE kept AS ON DELETE TO raw.t DO INSTEAD NOTHING")
    code, _, err = engine_shell.run("forget", "--object", "a.csv")
    assert (code, "stay in raw.t" in err) == (2, True)
    engine.be(table="raw.other")
    code, _, err = engine_shell.run("forget", "--object", "a.csv")
    assert (code, "the file is loaded into raw.t" in err) == (2, True)
    assert engine.sql("SELECT count(*) FROM landfall.ledger") == [1]
