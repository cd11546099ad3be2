"""A table that has lost `_load_id`: its files' rows cannot be told, so nothing may double them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from include.landfall.errors import FeedError, LandfallError, ServerUnavailable
from include.landfall.forget import forget
from include.landfall.replay import rejects_to_replay, replay
from tests.support.engine import Engine

FILE = "id,name\n1,a\n2,b\nx,bad\n"


def forget_file(engine: Engine) -> None:
    forget(engine.feed, "a.csv", warehouse=engine.warehouse)


def replay_rejects(engine: Engine) -> None:
    engine.sql("""UPDATE landfall.rejects SET cells = '{"id": "3", "name": "c"}'""")
    engine.replay()


# Each with a part of what to do.
WORK: dict[str, tuple[Callable[[Engine], object], str]] = {
    "the file, changed": (lambda engine: engine.load("id,name\n1,A\n"), "empty it and load all"),
    "another file": (lambda engine: engine.load("id,name\n4,d\n", "b.csv"), "empty it and load"),
    "forget": (forget_file, "delete the rows by hand"),
    "replay": (replay_rejects, "bring the table back"),
}


@pytest.mark.parametrize("name", WORK)
def test_nothing_works_on_rows_of_files_that_carry_no_load_id(engine, name):
    engine.be(rejects={"at_most": 9}).load(FILE)
    engine.sql("ALTER TABLE raw.t DROP COLUMN _load_id")
    work, words = WORK[name]
    with pytest.raises(FeedError, match=r"_load_id|carry no load id") as refused:
        work(engine)
    assert words in str(refused.value.do)
    assert engine.sql("SELECT * FROM raw.t ORDER BY id") == [(1, "a"), (2, "b")]
    assert engine.sql("SELECT rows FROM landfall.ledger WHERE key = 'a.csv'")[0] == 2


def test_what_to_do_helps(engine):
    engine.load("id,name\n1,a\n")
    engine.sql("ALTER TABLE raw.t DROP COLUMN _load_id")
    with pytest.raises(FeedError, match="carry no load id"):
        engine.load("id,name\n1,b\n")
    engine.sql("TRUNCATE raw.t")
    engine.load("id,name\n1,b\n", force=True)
    assert engine.rows() == [(1, "b")]


@pytest.mark.parametrize("disposition", ["replace", "merge"])
def test_a_way_of_writing_that_needs_no_load_id_goes_on(engine, disposition):
    key = {"key": ["id"], "strategy": "delete-insert"} if disposition == "merge" else {}
    engine.be(target={"table": "raw.t", "disposition": disposition} | key)
    engine.load("id,name\n1,a\n")
    engine.sql("ALTER TABLE raw.t DROP COLUMN _load_id")
    engine.load("id,name\n1,b\n")
    assert engine.rows() == [(1, "b")]


def test_a_replay_into_a_table_that_others_alter_meanwhile_changes_nothing(engine, mocker):
    """A value of the type of before would be rounded to the type of now."""
    engine.be(columns={"id": "numeric(4,2)"}, rejects={"at_most": 9}).load("id\n1.5\nx\n")
    engine.sql("""UPDATE landfall.rejects SET cells = '{"id": "2.5"}'""")
    (batch,) = rejects_to_replay(engine.feed, warehouse=engine.warehouse).batches

    def altered(*_: object) -> list[str]:
        engine.sql("ALTER TABLE raw.t ALTER id TYPE integer USING 9")
        return []

    mocker.patch("include.landfall.ledger.replays.columns_beside", altered)
    with pytest.raises(ServerUnavailable, match=r"altered or replaced raw\.t"):
        replay(engine.feed, batch, warehouse=engine.warehouse)
    assert engine.sql("SELECT id FROM raw.t") == [9]
    with pytest.raises(LandfallError, match="another type"):
        replay(engine.feed, batch, warehouse=engine.warehouse)
