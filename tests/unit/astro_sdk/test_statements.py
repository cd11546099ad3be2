"""Statements as their authors wrote them, before SQLAlchemy reads them."""

from __future__ import annotations

import numpy as np
import pytest

from include.astro_sdk.statements import adapted, with_colons

KNOWN = {"day": 1, "ids": (1, 2)}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("a > :day", "a > :day"),
        (":day::date", ":day ::date"),
        ("':day'", "':day'"),  # within a text a space would be part of the text
        ("LIKE '-:day%'", "LIKE '-:day%'"),
        ("IN %(ids)s", "IN :ids"),
        ("LIKE '%(other)s'", "LIKE '%(other)s'"),
        ("""'{"a":1}'""", """'{"a"\\:1}'"""),
        ("'12:30'", "'12:30'"),
        ("now()::date", "now()::date"),
        ("a \\:day", "a \\:day"),
    ],
)
def test_only_a_parameters_colon_begins_a_parameter(written: str, read: str) -> None:
    assert with_colons(written, KNOWN) == read


def test_several_sets_of_parameters_have_their_names_too() -> None:
    assert with_colons("VALUES (:a, :b)", [{"a": 1}]) == "VALUES (:a, \\:b)"


def test_numbers_of_numpy_and_objects_are_parameters() -> None:
    assert type(adapted(np.int64(3))) is int
    assert adapted((np.float64(0.5), "x")) == (0.5, "x")
    assert adapted({"a": [1]}).adapted == {"a": [1]}
    assert adapted([{"a": 1}]).adapted == [{"a": 1}]
    assert adapted([1, 2]) == [1, 2]
