"""Of thousands of polluted files every cell comes back, or its row is told."""

from __future__ import annotations

import io
from collections import Counter

from include.landfall.read.formats import format_of
from tests.support.polluter import COLUMNS, clean_rows, polluted_files
from tests.unit.landfall.test_csv_dialects import job

TYPES = dict.fromkeys(COLUMNS, "text")


def test_cells_of_polluted_files_are_recovered_or_their_row_is_told():
    """Outside of the polluted row no cell is lost; the row is repaired, padded or rejected.

    A row whose delimiters are wrong cannot be recovered: these alone are lost, and told.
    """
    clean, kinds, silent, files = clean_rows(), Counter(), Counter(), 0
    for polluted in polluted_files():
        options = {"quotes": "repair", "ragged": "pad", **polluted.options}
        rows, told = read(polluted.data, options)
        files += 1
        lost = [at for at, row in enumerate(clean) if row not in rows]
        if lost not in ([], [polluted.row]):
            silent[f"{polluted.kind}: another row"] += 1
        elif lost and not is_repaired(clean[lost[0]], rows):
            kinds[polluted.kind] += 1
            silent[polluted.kind] += not told
    assert files >= 2000
    assert +silent == {}
    assert set(kinds) == {"a delimiter missing", "a delimiter too many", "another delimiter"}


def read(data, options):
    """The rows, and how many of the others were told: rejects, and rows that were padded."""
    task = job(data, TYPES, {"type": "csv", **options})
    rows, told = [], 0
    for part in format_of(task).rows(io.BytesIO(data), task):
        rows += [list(row.values()) for row in part.batch.to_pylist()]
        told += len(part.misshapen) + part.padded
    return rows, told


def is_repaired(row, rows):
    """Whether a row has all of the cells but one, and in that one all of the text."""
    for other in rows:
        pairs = [(a, b or "") for a, b in zip(row, other, strict=True) if a != b]
        if len(pairs) == 1 and set(pairs[0][0]) <= set(pairs[0][1]):
            return True
    return False
