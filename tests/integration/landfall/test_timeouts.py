"""The feed's timeouts hold for all that works on its table: a load, its undo, a replay, a check."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from include.landfall.errors import LandfallError
from include.landfall.forget import forget
from include.landfall.validate import validate
from tests.support.engine import Engine

DIRTY = "id,name\n1,a\nx,b\n"


def forget_file(engine):
    forget(engine.feed, "a.csv", warehouse=engine.warehouse)


def validate_file(engine):
    arrival = engine.put(DIRTY, "b.csv")
    validate(engine.feed, arrival, store=engine.store, warehouse=engine.warehouse)


def load_file(engine):
    engine.load(DIRTY, "b.csv")


WORK = pytest.mark.parametrize("work", [load_file, Engine.replay, forget_file, validate_file])


@pytest.mark.timeout(60)
@WORK
@pytest.mark.parametrize("limit", ["lock_timeout", "statement_timeout"])
def test_nothing_takes_longer_than_the_feed_says(engine, work: Callable, limit):
    engine.be(rejects={"at_most": 9}).load(DIRTY)
    engine.be(rejects={"at_most": 9}, limits={limit: 0.3})
    with psycopg.connect(engine.warehouse.conninfo()) as other:
        other.execute("LOCK TABLE raw.t")
        other.execute("SET LOCAL idle_in_transaction_session_timeout = '10s'")
        with pytest.raises(LandfallError, match=f"because of {limit}"):
            work(engine)


@pytest.mark.timeout(60)
def test_the_load_id_is_added_no_later_than_the_feed_says(engine):
    engine.sql("CREATE SCHEMA raw; CREATE TABLE raw.t (id integer, name text)")
    engine.be(limits={"statement_timeout": 0.3})
    with psycopg.connect(engine.warehouse.conninfo()) as other:
        other.execute("LOCK TABLE raw.t")
        other.execute("SET LOCAL idle_in_transaction_session_timeout = '10s'")
        with pytest.raises(LandfallError, match="because of statement_timeout"):
            engine.load(DIRTY)
