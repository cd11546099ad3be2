"""What loads do to every kind of target: right rows or one clear error, the same on both paths.

Each kind is an entry of KINDS. Five loads are made into it: `first` (rows 1 and 2), `other` (row 3 of
another file) and `changed` (the first file again, with row 4 alone) by append; `first` and `replaced`
(row 3 of a newer file) by replace.
"""
# ruff: noqa: E501  the table of kinds

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace

import psycopg
import pytest

from include.landfall.errors import LandfallError
from include.landfall.forget import forget
from tests.support.engine import Engine

PLAIN = "CREATE TABLE raw.t (id integer, name text);"
KEYED = "CREATE TABLE raw.t (id integer PRIMARY KEY, name text);"
ELSEWHERE = "CREATE TABLE raw.u (id integer, name text, _load_id bigint);"
SECURED = PLAIN + "ALTER TABLE raw.t ENABLE ROW LEVEL SECURITY;"
FORCED = SECURED + "ALTER TABLE raw.t FORCE ROW LEVEL SECURITY;"
BY_RANGE = "CREATE TABLE raw.t (id integer, name text) PARTITION BY RANGE (id); CREATE TABLE raw.t1 PARTITION OF raw.t FOR VALUES FROM (0) TO (2);"
BY_LIST = "CREATE TABLE raw.t (id integer, name text) PARTITION BY LIST (id); CREATE TABLE raw.t1 PARTITION OF raw.t FOR VALUES IN (1, 3, 4);"
ITEMS = KEYED + "CREATE TABLE raw.item (t integer REFERENCES raw.t ON DELETE {});"
TWO = "IF NEW.id = 2 THEN {} END IF; RETURN NEW;"


def trigger(when: str, body: str, made: str = PLAIN, each: str = "ROW") -> str:
    return (
        f"{made} CREATE FUNCTION raw.f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$;"
        f" CREATE {when} ON raw.t FOR EACH {each} EXECUTE FUNCTION raw.f();"
    )


@dataclass(frozen=True)
class Kind:
    """A target that others made, and the loads that it refuses, each with words of its error."""

    made: str
    refused: dict[str, str] = field(default_factory=dict)
    owned: bool = False  # by the loading role, which is no superuser
    there: tuple[int, ...] = ()  # rows that others keep there
    after_first: str = ""  # what others do after the first load


def refuses(words: str, *loads: str) -> dict[str, str]:
    return dict.fromkeys(loads or ("first", "other", "changed", "replaced"), words)


REMOVES = ("changed", "replaced")
LOST = "rows were lost"
RULE = refuses("a rule rewrites what is inserted")
ROW_SECURITY = refuses("row level security of raw.t applies to the loading role")
STAY = refuses("rows that this load replaces stay in", *REMOVES)
LOSES = refuses("raw.item would lose rows", *REMOVES)

KINDS = {
    "a plain table": Kind(PLAIN),
    "an unlogged table": Kind("CREATE UNLOGGED TABLE raw.t (id integer, name text)"),
    # ---- row level security
    "security, not for the owner": Kind(SECURED, owned=True),
    "security, not for a superuser": Kind(FORCED),
    "security, forced, no policy": Kind(FORCED, ROW_SECURITY, owned=True),
    "security, forced, INSERT alone": Kind(FORCED + "CREATE POLICY p ON raw.t FOR INSERT WITH CHECK (true)", ROW_SECURITY, owned=True),
    "security, forced, all allowed": Kind(FORCED + "CREATE POLICY p ON raw.t USING (true)", ROW_SECURITY, owned=True),
    "security, forced, a row refused": Kind(FORCED + "CREATE POLICY p ON raw.t USING (true) WITH CHECK (id <> 2)", ROW_SECURITY, owned=True),
    # ---- triggers
    "BEFORE INSERT, another value": Kind(trigger("TRIGGER f BEFORE INSERT", "NEW.name := 'x'; RETURN NEW;")),
    "BEFORE INSERT, NULL": Kind(trigger("TRIGGER f BEFORE INSERT", "RETURN NULL;"), refuses(LOST)),
    "BEFORE INSERT, NULL for a row": Kind(trigger("TRIGGER f BEFORE INSERT", TWO.format("RETURN NULL;")), refuses(LOST, "first")),
    "BEFORE INSERT, an error": Kind(trigger("TRIGGER f BEFORE INSERT", TWO.format("RAISE 'no two';")), refuses("(?s)line: 3.*no two", "first")),
    "BEFORE INSERT, no load id": Kind(trigger("TRIGGER f BEFORE INSERT", "NEW._load_id := NULL; RETURN NEW;"), refuses("takes the load id from rows")),
    "BEFORE INSERT, no load id of a row": Kind(trigger("TRIGGER f BEFORE INSERT", TWO.format("NEW._load_id := NULL;")), refuses("found: 1 rows with _load_id", "first")),
    "AFTER INSERT, NULL": Kind(trigger("TRIGGER f AFTER INSERT", "RETURN NULL;")),
    "AFTER INSERT, an error": Kind(trigger("TRIGGER f AFTER INSERT", TWO.format("RAISE 'no two';")), refuses("(?s)line: 3.*no two", "first")),
    "AFTER INSERT, an error at COMMIT": Kind(trigger("CONSTRAINT TRIGGER f AFTER INSERT", TWO.format("RAISE 'no two';")).replace("raw.t FOR", "raw.t DEFERRABLE INITIALLY DEFERRED FOR"), refuses("(?s)line: 3.*no two", "first")),
    "AFTER INSERT, a copy elsewhere": Kind(trigger("TRIGGER f AFTER INSERT", "INSERT INTO raw.u VALUES (NEW.id); RETURN NULL;", PLAIN + ELSEWHERE)),
    "a statement's trigger": Kind(trigger("TRIGGER f BEFORE INSERT OR DELETE", "RETURN NULL;", each="STATEMENT")),
    "BEFORE DELETE, NULL": Kind(trigger("TRIGGER f BEFORE DELETE", "RETURN NULL;"), STAY),
    "BEFORE DELETE, an error": Kind(trigger("TRIGGER f BEFORE DELETE", "RAISE 'never';"), refuses("never", *REMOVES)),
    "AFTER DELETE, the row again": Kind(trigger("TRIGGER f AFTER DELETE", "INSERT INTO raw.t SELECT OLD.*; RETURN NULL;"), STAY),
    # ---- rules
    "INSERT, INSTEAD NOTHING": Kind(PLAIN + "CREATE RULE r AS ON INSERT TO raw.t DO INSTEAD NOTHING", RULE),
    "INSERT, INSTEAD elsewhere": Kind(PLAIN + ELSEWHERE + "CREATE RULE r AS ON INSERT TO raw.t DO INSTEAD INSERT INTO raw.u VALUES (NEW.id)", RULE),
    "INSERT, ALSO elsewhere": Kind(PLAIN + ELSEWHERE + "CREATE RULE r AS ON INSERT TO raw.t DO ALSO INSERT INTO raw.u VALUES (NEW.id)", RULE),
    "DELETE, INSTEAD NOTHING": Kind(PLAIN + "CREATE RULE r AS ON DELETE TO raw.t DO INSTEAD NOTHING", STAY),
    "DELETE, ALSO elsewhere": Kind(PLAIN + ELSEWHERE + "CREATE RULE r AS ON DELETE TO raw.t DO ALSO INSERT INTO raw.u VALUES (OLD.id)"),
    # ---- columns that the table fills
    "identity ALWAYS": Kind("CREATE TABLE raw.t (id integer GENERATED ALWAYS AS IDENTITY, name text)"),
    "identity BY DEFAULT": Kind("CREATE TABLE raw.t (id integer GENERATED BY DEFAULT AS IDENTITY, name text)"),
    "identity that no file has": Kind("CREATE TABLE raw.t (id integer, name text, k bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY)"),
    "a generated column": Kind("CREATE TABLE raw.t (id integer, name text, twice integer GENERATED ALWAYS AS (id * 2) STORED)"),
    "a generated column of the file": Kind("CREATE TABLE raw.t (id integer, name text GENERATED ALWAYS AS ('x') STORED)", refuses("a generated column")),
    # ---- partitions and inheritance
    "by range": Kind(BY_RANGE + "CREATE TABLE raw.t2 PARTITION OF raw.t FOR VALUES FROM (2) TO (9)"),
    "by range, a default": Kind(BY_RANGE + "CREATE TABLE raw.t2 PARTITION OF raw.t DEFAULT"),
    "by range, one missing": Kind(BY_RANGE + "CREATE TABLE raw.t2 PARTITION OF raw.t FOR VALUES FROM (3) TO (9)", refuses("(?s)no partition.*line: 3", "first")),
    "by range, a trigger that takes the load id": Kind(trigger("TRIGGER f BEFORE INSERT", "NEW._load_id := NULL; RETURN NEW;", BY_RANGE + "CREATE TABLE raw.t2 PARTITION OF raw.t DEFAULT;").replace("ON raw.t FOR", "ON raw.t1 FOR"), refuses("found: 1 rows with _load_id", "first")),
    "by list": Kind(BY_LIST + "CREATE TABLE raw.t2 PARTITION OF raw.t FOR VALUES IN (2)"),
    "by list, a default": Kind(BY_LIST + "CREATE TABLE raw.t2 PARTITION OF raw.t DEFAULT"),
    "by list, one missing": Kind(BY_LIST, refuses("(?s)no partition.*line: 3", "first")),
    "no partition at all": Kind("CREATE TABLE raw.t (id integer, name text) PARTITION BY LIST (id)", refuses("no partition")),
    "a partition": Kind("CREATE TABLE raw.p (id integer, name text) PARTITION BY LIST (id); CREATE TABLE raw.t PARTITION OF raw.p DEFAULT", refuses("ALTER TABLE raw.p ADD COLUMN _load_id")),
    "a partition with a load id": Kind("CREATE TABLE raw.p (id integer, name text, _load_id bigint) PARTITION BY LIST (id); CREATE TABLE raw.t PARTITION OF raw.p DEFAULT"),
    "a table of a type": Kind("CREATE TYPE raw.ty AS (id integer, name text); CREATE TABLE raw.t OF raw.ty", refuses("ALTER TYPE raw.ty ADD ATTRIBUTE _load_id")),
    "a load id of numeric": Kind("CREATE TABLE raw.t (id integer, name text, _load_id numeric)", refuses("(?s)cannot take the id of a load.*found: numeric")),
    "a load id that is generated": Kind("CREATE TABLE raw.t (id integer, name text, _load_id bigint GENERATED ALWAYS AS (1) STORED)", refuses("(?s)cannot take the id of a load.*found: a generated")),
    "a child": Kind("CREATE TABLE raw.parent (id integer, name text); CREATE TABLE raw.t () INHERITS (raw.parent)"),
    "a parent": Kind(PLAIN + "CREATE TABLE raw.child () INHERITS (raw.t); INSERT INTO raw.child VALUES (100)", refuses("raw.child would lose rows", "first in replace", "replaced"), there=(100,)),
    "a parent without rows below": Kind(PLAIN + "CREATE TABLE raw.child () INHERITS (raw.t)"),
    # ---- foreign keys
    "referred to, CASCADE": Kind(ITEMS.format("CASCADE"), LOSES, after_first="INSERT INTO raw.item VALUES (1)"),
    "referred to, SET NULL": Kind(ITEMS.format("SET NULL"), LOSES, after_first="INSERT INTO raw.item VALUES (1)"),
    "referred to, NO ACTION": Kind(ITEMS.format("NO ACTION"), refuses("foreign key", *REMOVES), after_first="INSERT INTO raw.item VALUES (1)"),
    "referred to, CASCADE, by no row": Kind(ITEMS.format("CASCADE")),
    "partitions that are referred to": Kind("CREATE TABLE raw.t (id integer PRIMARY KEY, name text) PARTITION BY RANGE (id); CREATE TABLE raw.t1 PARTITION OF raw.t DEFAULT; CREATE TABLE raw.item (t integer REFERENCES raw.t ON DELETE CASCADE)", LOSES, after_first="INSERT INTO raw.item VALUES (1)"),
    "referring to itself": Kind("CREATE TABLE raw.t (id integer PRIMARY KEY, name text, up integer REFERENCES raw.t ON DELETE CASCADE)", {"changed": "raw.t would lose rows", "replaced": "foreign key"}, after_first="UPDATE raw.t SET up = 2 WHERE id = 1; ALTER TABLE raw.t ALTER up SET DEFAULT 2"),
    "referring to its own file's rows": Kind("CREATE TABLE raw.t (id integer PRIMARY KEY, name text, up integer REFERENCES raw.t ON DELETE CASCADE)", after_first="UPDATE raw.t SET up = 2 WHERE id = 1"),
    "referring, CASCADE": Kind("CREATE TABLE raw.a (id integer PRIMARY KEY); INSERT INTO raw.a VALUES (1), (2), (3), (4); CREATE TABLE raw.t (id integer REFERENCES raw.a ON DELETE CASCADE, name text)"),
    # ---- what is no table
    "a view": Kind(ELSEWHERE + "CREATE VIEW raw.t AS SELECT * FROM raw.u", refuses("raw.t is a view")),
    "a view with INSTEAD OF": Kind(trigger("TRIGGER f INSTEAD OF INSERT", "INSERT INTO raw.u VALUES (NEW.*); RETURN NEW;", ELSEWHERE + "CREATE VIEW raw.t AS SELECT * FROM raw.u;")),
    "a materialized view": Kind("CREATE MATERIALIZED VIEW raw.t AS SELECT 100 AS id, ''::text AS name, 1::bigint AS _load_id", refuses("raw.t is a materialized view"), there=(100,)),
    "a foreign table": Kind("CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE raw.f (id integer, name text) SERVER s; ALTER FOREIGN TABLE raw.f RENAME TO t", refuses("raw.t is a foreign table")),
    # ---- publications
    "published, no key": Kind(PLAIN + "CREATE PUBLICATION p FOR TABLE raw.t", refuses("REPLICA IDENTITY", "changed", "replaced", "first in replace")),
    "published, a key": Kind(KEYED + "CREATE PUBLICATION p FOR TABLE raw.t"),
    "published, the whole row": Kind(PLAIN + "ALTER TABLE raw.t REPLICA IDENTITY FULL; CREATE PUBLICATION p FOR TABLE raw.t"),
}  # fmt: skip

FILES = {
    "first": ("a.csv", [1, 2]), "first in replace": ("a.csv", [1, 2]), "other": ("b.csv", [3]),
    "changed": ("a.csv", [4]), "replaced": ("b.csv", [3]),
}  # fmt: skip


class Loads:
    """Loads into one kind of target, and looks after each load at what a reader sees."""

    def __init__(self, engine: Engine, kind: Kind, blank: str, role: str | None) -> None:
        self.engine, self.kind, self.blank = engine, kind, blank
        self.options = {}
        if role:
            self.options["warehouse"] = replace(engine.warehouse, user=role, password="x")
            engine.sql(f"ALTER TABLE raw.t OWNER TO {role}")

    def run(self, *loads: str, disposition: str) -> None:
        self.engine.be(disposition=disposition, feed=disposition)
        files: dict[str, list[int]] = {}
        for load in loads:
            key, ids = FILES[load]
            if self._is_loaded(load, key, ids):
                files = {key: ids} if disposition == "replace" else {**files, key: ids}
            if load == loads[0] and self.kind.after_first:
                self.engine.sql(self.kind.after_first)
            rows = [*self.kind.there, *(n for numbers in files.values() for n in numbers)]
            assert self._ids() == sorted(rows), load
        if "raw.item" in self.kind.after_first:
            assert self.engine.sql("SELECT t FROM raw.item") == [1]

    def _is_loaded(self, load: str, key: str, ids: list[int]) -> bool:
        body = "id,name\n" + "".join(f"{self.blank}{n},a\n" for n in ids)
        words = self.kind.refused.get(load) or self.kind.refused.get(load.split()[0])
        if not words:
            assert self.engine.load(body, key, **self.options).rows == len(ids)
            return True
        with pytest.raises(LandfallError, match=words):
            self.engine.load(body, key, **self.options)
        return False

    def _ids(self) -> list[int]:
        try:
            return self.engine.sql("SELECT id FROM raw.t ORDER BY id")
        except psycopg.errors.ObjectNotInPrerequisiteState:  # a foreign table without a server
            return []


@contextmanager
def loading_role(engine: Engine) -> Iterator[str]:
    name = f"owner_{engine.warehouse.dbname}"
    engine.sql(
        f"CREATE ROLE {name} LOGIN PASSWORD 'x'; GRANT CREATE ON DATABASE {engine.warehouse.dbname} TO {name}"
    )
    try:
        yield name
    finally:
        engine.sql(f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}")


# The two ways of the rows to the table differ before the dispositions do: each way has one of them.
@pytest.mark.parametrize(
    ("disposition", "loads", "blank"),
    [
        ("append", ("first", "other", "changed"), ""),
        ("replace", ("first in replace", "replaced"), " "),
    ],
    ids=["append, fast path", "replace, text path"],
)
@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_target_gets_right_rows_or_one_clear_error(
    engine, name, disposition, loads, blank
):
    kind = KINDS[name]
    with loading_role(engine) if kind.owned else nullcontext() as role:
        engine.sql("CREATE SCHEMA raw")
        engine.sql(kind.made + (f"; GRANT USAGE ON SCHEMA raw TO {role}" if role else ""))
        Loads(engine, kind, blank, role).run(*loads, disposition=disposition)


def test_forgetting_a_file_takes_no_rows_of_another_table_away(engine):
    engine.sql("CREATE SCHEMA raw;" + ITEMS.format("CASCADE"))
    engine.load("id,name\n1,a\n", "a.csv")
    engine.sql("INSERT INTO raw.item VALUES (1)")
    with pytest.raises(LandfallError, match=r"raw\.item would lose rows"):
        forget(engine.feed, "a.csv", warehouse=engine.warehouse)
    assert engine.sql("SELECT t FROM raw.item") == engine.sql("SELECT id FROM raw.t") == [1]
