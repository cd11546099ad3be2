"""The verdict of `make bench`: a wrong one would promise a speed that nobody gets."""

from __future__ import annotations

import pytest

from tests.bench.measure import Usage
from tests.bench.verdict import promises, summarise


def usage(seconds, server=10.0, rss=200_000_000):
    return Usage(seconds, {"main": 1.0, "reading": 8.0, "postgres": server}, rss, rss // 2)


def all_ways(seconds=8.0, server=6.0, rss=200_000_000):
    ways = ("csv", "gzip", "zstd", "parquet")
    return {"psql": [usage(10.0)], **{way: [usage(seconds, server, rss)] for way in ways}}


def broken(runs, larger=None):
    verdict = promises(summarise(runs), larger or {})
    return {promise.what for promise in verdict if not promise.kept}


def test_a_way_is_summarised_by_its_median_and_its_extremes():
    psql, csv = summarise({"psql": [usage(10.0)] * 3, "csv": [usage(20.0), usage(8.0), usage(9.0)]})
    assert (csv.seconds, csv.fastest, csv.slowest) == (9.0, 8.0, 20.0)
    assert (csv.share, psql.share) == (0.9, 1.0)


def test_memory_is_that_of_the_worst_run():
    _, csv = summarise({"psql": [usage(1.0)], "csv": [usage(1.0, rss=m) for m in (1, 9, 2)]})
    assert csv.rss == 9


def test_a_load_within_every_limit_keeps_every_promise():
    assert broken(all_ways(), {"csv": usage(30.0), "parquet": usage(30.0)}) == set()


@pytest.mark.parametrize(
    ("seconds", "late"),
    [
        (8.5, {"parquet"}),
        (9.2, {"parquet", "csv"}),
        (9.6, {"parquet", "csv", "gzip", "zstd"}),
    ],
)
def test_each_way_has_its_own_limit_of_time(seconds, late):
    assert broken(all_ways(seconds)) == {f"{way}: time, of psql's" for way in late}


def test_too_much_cpu_of_the_server_breaks_a_promise_of_each_way():
    assert {what.split(":")[1] for what in broken(all_ways(server=6.6))} == {
        " server's CPU, of psql's"
    }


def test_too_much_memory_breaks_a_promise_at_either_scale():
    assert broken(all_ways(rss=257_000_000)) == {"memory at the most"}
    assert "memory at the most" in broken(all_ways(), {"csv": usage(1.0, rss=257_000_000)})


def test_memory_that_grows_with_the_file_breaks_a_promise_below_the_limit():
    grown = broken(all_ways(rss=100_000_000), {"csv": usage(1.0, rss=150_000_000)})
    assert grown == {"csv: memory at scale 3, of scale 1's"}


def test_psql_with_a_binary_file_has_no_promise():
    summaries = summarise({"psql": [usage(10.0)], "binary": [usage(7.0)], "csv": [usage(9.0)]})
    assert [promise.what.split(":")[0] for promise in promises(summaries, {})][:-1] == ["csv"] * 2
