"""Airflow, with what every task imports imported already: `python -m include.local.airflow.warm`.

LocalExecutor forks each task from the scheduler, CeleryExecutor from its worker's pool. A task of
the feeds begins with two seconds of imports (pandas, astro, boto3, pyarrow), which on two cores is
most of its time; done here, once, they are there in every fork. Where tasks do not fork (macOS)
this changes nothing.
"""

from __future__ import annotations

import importlib
import sys

WARM = (
    "pandas",
    "pyarrow",
    "boto3",
    "psycopg",
    "airflow.providers.postgres.hooks.postgres",
    "airflow.providers.amazon.aws.hooks.s3",
    "include.landfall.load",
    "include.landfall.export.query",
)
# Looked up, so that the seam imports astro, mended.
WARM_NAMES = (("include.astro_sdk", "aql"), ("include.astro_sdk", "feed_table"))


def main() -> None:
    """Import, then be `airflow` with the arguments given."""
    from airflow.__main__ import main as airflow

    from include.landfall.connections import Store
    from include.landfall.s3.client import make_client

    for module in WARM:
        importlib.import_module(module)
    for module, name in WARM_NAMES:
        getattr(importlib.import_module(module), name)
    # The first client has botocore read its description of S3.
    make_client(Store(None, "no key", "no secret")).close()
    sys.argv = ["airflow", *sys.argv[1:]]
    airflow()


if __name__ == "__main__":
    main()
