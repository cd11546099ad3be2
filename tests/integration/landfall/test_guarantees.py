"""A few rounds of every attack. `make chaos` runs many more."""

from __future__ import annotations

import random
import uuid

import pytest

from tests.chaos.attacks import (
    ATTACKS,
    firsts,
    kill,
    race,
    replacements,
    restart,
    store,
    terminate,
    versions,
)
from tests.chaos.cases import Servers
from tests.chaos.commits import commit
from tests.chaos.interrupts import WORKS, interrupt
from tests.chaos.merges import kill_long_merge, kill_merge, race_merges
from tests.chaos.plain_attacks import commit_plain, kill_plain, race_plain
from tests.chaos.replays import kill_replay, race_replays
from tests.chaos.servers import make_bucket, own_servers


@pytest.fixture(scope="module")
def servers(warehouse_server, object_store, client):
    """The servers of the test run, and a bucket that keeps versions."""
    bucket = f"test-{uuid.uuid4().hex[:12]}"
    make_bucket(client, bucket)
    run_servers = Servers(warehouse_server, object_store, client, bucket)
    with run_servers.new_database() as servers, servers.ending:
        yield servers
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for entry in page.get("Versions", []):
            client.delete_object(Bucket=bucket, Key=entry["Key"], VersionId=entry["VersionId"])
    client.delete_bucket(Bucket=bucket)


@pytest.fixture
def chance(request):
    """The random numbers of the round. They are the same in every run."""
    return random.Random(request.node.name)


rounds = pytest.mark.parametrize("number", range(2))


@rounds
def test_after_sigkill_a_rerun_is_right_and_no_reader_saw_a_part(servers, chance, number):
    kill(servers, chance)


@rounds
def test_of_two_loads_at_once_one_wins_and_the_other_says_so(servers, chance, number):
    race(servers, chance)


@rounds
def test_the_first_files_of_a_feed_make_one_table_together(servers, chance, number):
    firsts(servers, chance)


@rounds
def test_of_an_object_that_is_replaced_while_it_loads_the_new_version_stays(
    servers, chance, number
):
    versions(servers, chance)


@rounds
def test_of_two_replacements_at_once_the_newest_stays(servers, chance, number):
    replacements(servers, chance)


@pytest.mark.parametrize("number", range(4))
def test_a_connection_cut_at_commit_is_no_riddle(servers, chance, number):
    commit(servers, chance)


@rounds
def test_a_load_that_the_server_throws_out_can_be_run_again(servers, chance, number):
    terminate(servers, chance)


@rounds
def test_a_read_whose_connection_breaks_is_taken_up_where_it_broke(servers, chance, number):
    store(servers, chance)


@rounds
def test_after_sigkill_of_a_replay_another_one_completes_it(servers, chance, number):
    kill_replay(servers, chance)


@rounds
def test_of_two_replays_at_once_none_doubles_a_row(servers, chance, number):
    race_replays(servers, chance)


@pytest.mark.parametrize("number", range(3))
def test_after_sigkill_of_a_merge_nobody_saw_a_part_and_a_rerun_is_right(servers, chance, number):
    kill_merge(servers, chance)


def test_after_sigkill_in_a_long_statement_the_server_ends_it_in_seconds(servers, chance):
    kill_long_merge(servers, chance)


@pytest.mark.parametrize("number", range(3))
def test_two_merges_of_the_same_keys_at_once_come_one_after_the_other(servers, chance, number):
    race_merges(servers, chance)


@pytest.mark.parametrize("number", range(3))
def test_after_sigkill_of_a_plain_load_a_retry_is_right(servers, chance, number):
    kill_plain(servers, chance)


@pytest.mark.parametrize("number", range(3))
def test_of_plain_loads_at_once_none_doubles_a_row(servers, chance, number):
    race_plain(servers, chance)


@pytest.mark.parametrize("number", range(4))
def test_a_plain_load_cut_at_a_commit_is_completed_by_the_retry(servers, chance, number):
    commit_plain(servers, chance)


@pytest.mark.parametrize("name", WORKS)
def test_work_that_is_stopped_at_any_statement_changes_nothing(servers, chance, name):
    interrupt(servers, chance, name)


def test_a_server_that_stops_or_crashes_in_the_middle_loses_nothing(chance):
    with own_servers() as servers:
        restart(servers, chance)


def test_each_attack_is_played_here(request):
    here = {
        kill, race, firsts, versions, replacements, commit, terminate, store, restart,
        kill_replay, race_replays, kill_merge, kill_long_merge, race_merges, kill_plain,
        race_plain, commit_plain, interrupt,
    }  # fmt: skip
    assert {attack for attack, _ in ATTACKS.values()} == here
