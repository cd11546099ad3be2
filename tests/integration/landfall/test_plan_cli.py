"""The command `plan`: what would be loaded, in which order, and why the rest would not."""

from __future__ import annotations

import json

from tests.support.kept_rejects import keep_load


def test_plan_says_what_would_be_loaded_in_which_order_and_why(engine_shell, engine):
    engine.be(source={"bucket": engine.bucket, "pattern": "in/*.csv"})
    for key in ("in/loaded.csv", "in/changed.csv", "in/failed.csv", "in/new.csv", "in/a.txt"):
        engine.put("id,name\n1,a\n", key)
    engine.put("", "in/_SUCCESS")
    etag = engine.client.head_object(Bucket=engine.bucket, Key="in/new.csv")["ETag"].strip('"')
    for key, status, version in (
        ("in/loaded.csv", "loaded", etag), ("in/changed.csv", "loaded", "other"),
        ("in/failed.csv", "failed", etag),
    ):  # fmt: skip
        keep_load(engine, key=key, status=status, etag=version)
    engine.sql("UPDATE landfall.ledger SET size = 12 WHERE key = 'in/loaded.csv'")
    before = engine.sql("SELECT l::text FROM landfall.ledger AS l")
    code, out, _ = engine_shell.run("plan", "--json")
    planned = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [(each["action"], each["key"], each["reason"]) for each in planned[:3]] == [
        ("load", "in/changed.csv", "changed"), ("load", "in/new.csv", "new"),
        ("load", "in/failed.csv", "failed"),
    ]  # fmt: skip
    assert {(each["action"], each["key"], each["reason"]) for each in planned[3:]} == {
        ("skip", "in/loaded.csv", "loaded"), ("skip", "in/a.txt", "other_name"),
        ("skip", "in/_SUCCESS", "marker"),
    }  # fmt: skip
    _, out, _ = engine_shell.run("plan")
    assert "load  in/failed.csv" in out
    assert "skip  1  its name does not match source.pattern: in/a.txt" in out
    assert engine.sql("SELECT l::text FROM landfall.ledger AS l") == before


def test_plan_of_a_feed_that_waits_or_whose_newest_file_is_the_table(engine_shell, engine):
    engine.be(source={"bucket": engine.bucket, "pattern": "*.csv", "settle_seconds": 3600})
    engine.put("id,name\n", "a.csv")
    assert "load and Airflow wait" in run_plan(engine_shell, engine)
    engine.be(disposition="replace")
    keep_load(engine, key="b.csv")
    engine.sql("UPDATE landfall.ledger SET last_modified = now() + interval '1 day'")
    assert "a newer file is loaded already: a.csv" in run_plan(engine_shell, engine)


def run_plan(engine_shell, engine):
    code, out, err = engine_shell.run("plan")
    assert (code, err, "nothing to load" in out) == (0, "", True)
    return out
