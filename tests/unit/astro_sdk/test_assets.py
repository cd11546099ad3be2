"""Names in other letters than ASCII must not take a whole DAG file away."""

from __future__ import annotations

import airflow  # noqa: F401  finds the patches
import pytest

from include.astro_sdk import File, Table
from include.astro_sdk.patches.assets import asset_of


@pytest.mark.parametrize(
    "uri",
    [
        File("s3://bucket/größe.csv", conn_id="landing").uri,
        File("/data/größe 1.csv").uri,
        Table("größe", conn_id="warehouse").uri,
    ],
)
def test_the_uri_of_an_asset_is_ascii(uri: str) -> None:
    asset = asset_of(uri)
    assert asset.uri.isascii()
    assert "gr%C3%B6%C3%9Fe" in asset.uri
