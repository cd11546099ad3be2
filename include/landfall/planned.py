"""What a job takes from its feed: the planned columns, and the rules of the contract."""

from __future__ import annotations

from include.landfall.contract import Expected, IfMissing, Rules
from include.landfall.feed.model import Feed
from include.landfall.job import PlannedColumn


def planned_column(feed: Feed, name: str) -> PlannedColumn:
    """Returns a column of the feed, as in a table that Landfall itself creates."""
    column = feed.table_columns[name]
    if_missing = IfMissing(feed.contract.missing_columns)
    if if_missing is IfMissing.NULL and (not column.nullable or name in feed.target.named_columns):
        if_missing = IfMissing.REFUSE  # a NOT NULL column, or one that rows are found by
    return PlannedColumn(
        name, column.parsed, nullable=column.nullable, other_names=tuple(column.other_names),
        if_missing=if_missing, nulls_bad_cells=column.on_bad_cell == "null",
        from_key=column.from_key, from_object=column.from_object,
    )  # fmt: skip


def rules_of(feed: Feed) -> Rules:
    """Returns the rules by which the columns of a feed's files are matched."""
    contract = feed.contract
    return Rules(
        contract.new_columns,
        contract.case == "ignore",
        contract.trim,
        contract.row_shape == "pad",
        contract.rescue_column,
        tuple(
            Expected(name, tuple(column.other_names))
            for name, column in feed.columns.items()
            if column.ignore
        ),
    )
