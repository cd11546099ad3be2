"""A standby takes over in the middle of loads: each file is in the table once, and complete."""

from __future__ import annotations

import psycopg
import pytest

from include.landfall import check as connections
from include.landfall.check import Database
from include.landfall.errors import ServerUnavailable
from include.landfall.postgres.connection import LoadConnection
from tests.support.engine import Engine
from tests.support.failover import failover_pair


@pytest.fixture
def servers():
    with failover_pair() as servers:
        yield servers


@pytest.fixture
def engine(servers, object_store, client, bucket):
    return Engine(servers.either, object_store, client, bucket)


def check(engine, *keys):
    """Checks that a run loads the file that is new, once, and that nothing is new then."""
    assert engine.new_keys() == list(keys)
    second = engine.put("id,name\n2,b\n", "2.csv")
    assert engine.load(second).outcome == ("loaded" if keys else "already_loaded")
    assert engine.load(second).outcome == "already_loaded"
    assert engine.rows() == [(1, "a"), (2, "b")]
    assert sorted(engine.statuses()) == ["loaded", "loaded"]
    assert engine.new_keys() == []


@pytest.mark.timeout(120)
def test_a_failover_in_the_middle_of_a_load_leaves_it_to_the_retry(engine, servers, mocker):
    engine.load("id,name\n1,a\n", "1.csv")
    servers.catch_up()
    patch = mocker.patch(
        "include.landfall.transfer.Transfer._check_size", side_effect=servers.take_over
    )
    with pytest.raises(ServerUnavailable):
        engine.load("id,name\n2,b\n", "2.csv")
    patch.side_effect = None
    (entry,) = [each for each in engine.entries() if each.status == "failed"]
    assert entry.key == "2.csv", "the failure is in the ledger of the server that took over"
    check(engine, "2.csv")


@pytest.mark.timeout(120)
def test_a_commit_whose_answer_is_lost_in_a_failover_is_known_from_the_new_server(
    engine, servers, mocker
):
    engine.load("id,name\n1,a\n", "1.csv")
    real, commits = LoadConnection._exec_command, []

    def lose_the_answer(connection, command, *arguments, **options):
        result = yield from real(connection, command, *arguments, **options)
        if command == b"COMMIT" and armed and not commits:
            commits.append(command)
            servers.catch_up()
            servers.take_over()
            connection.pgconn.finish()
            raise psycopg.OperationalError("the connection is lost")
        return result

    armed = []
    mocker.patch.object(LoadConnection, "_exec_command", lose_the_answer)
    mocker.patch(
        "include.landfall.transfer.Transfer._check_size", side_effect=lambda *_: armed.append(1)
    )
    assert engine.load("id,name\n2,b\n", "2.csv").outcome == "loaded"
    assert commits == [b"COMMIT"]
    check(engine)


@pytest.mark.timeout(120)
def test_what_a_standby_never_got_is_new_again_rows_and_ledger_together(engine, servers):
    engine.load("id,name\n1,a\n", "1.csv")
    servers.catch_up()
    servers.cut_off()
    assert engine.load("id,name\n2,b\n", "2.csv").outcome == "loaded"
    servers.take_over()
    assert engine.rows() == [(1, "a")]
    check(engine, "2.csv")


@pytest.mark.timeout(120)
def test_a_standby_that_has_not_taken_over_takes_no_load_and_keeps_none(engine, servers):
    engine.load("id,name\n1,a\n", "1.csv")
    servers.catch_up()
    engine.warehouse = servers.standby
    with pytest.raises(ServerUnavailable, match="it is a standby"):
        engine.load("id,name\n2,b\n", "2.csv")
    (finding,) = connections.check([Database("w")], warehouse_of=lambda _: servers.standby)
    assert (finding.reachable, "it is a standby" in finding.answer) == (False, True)
    servers.take_over()
    check(engine, "2.csv")
