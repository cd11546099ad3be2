"""Types that nobody declared: a wrong guess here puts wrong data into the warehouse."""

from __future__ import annotations

import pytest

from include.astro_sdk.cell_types import EXACT, PANDAS, chosen_types, type_of, wider

FLOAT = "double precision"


@pytest.mark.parametrize(
    ("cells", "exact", "pandas"),
    [
        (["1", "-20", "0"], "bigint", "bigint"),
        ([" 142", "160 "], "bigint", "bigint"),  # a blank around the number
        (["+1"], "bigint", "bigint"),
        (["1", None], "bigint", FLOAT),  # integers with missing cells
        (["1.5", "2"], "numeric", FLOAT),
        ([".5", "5."], "numeric", FLOAT),
        (["1e3", "2"], FLOAT, FLOAT),
        (["inf", "-Infinity", "1"], FLOAT, FLOAT),
        (["007", "12"], "text", "bigint"),  # leading zeros
        (["9" * 19], "numeric", FLOAT),
        (["True", "False", None], "boolean", "boolean"),
        (["true", "FALSE"], "boolean", "boolean"),
        (["t", "f"], "boolean", "boolean"),
        (["f", "f"], "text", "text"),  # it may be a letter
        (["0", "1"], "bigint", "bigint"),
        (["2013-01-01"], "text", "text"),
        (["1", "x"], "text", "text"),
        (["1,5"], "text", "text"),
        ([" "], "text", "text"),
        ([".", "-"], "text", "text"),
        (["True", "1"], "text", "text"),
        ([None], None, None),
        ([], None, None),
    ],
)
def test_a_type_is_what_every_cell_is_written_as(
    cells: list[str | None], exact: str | None, pandas: str | None
) -> None:
    assert (type_of(cells, EXACT), type_of(cells, PANDAS)) == (exact, pandas)


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("bigint", "numeric", "numeric"), ("bigint", None, "bigint"), (None, None, None),
        ("bigint", FLOAT, FLOAT), ("numeric", FLOAT, FLOAT), ("boolean", "bigint", "text"),
        ("text", "bigint", "text"), ("text", FLOAT, "text"),
    ],
)  # fmt: skip
def test_files_that_disagree_get_the_type_that_takes_both(
    one: str | None, other: str | None, both: str | None
) -> None:
    assert wider(one, other) == wider(other, one) == both


def test_the_setting_chooses_the_types(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chosen_types() == EXACT
    monkeypatch.setenv("AIRFLOW__ASTRO_SDK__LOAD_FILE_TYPES", "pandas")
    assert chosen_types() == PANDAS
    monkeypatch.setenv("AIRFLOW__ASTRO_SDK__LOAD_FILE_TYPES", "Pandas!")
    with pytest.raises(ValueError, match="exact or pandas"):
        chosen_types()
