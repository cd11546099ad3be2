"""What merges do to tables with triggers, rules and policies: right rows or one clear error.

Each kind is an entry of KINDS, and each is tried with every strategy: the file FIRST is loaded into a
plain table, then somebody makes the kind of it, then SECOND is loaded, and SECOND is forgotten.
"""
# ruff: noqa: E501  the table of kinds

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from include.landfall.errors import FeedError, LandfallError
from include.landfall.forget import forget

COLUMNS = {"id": "integer", "name": "text", "at": "date", "op": "text"}
MERGE = {"table": "raw.t", "disposition": "merge", "key": ["id"], "keep_replaced": 7}
DELETED = {"deleted": {"column": "op", "values": ["D"]}}
STRATEGIES = {
    "upsert": MERGE | DELETED,
    "delete-insert": MERGE | DELETED | {"strategy": "delete-insert"},
    "scd2": MERGE | DELETED | {"strategy": "scd2", "newest": "at"},
    "replace_where": {"table": "raw.t", "disposition": "replace", "replace_where": ["id"]},
}
FIRST = "id,name,at,op\n1,a,2026-01-01,\n2,b,2026-01-01,\n3,c,2026-01-01,\n4,d,2026-01-01,\n"
# Changes row 1, deletes row 2, has row 3 of the same moment once more, and adds row 5.
SECOND = "id,name,at,op\n1,A,2026-01-02,\n2,B,2026-01-02,D\n3,C,2026-01-01,\n5,E,2026-01-02,\n"
MERGED = {
    "upsert": ["1 A", "3 C", "4 d", "5 E"],
    "delete-insert": ["1 A", "3 C", "4 d", "5 E"],
    "scd2": ["1 A", "1 a until 2026-01-02", "2 b until 2026-01-02", "3 C", "4 d", "5 E"],
    "replace_where": ["1 A", "2 B", "3 C", "4 d", "5 E"],
}
EVERY = tuple(STRATEGIES)
STAY = "rows that this load replaces stay in raw.t"
NOT_BACK = "in raw.t are not as they were before"


def trigger(when: str, body: str, table: str = "raw.t", each: str = "ROW") -> str:
    return (
        f"CREATE FUNCTION raw.f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$;"
        f" CREATE TRIGGER f {when} ON {table} FOR EACH {each} EXECUTE FUNCTION raw.f()"
    )


def refuses(words: str, *strategies: str) -> dict[str, str]:
    return dict.fromkeys(strategies or EVERY, words)


@dataclass(frozen=True)
class Kind:
    """What others make of the table, and what it refuses by each strategy, with words of the error."""

    made: str
    loads: dict[str, str] = field(default_factory=dict)
    undoes: dict[str, str] = field(default_factory=dict)


DELETES = refuses(STAY)
NOT_UNDONE = refuses(NOT_BACK, *EVERY[:3]) | refuses(STAY, "replace_where")
NOT_UPDATED = refuses(NOT_BACK, "upsert", "delete-insert")
AGAIN = "INSERT INTO raw.t SELECT OLD.*; RETURN NULL;"
COPY = "INSERT INTO raw.u VALUES (OLD.id); RETURN NULL;"
ELSEWHERE = "CREATE TABLE raw.u (id integer);"
LOST = "rows were lost"

KINDS = {
    "a plain table": Kind("SELECT 1"),
    # ---- triggers
    "BEFORE DELETE, NULL": Kind(trigger("BEFORE DELETE", "RETURN NULL;"), DELETES, NOT_UNDONE),
    "BEFORE DELETE, NULL for a row": Kind(trigger("BEFORE DELETE", "RETURN CASE WHEN OLD.id <> 3 THEN OLD END;"), refuses(STAY, *EVERY[1:]), refuses(NOT_BACK, "scd2") | refuses(STAY, "replace_where")),
    "BEFORE DELETE, an error": Kind(trigger("BEFORE DELETE", "RAISE 'never';"), refuses("never"), refuses("never")),
    "AFTER DELETE, the row again": Kind(trigger("AFTER DELETE", AGAIN), DELETES, NOT_UNDONE),
    "AFTER DELETE, a copy elsewhere": Kind(ELSEWHERE + trigger("AFTER DELETE", COPY)),
    "BEFORE UPDATE, NULL": Kind(trigger("BEFORE UPDATE", "RETURN NULL;"), refuses(STAY, "upsert", "scd2"), NOT_UPDATED),
    "BEFORE UPDATE, the old row": Kind(trigger("BEFORE UPDATE", "RETURN OLD;"), refuses(STAY, "upsert", "scd2"), NOT_UPDATED),
    "BEFORE INSERT, NULL for a row": Kind(trigger("BEFORE INSERT", "RETURN CASE WHEN NEW.id <> 1 THEN NEW END;"), refuses(LOST, *EVERY[1:]) | refuses(STAY, "upsert"), refuses(NOT_BACK, "scd2")),
    "BEFORE INSERT, another column": Kind("ALTER TABLE raw.t ADD note text;" + trigger("BEFORE INSERT OR UPDATE", "NEW.note := clock_timestamp(); RETURN NEW;")),
    "BEFORE INSERT, another key": Kind(trigger("BEFORE INSERT", "NEW.id := NEW.id + 100; RETURN NEW;"), refuses("are not in raw.t under their key") | refuses(STAY, "upsert"), refuses(NOT_BACK, *EVERY[:3])),
    "a statement's trigger": Kind(trigger("BEFORE INSERT OR UPDATE OR DELETE", "RETURN NULL;", each="STATEMENT")),
    "a child's trigger": Kind("CREATE TABLE raw.child () INHERITS (raw.t); WITH moved AS (DELETE FROM ONLY raw.t WHERE id = 3 RETURNING *) INSERT INTO raw.child SELECT * FROM moved;" + trigger("BEFORE DELETE OR UPDATE", "RETURN NULL;", "raw.child"), refuses(STAY, "upsert", "scd2") | refuses("raw.child would lose rows", "delete-insert", "replace_where"), NOT_UNDONE),
    # ---- rules and policies
    "DELETE, INSTEAD NOTHING": Kind("CREATE RULE r AS ON DELETE TO raw.t DO INSTEAD NOTHING", DELETES, NOT_UNDONE),
    "DELETE, ALSO elsewhere": Kind(ELSEWHERE + "CREATE RULE r AS ON DELETE TO raw.t DO ALSO INSERT INTO raw.u VALUES (OLD.id)"),
    "UPDATE, INSTEAD NOTHING": Kind("CREATE RULE r AS ON UPDATE TO raw.t DO INSTEAD NOTHING", refuses("ON CONFLICT", "upsert") | refuses(STAY, "scd2"), NOT_UPDATED),
}  # fmt: skip


class Table:
    """The target of one strategy, and what a reader sees in it."""

    def __init__(self, engine, strategy):
        self.engine, self.strategy = engine, strategy
        engine.sql("DROP SCHEMA IF EXISTS raw CASCADE")
        engine.be(columns=COLUMNS, target=STRATEGIES[strategy], feed=strategy.replace("-", "_"))
        engine.load(FIRST, f"{strategy}/1.csv")

    def rows(self):
        ends = " || coalesce(' until ' || _valid_to, '')" if self.strategy == "scd2" else ""
        return sorted(self.engine.sql(f"SELECT id || ' ' || name{ends} FROM raw.t"))

    def load(self):
        return self.engine.load(SECOND, f"{self.strategy}/2.csv")

    def forget(self):
        return forget(self.engine.feed, f"{self.strategy}/2.csv", warehouse=self.engine.warehouse)

    def loaded(self):
        query = "SELECT key FROM landfall.ledger WHERE status = 'loaded' AND feed = %s ORDER BY key"
        return [key.split("/")[1] for key in self.engine.sql(query, self.engine.feed.name)]


def check(table, change, words, changed, done):
    """Checks that the table changes, or that it is refused and nothing has changed."""
    before = table.rows(), table.loaded()
    if words is None:
        change()
        assert (table.rows(), table.loaded()) == (changed, done)
        return
    with pytest.raises(LandfallError, match=words):
        change()
    assert (table.rows(), table.loaded()) == before


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_table_is_merged_rightly_or_refused_with_one_clear_error(engine, name):
    kind = KINDS[name]
    for strategy in STRATEGIES:
        table = Table(engine, strategy)
        engine.sql(kind.made)
        words = kind.loads.get(strategy)
        check(table, table.load, words, MERGED[strategy], ["1.csv", "2.csv"])


@pytest.mark.parametrize("name", KINDS)
def test_a_file_is_forgotten_with_all_that_it_changed_or_it_is_refused(engine, name):
    kind = KINDS[name]
    for strategy in STRATEGIES:
        table = Table(engine, strategy)
        before = table.rows() if strategy != "replace_where" else ["4 d"]
        table.load()
        engine.sql(kind.made)
        check(table, table.forget, kind.undoes.get(strategy), before, ["1.csv"])


def test_a_key_that_a_snapshot_does_not_have_is_closed_or_the_snapshot_is_refused(engine):
    target = MERGE | {"strategy": "scd2", "absent": "close"}
    engine.be(target=target).load("id,name\n1,a\n2,b\n", "1.csv")
    engine.sql(trigger("BEFORE UPDATE", "RETURN NULL;"))
    with pytest.raises(FeedError, match=STAY):
        engine.load("id,name\n1,a\n", "2.csv")
    assert engine.sql("SELECT id FROM raw.t WHERE _is_current ORDER BY id") == [1, 2]


def test_a_kept_row_is_seen_among_rows_that_are_merged_one_by_one(engine):
    """Of row 1 the DELETE is refused, so each row is merged alone; of row 2 it is dropped."""
    target = MERGE | {"strategy": "delete-insert"}
    engine.be(target=target, rejects={"at_most": 9}).load("id,name\n1,a\n2,b\n", "1.csv")
    engine.sql(
        "CREATE TABLE raw.item (id integer REFERENCES raw.t); INSERT INTO raw.item VALUES (1)"
    )
    assert engine.load("id,name\n1,A\n3,c\n", "2.csv").reasons == {"foreign_key": 1}
    engine.sql(trigger("BEFORE DELETE", "RETURN CASE WHEN OLD.id <> 2 THEN OLD END;"))
    before = engine.rows()
    with pytest.raises(FeedError, match=STAY):
        engine.load("id,name\n1,A\n2,B\n", "3.csv")
    assert engine.rows() == before


def test_rows_that_a_view_hides_are_seen_to_stay(engine):
    engine.sql(
        "CREATE SCHEMA raw; CREATE TABLE raw.u (id integer, name text, _load_id bigint);"
        "CREATE VIEW raw.t AS SELECT * FROM raw.u; CREATE FUNCTION raw.i() RETURNS trigger LANGUAGE"
        " plpgsql AS $$ BEGIN INSERT INTO raw.u VALUES (NEW.*); RETURN NEW; END $$; CREATE TRIGGER i"
        " INSTEAD OF INSERT ON raw.t FOR EACH ROW EXECUTE FUNCTION raw.i()"
    )
    target = {"table": "raw.t", "disposition": "merge", "key": ["id"], "strategy": "delete-insert"}
    engine.be(target=target).load("id,name\n1,a\n", "1.csv")
    engine.load("id,name\n1,b\n", "2.csv")
    assert engine.rows() == [(1, "b")]
    engine.sql(trigger("BEFORE DELETE", "RETURN NULL;", "raw.u"))
    with pytest.raises(FeedError, match=STAY):
        engine.load("id,name\n1,c\n", "3.csv")
    assert engine.rows() == [(1, "b")]
