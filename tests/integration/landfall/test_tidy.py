"""Objects of loaded files are moved or deleted as the feed says, and no other object ever is."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from include.landfall.errors import FeedError, ObjectMissing, RefusedCell
from include.landfall.feed.model import Feed
from include.landfall.feed.yaml_file import Feeds
from include.landfall.s3 import moving
from include.landfall.tidy import LOST_REJECTS, OPEN_REJECTS, TOO_LONG, tidy

A, B, BAD = "id,name\n1,a\n", "id,name\n2,b\n", "id,name\nx,b\n"
AT_ONCE = {"after_days": 0}


@pytest.fixture
def moving_feed(engine):
    """The engine, with a feed that moves its loaded files to loaded/."""
    return engine.be(source=source_of(engine, move_to="loaded/"))


def source_of(engine, pattern="in/*", **rule):
    return {"bucket": engine.bucket, "pattern": pattern, "loaded_files": {**AT_ONCE, **rule}}


def run(engine, **options):
    servers = {"store": engine.store, "warehouse": engine.warehouse}
    return {each.key: each for each in tidy(engine.feed, **servers, **options)}


def actions(engine, **options):
    return {key: each.action for key, each in run(engine, **options).items()}


def bodies(engine):
    """Reads every object of the bucket."""
    listed = engine.client.list_objects_v2(Bucket=engine.bucket).get("Contents", [])
    keys = [each["Key"] for each in listed]
    return {
        key: engine.client.get_object(Bucket=engine.bucket, Key=key)["Body"].read().decode()
        for key in keys
    }


def killed(*_):
    raise KeyboardInterrupt


def test_a_loaded_file_is_moved_with_its_content(moving_feed):
    moving_feed.load(A, "in/a.csv")
    [moved] = run(moving_feed).values()
    assert (moved.action, moved.moved_to) == ("moved", "loaded/in/a.csv")
    assert bodies(moving_feed) == {"loaded/in/a.csv": A}
    assert moving_feed.rows() == [(1, "a")]
    assert moving_feed.new_keys() == []


def test_a_loaded_file_is_deleted_where_the_feed_says_so(engine):
    engine.be(source=source_of(engine, delete=True)).load(A, "in/a.csv")
    assert actions(engine) == {"in/a.csv": "deleted"}
    assert bodies(engine) == {}
    assert engine.rows() == [(1, "a")]


def test_files_that_are_not_loaded_stay(moving_feed):
    moving_feed.load(A, "in/loaded.csv")
    moving_feed.put(B, "in/new.csv")
    moving_feed.put(A, "elsewhere/a.csv")
    moving_feed.load(A, "in/changed.csv")
    moving_feed.put(B, "in/changed.csv")
    with pytest.raises(RefusedCell):
        moving_feed.load(BAD, "in/failed.csv")
    assert actions(moving_feed) == {"in/loaded.csv": "moved"}
    assert bodies(moving_feed).keys() == {
        "in/new.csv", "elsewhere/a.csv", "in/changed.csv", "in/failed.csv", "loaded/in/loaded.csv",
    }  # fmt: skip


def test_nothing_is_moved_before_it_is_old_enough(engine):
    engine.be(source=source_of(engine, move_to="loaded/", after_days=1)).load(A, "in/a.csv")
    assert run(engine) == {}


def test_nothing_is_touched_by_a_look(moving_feed):
    moving_feed.load(A, "in/a.csv")
    assert run(moving_feed, only_look=True)["in/a.csv"].moved_to == "loaded/in/a.csv"
    assert bodies(moving_feed) == {"in/a.csv": A}


def test_a_file_with_open_rejects_stays_until_they_are_settled(engine):
    engine.be(source=source_of(engine, delete=True), rejects={"at_most": 1})
    engine.load(A + "x,b\n", "in/a.csv")
    assert [(e.action, e.reason) for e in run(engine).values()] == [("kept", OPEN_REJECTS)]
    engine.sql("UPDATE landfall.rejects SET state = 'dismissed'")
    assert actions(engine) == {"in/a.csv": "deleted"}


@pytest.mark.parametrize("are", ["only counted", "expired"])
def test_a_file_whose_rejected_rows_are_nowhere_else_is_not_deleted(engine, are):
    keep = "count" if are == "only counted" else "raw"
    rejects = {"at_most": 1, "keep": keep}
    engine.be(source=source_of(engine, delete=True), rejects=rejects)
    engine.load(A + "x,b\n", "in/a.csv")
    engine.sql("DELETE FROM landfall.rejects")
    assert [(e.action, e.reason) for e in run(engine).values()] == [("kept", LOST_REJECTS)]
    engine.be(source=source_of(engine, move_to="loaded/"), rejects=rejects)
    assert actions(engine) == {"in/a.csv": "moved"}


def test_a_file_that_a_newer_one_has_replaced_is_moved_too(engine):
    engine.be(source=source_of(engine, move_to="old/"), disposition="replace")
    engine.load(A, "in/1.csv")
    engine.load(B, "in/2.csv")
    assert actions(engine) == {"in/1.csv": "moved", "in/2.csv": "moved"}
    assert engine.rows() == [(2, "b")]
    assert engine.new_keys() == []


def test_a_moved_file_that_comes_back_is_loaded_only_when_it_has_changed(moving_feed):
    moving_feed.load(A, "in/a.csv")
    run(moving_feed)
    moving_feed.put(A, "in/a.csv")
    assert moving_feed.new_keys() == []
    moving_feed.load(B, "in/a.csv")
    assert moving_feed.rows() == [(2, "b")]


def test_a_file_that_came_again_has_come_also_once_it_is_moved(moving_feed):
    moving_feed.load(A, "in/a.csv")
    moving_feed.sql("UPDATE landfall.ledger SET last_modified = last_modified - interval '3 days'")
    run(moving_feed, only_look=True)
    assert moving_feed.sql("SELECT now() - last_modified > '1 day' FROM landfall.ledger") == [True]
    run(moving_feed)
    assert moving_feed.sql("SELECT now() - last_modified > '1 day' FROM landfall.ledger") == [False]
    moving_feed.sql("UPDATE landfall.ledger SET last_modified = now() + interval '1 day'")
    moving_feed.put(A, "in/a.csv")
    run(moving_feed)  # the time in the ledger is later, and never goes back
    assert moving_feed.sql("SELECT last_modified > now() FROM landfall.ledger") == [True]


def test_an_earlier_content_of_the_same_name_is_never_overwritten(moving_feed):
    moving_feed.load(A, "in/a.csv")
    run(moving_feed)
    arrival = moving_feed.put(B, "in/a.csv")
    moving_feed.load(arrival)
    [moved] = run(moving_feed).values()
    assert moved.moved_to == f"loaded/in/a.csv.{arrival.etag}"
    assert bodies(moving_feed) == {"loaded/in/a.csv": A, moved.moved_to: B}


def test_a_move_that_was_killed_is_made_again(moving_feed, monkeypatch):
    moving_feed.load(A, "in/a.csv")
    with monkeypatch.context() as patched:
        patched.setattr(moving, "delete", killed)
        with pytest.raises(KeyboardInterrupt):
            run(moving_feed)
    assert bodies(moving_feed) == {"in/a.csv": A, "loaded/in/a.csv": A}
    assert actions(moving_feed) == {"in/a.csv": "moved"}
    assert bodies(moving_feed) == {"loaded/in/a.csv": A}


@pytest.mark.parametrize("at", ["_copy", "delete"])
def test_a_file_that_changes_before_it_is_deleted_stays(moving_feed, monkeypatch, at):
    moving_feed.load(A, "in/a.csv")
    step = getattr(moving, at)

    def overwritten(*arguments):
        moving_feed.put(B, "in/a.csv")
        return step(*arguments)

    monkeypatch.setattr(moving, at, overwritten)
    assert actions(moving_feed) == {"in/a.csv": "kept"}
    assert bodies(moving_feed)["in/a.csv"] == B
    assert bodies(moving_feed).get("loaded/in/a.csv", A) == A, "a copy of what is not loaded"


def test_a_file_that_changes_as_it_is_deleted_stays(engine, monkeypatch):
    """The store compares the version. One that passes over the condition deletes what is there."""
    engine.be(source=source_of(engine, delete=True)).load(A, "in/a.csv")
    look = moving.find_arrival

    def overwritten(*arguments):
        seen = look(*arguments)
        engine.put(B, "in/a.csv")
        return seen

    monkeypatch.setattr(moving, "find_arrival", overwritten)
    is_kept = compares_versions(engine)
    assert actions(engine) == {"in/a.csv": "kept" if is_kept else "deleted"}
    assert bodies(engine) == ({"in/a.csv": B} if is_kept else {})


def compares_versions(engine):
    """Returns whether the store deletes on a condition, as AWS and SeaweedFS do and MinIO not."""
    engine.put(A, "x")
    with suppress(ClientError):
        engine.client.delete_object(Bucket=engine.bucket, Key="x", IfMatch='"0"')
    is_kept = "x" in bodies(engine)
    engine.client.delete_object(Bucket=engine.bucket, Key="x")
    return is_kept


def test_a_file_that_is_gone_meanwhile_is_told(moving_feed):
    arrival = moving_feed.put(A, "in/a.csv")
    moving_feed.load(arrival)
    moving_feed.client.delete_object(Bucket=moving_feed.bucket, Key="in/a.csv")
    with pytest.raises(ObjectMissing):
        moving.move(moving_feed.client, arrival, "loaded/in/a.csv")


def test_a_large_object_is_copied_in_parts(moving_feed, monkeypatch):
    monkeypatch.setattr(moving, "COPIED_AT_ONCE", 1 << 20)
    monkeypatch.setattr(moving, "PART_BYTES", 5 << 20)  # the least that S3 takes
    body = "id,name\n" + "".join(f"{i},{'x' * 100}\n" for i in range(100_000))
    moving_feed.load(body, "in/a.csv")
    assert actions(moving_feed) == {"in/a.csv": "moved"}
    assert bodies(moving_feed) == {"loaded/in/a.csv": body}


def test_a_file_is_not_moved_where_its_own_feed_takes_it_again(engine):
    engine.be(source=source_of(engine, pattern="x/*/[ab]/**", move_to="x/"))
    engine.load(A, "x/a/b/1.csv")
    with pytest.raises(FeedError, match="to which the file would be moved"):
        run(engine)
    assert bodies(engine) == {"x/a/b/1.csv": A}


@pytest.mark.parametrize("pattern", ["in/*.csv", "loaded/**"])
def test_a_file_that_another_feed_takes_stays(moving_feed, pattern):
    other = Feed.model_validate(
        {
            "feed": "other", "source": {"bucket": moving_feed.bucket, "pattern": pattern},
            "target": {"table": "raw.o", "disposition": "append"}, "columns": {"id": "integer"},
        }
    )  # fmt: skip
    moving_feed.load(A, "in/a.csv")
    with pytest.raises(FeedError, match="the feed 'other' takes"):
        run(moving_feed, others=Feeds([moving_feed.feed, other]))
    assert bodies(moving_feed) == {"in/a.csv": A}


def test_a_feed_beside_that_cannot_be_read_may_take_the_files(moving_feed):
    broken = Feeds(broken={Path("feeds/other.yaml"): FeedError("unknown key 'tabel'")})
    assert run(moving_feed, others=broken) == {}
    moving_feed.load(A, "in/a.csv")
    with pytest.raises(FeedError, match=r"other\.yaml beside the feed cannot be read"):
        run(moving_feed, others=broken)
    assert bodies(moving_feed) == {"in/a.csv": A}


def test_a_key_that_would_be_too_long_keeps_no_other_file(engine):
    engine.be(source=source_of(engine, pattern="in/**", move_to="loaded/"))
    engine.load(A, "in" + f"/{'é' * 99}" * 5)
    engine.load(B, "in/ü.csv")
    assert [each.reason for each in run(engine).values()] == [TOO_LONG, None]


def test_files_of_a_table_that_was_emptied_are_not_deleted(engine):
    engine.be(source=source_of(engine, delete=True)).load(A, "in/a.csv")
    engine.sql("TRUNCATE raw.t")
    with pytest.raises(FeedError, match="is empty, and the ledger has 1 rows"):
        run(engine)
    engine.be(source=source_of(engine, move_to="loaded/"))
    assert actions(engine) == {"in/a.csv": "moved"}


def test_files_of_a_table_that_is_gone_are_not_touched(moving_feed):
    moving_feed.load(A, "in/a.csv")
    moving_feed.sql("DROP TABLE raw.t")
    with pytest.raises(FeedError, match="gone"):
        run(moving_feed)
    assert bodies(moving_feed) == {"in/a.csv": A}


def test_a_feed_without_the_rule_is_told(engine):
    engine.load(A, "in/a.csv")
    with pytest.raises(FeedError, match="does not say what becomes of its loaded files"):
        run(engine)


def test_the_command_says_what_became_of_each_file(shell):
    shell.feed["source"]["loaded_files"] = {"move_to": "loaded/", **AT_ONCE}
    shell.write_feed()
    shell.put("id,day\n1,2026-01-01\n")
    assert shell.run()[0] == 0
    code, out, _ = shell.run("--dry-run", command="tidy")
    assert (code, out.splitlines()) == (
        0,
        [
            "would be moved    things/1.csv  to loaded/things/1.csv",
            "things: 1 file would be moved",
        ],
    )
    code, out, _ = shell.run(command="tidy")
    assert (code, out.splitlines()) == (
        0, ["moved    things/1.csv  to loaded/things/1.csv", "things: 1 file moved"],
    )  # fmt: skip
    assert shell.run(command="tidy")[1] == "things: no loaded file is old enough\n"
