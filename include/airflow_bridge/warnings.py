"""What a load's log says of rows and columns that are not as the feed says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.airflow_bridge.commands import rejects_command
from include.landfall.errors import printable

if TYPE_CHECKING:
    from include.landfall.load import Receipt


def load_warnings(receipt: Receipt) -> list[str]:
    """Returns the warnings of a load, for its log."""
    warnings = (duplicate_warning(receipt), changes_warning(receipt), rejects_warning(receipt))
    return [warning for warning in warnings if warning]


def duplicate_warning(receipt: Receipt) -> str | None:
    """Returns the warning of a load whose content another object brought before."""
    if not receipt.duplicate_of:
        return None
    return (
        f"{_uri(receipt)} has content that was loaded before:"
        f" {printable(receipt.duplicate_of)}; where the sender sends files twice, write"
        " source.duplicates: refuse in the feed"
    )


def changes_warning(receipt: Receipt) -> str | None:
    """Returns the warning of a load whose file departs from its feed, or that altered the table."""
    if not receipt.changes:
        return None
    return f"{_uri(receipt)} departs from its feed: {printable('; '.join(receipt.changes))}"


def rejects_warning(receipt: Receipt) -> str | None:
    """Returns the warning of a load that has rejects: how many, why, and how to see them."""
    if not receipt.rejected:
        return None
    reasons = ", ".join(f"{number} {reason}" for reason, number in receipt.reasons.items())
    return (
        f"{_uri(receipt)}: {receipt.rejected} rows are rejected ({reasons});"
        f" to see them: {rejects_command(receipt.feed, receipt.key)}"
    )


def _uri(receipt: Receipt) -> str:
    return printable(f"s3://{receipt.bucket}/{receipt.key}")
