"""What a feed's asset event carries."""

from __future__ import annotations

from dags.common.receipts import extra_of
from include.landfall.load import Receipt


def receipt(load_id, outcome="loaded", rows=10, rejected=0, deduplicated=0):
    made = Receipt(
        "f", "b", f"{load_id}.csv", "v", load_id, outcome, rows, 1.0, "me", rejected,
        deduplicated=deduplicated,
    )  # fmt: skip
    return [made.as_dict()]


def test_the_counts_and_load_ids_of_the_files_that_are_in_the_table():
    receipts = [receipt(7, rejected=3, deduplicated=2), None, receipt(5, "already_loaded", 4, 1, 6)]
    counts = {"rows": 14, "rejected": 4, "deduplicated": 8}
    assert extra_of(receipts) == {**counts, "load_ids": [5, 7]}


def test_a_file_that_a_newer_one_has_superseded_is_not_in_the_table():
    counts = {"rows": 0, "rejected": 0, "deduplicated": 0}
    assert extra_of([receipt(7, "superseded", 0)]) == {**counts, "load_ids": []}
