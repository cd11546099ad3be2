"""Airflow with the imports of its tasks done already: `python -m include.local.airflow.warm`.

LocalExecutor forks each task from the scheduler, CeleryExecutor from its worker's pool. A feed's
task begins with two seconds of imports (pandas, astro, boto3, pyarrow) and loads Airflow's plugins,
which on two cores is most of its time. Done here once, both are done in every fork. Where tasks do
not fork (macOS) this changes nothing.
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
    "airflow.dag_processing.bundles.local",
    "airflow.sdk.execution_time.cache",
    "jinja2.ext",
    "include.astro_sdk.arrivals",
    "include.astro_sdk.database",
    "include.landfall.load",
    "include.landfall.export.query",
)
# Each is looked up, because these packages import what is behind a name when it is used.
WARM_NAMES = (
    ("include.astro_sdk", "aql"), ("include.astro_sdk", "feed_table"), ("airflow.sdk", "task"),
)  # fmt: skip


def main() -> None:
    """Imports the modules, then runs `airflow` with the arguments of this program."""
    from airflow.__main__ import main as airflow

    from include.landfall.connections import Store
    from include.landfall.s3.client import make_client

    for module in WARM:
        importlib.import_module(module)
    for module, name in WARM_NAMES:
        getattr(importlib.import_module(module), name)
    # The first client makes botocore read its description of S3.
    make_client(Store(None, "no key", "no secret")).close()
    load_plugins()
    sys.argv = ["airflow", *sys.argv[1:]]
    airflow()


def load_plugins() -> None:
    """Loads the plugins, with their listeners and macros, as each task would for itself."""
    from airflow.sdk.listener import get_listener_manager
    from airflow.sdk.plugins_manager import integrate_macros_plugins

    get_listener_manager()
    integrate_macros_plugins()


if __name__ == "__main__":
    main()
