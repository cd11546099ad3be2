"""The seam to astro-sdk: no other package of the project imports `astro`.

`from include.astro_sdk import aql, File, Table` gives the Astro SDK, patched for this Airflow
(docs/astro-sdk.md), and what the project's feeds need of it. Each name is imported when
it is first used, so that importing a part of this package does not import astro.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from include.astro_sdk.patching import install

if TYPE_CHECKING:
    from astro import sql as aql
    from astro.constants import FileType
    from astro.dataframes.load_options import PandasLoadOptions
    from astro.files import File
    from astro.table import Metadata, Table

    from include.airflow_bridge.connections import store_of, warehouse_of
    from include.astro_sdk.arrivals import ArrivalFile
    from include.astro_sdk.feeds import FeedChecks, feed_checks, feed_table, table_asset

MODULES = {
    "aql": "astro.sql",
    "File": "astro.files",
    "FileType": "astro.constants",
    "Metadata": "astro.table",
    "PandasLoadOptions": "astro.dataframes.load_options",
    "Table": "astro.table",
    "ArrivalFile": "include.astro_sdk.arrivals",
    "FeedChecks": "include.astro_sdk.feeds",
    "feed_checks": "include.astro_sdk.feeds",
    "feed_table": "include.astro_sdk.feeds",
    "store_of": "include.airflow_bridge.connections",
    "table_asset": "include.astro_sdk.feeds",
    "warehouse_of": "include.airflow_bridge.connections",
}

__all__ = [
    "ArrivalFile",
    "FeedChecks",
    "File",
    "FileType",
    "Metadata",
    "PandasLoadOptions",
    "Table",
    "aql",
    "feed_checks",
    "feed_table",
    "store_of",
    "table_asset",
    "warehouse_of",
]

install()


def __getattr__(name: str) -> Any:
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(MODULES[name])
    value = module if name == "aql" else getattr(module, name)
    globals()[name] = value
    return value
