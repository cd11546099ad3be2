"""The receipts of a run's loads, as the event of the table's asset carries them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

IN_THE_TABLE = ("loaded", "already_loaded")


def extra_of(receipts: Iterable[list[dict[str, Any]] | None]) -> dict[str, Any]:
    """Returns rows, rejected and deduplicated rows, and load ids of the files in the table.

    `receipts` are those of each mapped load: a list of one, or nothing for a load that failed.
    """
    loaded = [
        receipt
        for of_one_load in receipts
        for receipt in of_one_load or []
        if receipt["outcome"] in IN_THE_TABLE
    ]
    return {
        "rows": sum(receipt["rows"] for receipt in loaded),
        "rejected": sum(receipt["rejected"] for receipt in loaded),
        "deduplicated": sum(receipt["deduplicated"] for receipt in loaded),
        "load_ids": sorted(receipt["load_id"] for receipt in loaded),
    }
