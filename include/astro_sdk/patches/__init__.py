"""All patches of astro-sdk, by the module that they change.

`STAND_INS` exist only while the module is loaded; `PATCHES` change it afterwards, before any other
code sees it. The docstring of each says what the problem was and what the fix is.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from types import ModuleType

from . import (
    airflow3,
    assets,
    checks,
    cleanup,
    database,
    frames,
    lineage,
    options,
    sql,
    templates,
    xcom,
)

StandIn = Callable[[], AbstractContextManager[None]]
Patch = Callable[[ModuleType], None]

STAND_INS: dict[str, tuple[StandIn, ...]] = {
    "astro.settings": (airflow3.xcom_pickling_setting,),
    "astro.databases.base": (airflow3.dbapi_module,),
    "astro.utils.compat.typing": (airflow3.context_class,),
    "astro.files.base": (airflow3.smart_open_when_used,),
    "astro.files.locations.base": (airflow3.smart_open_when_used,),
    "astro.utils.load": (airflow3.smart_open_when_used,),
    "astro.sql.operators.raw_sql": (airflow3.legacy_row,),
    "astro.custom_backend.serializer": (airflow3.legacy_row,),
    "astro.sql.operators.cleanup": (airflow3.metadata_models,),
}

PATCHES: dict[str, tuple[Patch, ...]] = {
    "astro.settings": (xcom.know_the_xcom_backend,),
    "astro.airflow.datasets": (assets.tables_are_assets,),
    "astro.databases": (
        database.use_the_engine,
        database.find_connections_by_their_new_name,
    ),
    "astro.databases.base": (database.other_databases_append,),
    "astro.databases.postgres": (database.postgres_by_hand,),
    "astro.dataframes.pandas": (xcom.dataframes_keep_their_types,),
    "astro.files.base": (xcom.files_cross_xcom,),
    "astro.table": (xcom.tables_cross_xcom,),
    "astro.sql.operators.upstream_task_mixin": (templates.old_names_in_templates,),
    "astro.sql.operators.base_decorator": (
        sql.read_sql_as_written,
        templates.old_names_in_sql,
        frames.tables_of_dataframes_are_dropped,
    ),
    "astro.sql.operators.append": (lineage.facets_without_xcom,),
    "astro.sql.operators.load_file": (
        options.options_reach_upstream_files,
        lineage.facets_without_xcom,
    ),
    "astro.sql.operators.merge": (lineage.facets_without_xcom,),
    "astro.sql.operators.transform": (
        sql.transform_in_one_transaction,
        frames.drop_when_done,
        lineage.facets_without_xcom,
    ),
    "astro.sql.operators.raw_sql": (
        sql.rows_cross_xcom,
        sql.handlers_fail_aloud,
        frames.drop_when_done,
        lineage.facets_without_xcom,
    ),
    "astro.sql.operators.dataframe": (sql.annotations_may_be_text, xcom.series_cross_xcom),
    "astro.sql.operators.data_validations.check_column": (checks.check_columns_of_upstream_tables,),
    "astro.sql.operators.data_validations.check_table": (checks.check_table_keeps_its_arguments,),
    "astro.sql.operators.cleanup": (cleanup.clean_up_without_the_metadata_database,),
    "astro.sql.operators.export_to_file": (sql.export_as_a_stream,),
}
