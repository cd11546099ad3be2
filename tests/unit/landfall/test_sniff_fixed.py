"""Lines of fixed width get their fields, and other lines none."""
# ruff: noqa: E501  the tables of cases

from __future__ import annotations

import pytest

from tests.unit.landfall.test_sniff_surroundings import proposal

FIXED = [
    # names above, of which one is wider than its column; cells that are empty; NA
    ("id  fullname qty\n" + "".join(f"{n:>2}  {('Ann B', '', 'Bob')[n % 3]:<6} {('NA', n * 7)[n % 2]:>5}\n" for n in range(1, 40)),
        {"fields": {"id": {"start": 1, "width": 4}, "fullname": {"start": 5, "width": 5}, "qty": {"start": 10, "width": 7}}, "skip_rows": 1, "nulls": ["NA"]}, ["integer", "text", "integer"], 39),
    # a rule below the names, as sqlcmd writes it
    ("id   name         paid\n---- ---------- ------\n" + "".join(f"{n:<4} {'Ann' * (n % 2):<10} {n / 4:6.2f}\n" for n in range(1, 9)),
        {"fields": {"id": {"start": 1, "width": 5}, "name": {"start": 6, "width": 10}, "paid": {"start": 16, "width": 7}}, "skip_rows": 2}, ["integer", "text", "numeric(18,2)"], 8),
    # blanks at the ends of lines are cut
    ("".join(f"{n:>3} {'Rome' if n % 2 else '':<6}  {'x y' if n % 3 else ''}".rstrip() + "\n" for n in range(40)),
        {"fields": {"column_1": {"start": 1, "width": 4}, "column_2": {"start": 5, "width": 8}, "column_3": {"start": 13, "width": 3}}, "ragged": "pad"}, ["integer", "text", "text"], 40),
]  # fmt: skip


@pytest.mark.parametrize(("text", "options", "types", "rows"), FIXED, ids=range(len(FIXED)))
def test_aligned_lines_that_no_delimiter_cuts_get_their_fields(text, options, types, rows):
    written, feed = proposal(text.encode())
    assert feed["format"] == {"type": "fixed", **options}
    assert list(feed["columns"].values()) == types
    assert f"# {rows} rows read" in written
    assert "would be rejects" not in written


PROSE = [
    "".join(f"A letter  of {'many ' * (n % 5)} words\n" for n in range(30)),
    "".join(f"job 2026-01-01 10:{n:02}:00: run {n}\n" for n in range(30)),
    "name\n" + "".join(f"{'x' * (n % 9)}y\n" for n in range(30)),
]


@pytest.mark.parametrize("text", PROSE)
def test_lines_without_a_gap_through_all_of_them_have_no_fields(text):
    assert proposal(text.encode())[1]["format"]["type"] == "csv"


def test_numbers_with_exponents_are_cut_by_single_blanks():
    rows = "".join(f"{n / 7:.18e} {n * 3.0:.18e} nan\n" for n in range(9))  # as NumPy writes
    feed = proposal(rows.encode())[1]
    assert (feed["format"]["delimiter"], len(feed["columns"])) == (" ", 3)
