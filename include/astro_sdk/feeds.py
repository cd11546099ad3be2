"""A feed in the Astro SDK's terms: its table, its asset, its checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from astro.table import Metadata, Table

from include.landfall.feed.model import Feed
from include.landfall.feed.rules import Check

from .check_failures import AT_FAULT, EXPECTED, RULE, VALUE
from .patches.assets import asset_of
from .quoting import quoted, unfolded

if TYPE_CHECKING:
    from airflow.sdk import Asset


@dataclass(frozen=True)
class FeedChecks:
    """The arguments of `check_table` (`checks`) and of `check_column` (`column_mapping`)."""

    table: dict[str, dict[str, Any]] = field(default_factory=dict)
    columns: dict[str, dict[str, Any]] = field(default_factory=dict)


def feed_table(feed: Feed) -> Table:
    """Returns the feed's target as a table.

    Raises: TypeError when it is no feed.
    """
    if not isinstance(feed, Feed):
        raise TypeError(f"feed is {feed!r}: a Feed is needed, such as read_feed(path) returns")
    return Table(
        name=unfolded(feed.target.table_name),
        conn_id=feed.target.connection,
        metadata=Metadata(schema=unfolded(feed.target.schema_name)),
    )


def table_asset(table: Table) -> Asset:
    """Returns the asset of a table: the same for the DAG that fills it and for one that waits.

    Raises: TypeError when it is no table.
    """
    if not isinstance(table, Table):
        what = "a feed" if isinstance(table, Feed) else repr(table)
        raise TypeError(f"table is {what}: a Table is needed, such as feed_table(feed) returns")
    return asset_of(table.uri)


def feed_checks(feed: Feed) -> FeedChecks:
    """Returns the feed's checks as the operators take them; an empty dict where there is none.

    A bound holds for the values that exist, so a column of NULLs and an empty table fulfil every
    bound. (`check_column` takes a missing minimum for 0, so `check_table` checks the bounds.)
    """
    table: dict[str, dict[str, Any]] = {}
    columns: dict[str, dict[str, Any]] = {}
    for name, check in feed.checks.items():
        if name == "rows" and {"at_least", "at_most"} & check.model_fields_set:
            table |= _of_rows(check)
            continue
        number = len(table)
        for bound in BOUNDS:
            value = getattr(check, bound)
            if value is not None:
                table[f"{_slug(name)}_{bound}_{number}"] = _of_bound(name, bound, value)
        if column_checks := _of_column(check):
            columns[name] = column_checks
    return FeedChecks(table, columns)


BOUNDS = {"minimum": ("min", ">=", "<"), "maximum": ("max", "<=", ">")}
ROW_BOUNDS = {"at_least": ">=", "at_most": "<="}


def _of_bound(name: str, bound: str, limit: float) -> dict[str, Any]:
    function, holds, breaks = BOUNDS[bound]
    value = f"{function}({quoted(name)})"
    return {
        "check_statement": f"coalesce({value} {holds} {limit}, true)",
        RULE: f"{name}: {bound}",
        VALUE: value,
        EXPECTED: f"{holds} {limit:.15g}",
        AT_FAULT: f"{quoted(name)} {breaks} {limit:.15g}",
    }


def _of_rows(check: Check) -> dict[str, dict[str, Any]]:
    limits = {bound: getattr(check, bound) for bound in ROW_BOUNDS}
    return {
        f"rows_{bound}": {
            "check_statement": f"count(*) {ROW_BOUNDS[bound]} {limit}",
            RULE: f"rows: {bound}",
            VALUE: "count(*)",
            EXPECTED: f"{ROW_BOUNDS[bound]} {limit}",
        }
        for bound, limit in limits.items()
        if limit is not None
    }


def _of_column(check: Check) -> dict[str, Any]:
    switches = {"null_check": check.not_null, "unique_check": check.unique}
    return {name: {"equal_to": 0} for name, is_on in switches.items() if is_on}


def _slug(name: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in name.lower())
