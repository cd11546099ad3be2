"""The corrections are those of diverted flights, and the newest of each flight is right."""

from __future__ import annotations

import csv
import io

import pytest

from include.local.demo.corrections import COLUMNS, correction_files
from include.local.demo.source import table_text


@pytest.fixture(scope="module")
def reports():
    files = [body.decode() for _, body in correction_files()]
    return [list(csv.DictReader(io.StringIO(text))) for text in files]


def key_of(row):
    return tuple(row[name] for name in COLUMNS)


def test_each_diverted_flight_is_reported_and_no_other(reports):
    diverted = {
        key_of(row)
        for row in csv.DictReader(table_text("flights"))
        if row["arr_time"] != "NA" and row["arr_delay"] == "NA"
    }
    assert {key_of(row) for report in reports for row in report} == diverted
    assert len(diverted) == 717


def test_the_second_report_corrects_flights_of_the_first(reports):
    july, january = ({key_of(row) for row in report} for report in reports)
    assert [len(report) for report in reports] == [379, 446]
    assert len(july & january) == 54


def test_the_newest_report_of_a_flight_is_of_a_possible_delay(reports):
    rows = sorted((row for report in reports for row in report), key=lambda r: r["reported_at"])
    newest = {key_of(row): int(row["arr_delay"]) for row in rows}
    assert min(newest.values()) >= -60
    assert max(newest.values()) < 24 * 60
