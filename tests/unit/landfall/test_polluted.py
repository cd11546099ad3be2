"""Of thousands of polluted files every cell comes back that can, and no other is lost silently."""

from __future__ import annotations

from collections import defaultdict

import pytest

from tests.bench.polluted import LANDFALL, LEAST, PAGE, row_of, sum_of
from tests.support.polluted_readings import (
    WRONG_DELIMITERS,
    Tally,
    by_landfall,
    duckdb_reader,
    has_several_readings,
    lost_cells,
)
from tests.support.polluter import COLUMNS, polluted_files, readings_of


@pytest.fixture(scope="module")
def tallies():
    """What Landfall recovers, by the kind of pollution."""
    tallies = defaultdict(Tally)
    for polluted in polluted_files():
        tallies[polluted.kind].add(polluted, {LANDFALL: by_landfall(polluted)})
    return tallies


def test_criterion_3_cells_of_polluted_files_are_recovered(tallies):
    """Only rows of wrong delimiters are lost, and these where they have several readings."""
    total = sum_of(tallies)
    assert total.files >= 2000
    assert total.share_recovered(LANDFALL) >= LEAST
    assert total.recoverable >= total.cells * 0.996
    assert {kind for kind, each in tallies.items() if each.lost[LANDFALL]} <= WRONG_DELIMITERS


def test_criterion_3_every_lost_cell_has_a_reject_or_a_note(tallies):
    assert sum_of(tallies).silent[LANDFALL] == 0


def test_only_the_polluted_row_loses_cells():
    for polluted in polluted_files():
        if polluted.kind in WRONG_DELIMITERS:
            assert len(lost_cells(polluted.rows, by_landfall(polluted).rows)) <= 1, polluted.line


def test_a_row_that_is_left_out_of_the_count_has_a_second_reading_with_other_cells():
    for polluted in polluted_files():
        if not has_several_readings(polluted):
            continue
        true_rows = {tuple(row) for row in polluted.rows}
        others = readings_of(polluted.line) - true_rows
        assert others, polluted.line
        assert all(len(row) == len(COLUMNS) for row in others)


def test_the_page_has_these_counts(tallies):
    """The columns of DuckDB are those of the last `make bench-polluted`."""
    text = PAGE.read_text(encoding="utf-8")
    for kind, tally in [*tallies.items(), ("**all**", sum_of(tallies))]:
        cells = row_of(kind, tally)
        assert f"| {' | '.join(cells[:5])} |" in text, kind


def test_duckdb_gets_the_options_of_every_kind(tmp_path):
    """DuckDB reads the first file of each kind, or refuses an encoding, but no query is wrong."""
    read, kinds = duckdb_reader(tmp_path), set()
    for polluted in polluted_files():
        if polluted.kind in kinds:
            continue
        kinds.add(polluted.kind)
        assert read(polluted).rows, polluted.kind
