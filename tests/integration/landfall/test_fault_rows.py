"""Faults that an examination met, by number: the smallest input, and its one clear error.

tests/integration/landfall/test_faults.py has those whose right outcome takes more than a line.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, replace

import pytest

from include.landfall.errors import DataError, FeedError, ServerUnavailable, TerminalError
from include.landfall.write import judge

PLAIN = "CREATE SCHEMA raw; CREATE TABLE raw.t (id integer, name text);"
TRIGGER = (
    PLAIN + "CREATE FUNCTION raw.f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} RETURN NEW;"
    " END $$; CREATE TRIGGER f BEFORE INSERT ON raw.t FOR EACH ROW EXECUTE FUNCTION raw.f()"
)
FOR_ALL = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {}', current_database()); END $$;"
LONG = 9 << 20  # bytes: more than a row may have


@dataclass(frozen=True)
class Fault:
    """A file, what others did before, and the class and words of the error."""

    body: str | bytes
    error: type[Exception]
    words: str
    before: str = ""


FAULTS = {
    "1.11 a backslash before a quote": Fault(
        'id,name\n1,"He said \\"hi\\" to me"\n', DataError, "text follows a closing quote"
    ),
    "3.1 a quote that is never closed": Fault(
        'id,name\n1,"a' + "\nx" * (LONG // 2), DataError, "(?s)quote.*line: 2"
    ),
    "3.2 CR alone": Fault(
        "id,name\r" + "1,a\r" * (LONG // 4), DataError, "(?s)(carriage|CR|columns|MiB).*line: 1"
    ),
    "3.5 a row that is too long": Fault(
        f"id,name\n1,{'x' * LONG}\n2,b\n", DataError, "(?s)8 MiB"
    ),
    "5.2 read-only, as a standby is": Fault(
        "id,name\n1,a\n", ServerUnavailable, "read-only",
        FOR_ALL.format("default_transaction_read_only = on"),
    ),
    "5.3 statement_timeout": Fault(
        "id,name\n1,a\n", ServerUnavailable, "stopped the work because of statement_timeout",
        TRIGGER.format("PERFORM pg_sleep(3);") + ";" + FOR_ALL.format("statement_timeout = 700"),
    ),
    "5.10 a tar archive": Fault(
        gzip.compress(b"a.csv" + bytes(252) + b"ustar\x0000" + bytes(300)), DataError,
        "it is a tar archive",
    ),
    "5.10 packed twice": Fault(
        gzip.compress(gzip.compress(b"id,name\n1,a\n")), DataError, "it is packed twice"
    ),
    "5 a header without a line end": Fault("[{}]", DataError, "line: 1"),
    "5.10 Parquet in a feed of CSV": Fault(b"PAR1" + bytes(99), DataError, "it is Parquet"),
    "3.1 a long cell in the server's words": Fault(
        f"id,name\n{'x' * 300_000},a\n", DataError, "invalid input syntax"
    ),
    "5.12 a trigger's own SQLSTATE": Fault(
        "id,name\n1,a\n2,b\n", TerminalError, "(?s)line: 3.*no two",
        TRIGGER.format("IF NEW.id = 2 THEN RAISE 'no two' USING ERRCODE = 'ZX001'; END IF;"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_has_one_clear_error(engine, name):
    fault = FAULTS[name]
    if fault.before:
        engine.sql(fault.before)
    arrival = engine.put(fault.body)
    with pytest.raises(fault.error, match=fault.words) as refused:
        engine.load(arrival)
    assert len(str(refused.value)) < 2000
    if fault.before and "read_only" not in fault.before:
        assert engine.rows() == []


def test_5_5_a_name_that_no_bucket_can_have_is_a_wrong_feed(engine):
    arrival = replace(engine.put("id,name\n1,a\n"), bucket="My Bucket")
    with pytest.raises(FeedError, match="does not take the name of the bucket"):
        engine.load(arrival)


def test_2_8_a_host_that_vanishes_is_noticed_within_minutes(engine):
    conninfo = engine.warehouse.conninfo()
    for option in ("keepalives_idle=60", "keepalives_interval=10", "tcp_user_timeout=120000"):
        assert option in conninfo


@pytest.mark.parametrize(
    ("column", "cell"), [("numeric(15,2)", "1.005"), ("time", "24:00:00"), ("smallint", "007")]
)
def test_3_6_cells_that_only_postgres_reads_are_judged_as_a_set(engine, mocker, column, cell):
    one_by_one = mocker.spy(judge, "_judge_one_by_one")
    engine.be(columns={"id": "integer", "name": column})
    body = "id,name\n" + "".join(f"{n},{cell}\n" for n in range(20_000))
    assert engine.load(body).rows == 20_000
    assert one_by_one.call_count == 0


@pytest.mark.parametrize("at_most", [0, 9])
def test_6_6_a_secret_cell_is_in_no_message_and_not_in_the_ledger(engine, at_most):
    engine.be(
        columns={"id": "integer", "name": {"type": "text", "secret": True}},
        rejects={"at_most": at_most},
    )
    shown = ""
    try:
        engine.load("id,name\nx,jane.doe\n")
    except DataError as error:
        shown = str(error)
    shown += str(engine.sql("SELECT to_jsonb(l)::text FROM landfall.ledger l"))
    shown += str(engine.sql("SELECT to_jsonb(r)::text FROM landfall.rejects r"))
    assert "jane.doe" not in shown
    assert "22P02" in shown or at_most == 0


@pytest.mark.timeout(90)
def test_3_6_many_rows_that_a_key_refuses_are_located_at_once(engine):
    """Each was located by a search through all of them: 30,000 took minutes."""
    engine.sql("CREATE SCHEMA raw; CREATE TABLE raw.t (id integer UNIQUE, name text)")
    engine.be(rejects={"at_most": "100%"})
    receipt = engine.load("id,name\n" + "1,a\n" * 30_000)
    assert (receipt.rows, receipt.rejected) == (1, 29_999)
    assert engine.sql("SELECT max(line) FROM landfall.rejects WHERE raw = '1,a'") == [30_001]
