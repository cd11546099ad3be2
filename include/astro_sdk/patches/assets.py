"""Tables and files as assets, which Airflow 2 called datasets."""

from __future__ import annotations

from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit


def asset_of(uri: str) -> Any:
    """Returns the asset of a table's or a file's `uri`, with a name that people can read.

    A table's asset is called connection.schema.table. Airflow wants one URI for each name, so the
    URI itself is the name where a part has a dot in it and could be read in two ways.
    """
    from airflow.sdk import Asset

    # Airflow takes no other letters in a URI, and refuses the whole DAG file.
    uri = "".join(letter if letter.isascii() else quote(letter) for letter in uri)
    parts = urlsplit(uri)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if parts.scheme != "astro" or "table" not in query:
        return Asset(name=uri, uri=uri)
    keys = ("database", "schema", "table")
    named = [parts.username or "", *(query[key] for key in keys if key in query)]
    plain = all(named) and not any("." in part for part in named)
    return Asset(name=".".join(named) if plain else uri, uri=uri)


def tables_are_assets(module: ModuleType) -> None:
    """Makes tables and files usable as a DAG's schedule, and as inlets and outlets.

    Problem: `airflow.datasets` is gone, so `Table` and `File` were no longer datasets, without a
    warning: no operator had outlets, and `DAG(schedule=[Table(...)])` was refused.
    Fix: they are asset conditions of one asset (an Asset itself has a `name`, which must be unique
    and is not the table's), and operators get that asset as inlet or outlet.
    """
    from airflow.sdk.definitions.asset import AssetAny

    class Dataset(AssetAny):
        """A table or a file, as `DAG(schedule=...)` and the operators take it."""

        uri: str

        @property
        def objects(self) -> tuple[Any, ...]:
            return (asset_of(self.uri),)

    module.Dataset = Dataset  # type: ignore[attr-defined]
    module.DATASET_SUPPORT = True  # type: ignore[attr-defined]
    module.kwargs_with_datasets = kwargs_with_assets  # type: ignore[attr-defined]


def kwargs_with_assets(
    kwargs: dict[str, Any] | None = None, input_datasets: Any = None, output_datasets: Any = None
) -> dict[str, Any]:
    """Returns an operator's arguments, with inlets and outlets where its author gave none.

    As documented: what the author gave stays, temporary tables are no assets, and the setting
    `astro_sdk/auto_add_inlets_outlets` switches it off.
    """
    from astro import settings

    kwargs = kwargs or {}
    for name, given in (("inlets", input_datasets), ("outlets", output_datasets)):
        if name in kwargs:
            kwargs[name] = _assets(kwargs[name], keep=True)
        elif settings.AUTO_ADD_INLETS_OUTLETS and given is not None:
            kwargs[name] = _assets(given, keep=False)
    return kwargs


def _assets(given: Any, *, keep: bool) -> list[Any]:
    """The items as assets; `keep` decides whether what is no dataset stays among them."""
    from astro.airflow.datasets import Dataset

    items = given if isinstance(given, list | tuple) else [given]
    if not keep:
        items = [item for item in items if isinstance(item, Dataset)]
    return [item.objects[0] if isinstance(item, Dataset) else item for item in items]
