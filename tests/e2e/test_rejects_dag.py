"""Dirty files through a feed's DAG: what is loaded, what is a reject, and what nobody may read.

The files are those of the corpus, so the DAG must give what the engine gives.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from include.landfall.feed.model import Feed
from tests.support.astro_dags import World, world
from tests.support.corpus import RULES, SHAPE_STATES, SHAPES, cells
from tests.support.feed_dags import make_dag, run_feed_dag

__all__ = ["world"]

pytestmark = pytest.mark.timeout(300)

# A reject of the corpus: line, column, reason, SQLSTATE, text.
Reject = tuple[int, str | None, str, str | None, str]
# A file, its ids that are loaded, and its rejects.
Case = tuple[bytes, list[int], list[Reject]]


def misshapen() -> dict[str, Case]:
    """Five files of rows that cannot be cut into cells."""
    names = ("too many fields", "a quote that a later cell closes", "LATIN1", "a zero byte",
             "two rows with a CR between")  # fmt: skip
    return {
        name: (
            b"id,name\n" + body,
            ids,
            [(line, None, reason, SHAPE_STATES[reason], raw) for line, reason, raw in rejects],
        )
        for name, (body, ids, rejects) in ((name, SHAPES[name]) for name in names)
    }


def bad_dates() -> dict[str, Case]:
    """Three files with a cell that is no date."""
    dates = [line for line in cells() if line[0] == "date"][:3]
    return {
        bad: (
            f"id,v\n1,{good}\n2,{bad}\n3,{good}\n".encode(),
            [1, 3],
            [(3, "v", "cell", state, f"2,{bad}")],
        )
        for _, bad, good, state in dates
    }


def refused_by_the_table() -> dict[str, Case]:
    """Two files with a row that a CHECK refuses, one for each path."""
    _, body, ids, (line, column, reason, state) = RULES["CHECK"]
    return {
        path: (
            ("id,name\n" + body.replace("\n2,", f"\n{blank}2,")).encode(),
            ids,
            [(line, column, reason, state, f"{blank}2,b")],
        )
        for path, blank in (("fast path", ""), ("text path", " "))
    }


# The columns of a feed, its table where others have made it, and its files.
FEEDS: dict[str, tuple[dict[str, str], str, dict[str, Case]]] = {
    "shapes": ({"id": "integer", "name": "text"}, "", misshapen()),
    "dates": ({"id": "integer", "v": "date"}, "", bad_dates()),
    "rules": (
        {"id": "integer", "name": "text"},
        f"id integer, _load_id bigint, {RULES['CHECK'][0]}",
        refused_by_the_table(),
    ),
}


def test_ten_files_of_the_corpus_go_through_the_dag() -> None:
    assert sum(len(cases) for _, _, cases in FEEDS.values()) == 10


@pytest.mark.parametrize("name", FEEDS)
def test_the_dag_loads_and_rejects_what_the_engine_does(
    world: World, airflow_db: object, name: str
) -> None:
    columns, table, cases = FEEDS[name]
    if table:
        world.run(f"CREATE SCHEMA raw; CREATE TABLE raw.{name} ({table})")
    for file, (body, _, _) in cases.items():
        world.put(f"{name}/{file}", body)
    state, tasks = run_feed_dag(make_dag(feed_of(world, name, columns, {"at_most": 9})))
    assert (state, tasks["load"]) == ("success", ["success"] * len(cases))
    for file, (_, ids, rejects) in cases.items():
        assert loaded(world, name, file) == ids
        assert rejected(world, f"{name}/{file}") == rejects


def feed_of(world: World, name: str, columns: dict[str, Any], rejects: dict[str, Any]) -> Feed:
    return Feed.model_validate(
        {
            "feed": name,
            "source": {"bucket": world.bucket, "pattern": f"{name}/*"},
            "target": {"table": f"raw.{name}"},
            "columns": columns,
            "rejects": rejects,
        }
    )


def loaded(world: World, name: str, file: str) -> list[int]:
    rows = world.rows(
        f"SELECT id FROM raw.{name} JOIN landfall.ledger ON load_id = _load_id"
        f" WHERE key = '{name}/{file}' ORDER BY id"
    )
    return [number for (number,) in rows]


def rejected(world: World, key: str) -> list[tuple[Any, ...]]:
    return world.rows(
        "SELECT line, column_name, reason, sqlstate, raw FROM landfall.rejects"
        f" WHERE key = '{key}' ORDER BY row_number"
    )


# ---- a text that is not to be kept ---------------------------------------------------------------

MARKER = "jane.doe.4711"
# What keeps the text away, and the column of the text.
HIDING: dict[str, tuple[dict[str, str], Any]] = {
    "hashed": ({"keep": "hashed"}, "text"),
    "count": ({"keep": "count"}, "text"),
    "secret": ({"keep": "raw"}, {"type": "text", "secret": True}),
}
BAD_ROWS = {"cell": f"x,{MARKER}", "fields": f"1,{MARKER},", "quote": f'1,"{MARKER}"x'}


@pytest.mark.parametrize(("at_most", "state"), [(9, "success"), (0, "failed")])
@pytest.mark.parametrize("way", HIDING)
def test_a_text_that_is_not_kept_is_nowhere_in_airflow(
    world: World, airflow_db: Path, capfd: Any, caplog: Any, way: str, at_most: int, state: str
) -> None:
    keep, text = HIDING[way]
    columns = {"id": "integer", "name": text}
    world.run("CREATE SCHEMA raw; CREATE TABLE raw.hidden (id integer CHECK (id < 9), name text)")
    rows = "\n".join(["id,name", *BAD_ROWS.values(), f"9,{MARKER}", "2,good", ""])
    world.put("hidden/in-the-log.csv", rows)
    feed = feed_of(world, "hidden", columns, {**keep, "at_most": at_most})
    assert run_feed_dag(make_dag(feed))[0] == state
    log = caplog.text + "".join(capfd.readouterr())
    ledger = str([world.rows(f"TABLE landfall.{name}") for name in ("ledger", "rejects")])
    for place in (metadata_of(airflow_db), log, ledger):
        assert "in-the-log.csv" in place  # so the text would be seen there
        assert MARKER not in place


def metadata_of(database: Path) -> str:
    """Returns all that Airflow keeps: XCom, notes, log entries, events, serialized DAGs."""
    with closing(sqlite3.connect(database)) as connection:
        connection.text_factory = bytes
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        rows = [
            connection.execute(f'SELECT * FROM "{name.decode()}"').fetchall() for (name,) in names
        ]
    return str(rows)
