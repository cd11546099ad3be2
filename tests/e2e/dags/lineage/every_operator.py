"""Each operator of the Astro SDK once, for the facets that OpenLineage gets of them."""

import datetime

import pandas as pd
from airflow.providers.openlineage.utils.selective_enable import enable_lineage
from airflow.sdk import DAG
from astro import sql as aql
from astro.files import File
from astro.table import Metadata, Table


def mart(name):
    return Table(name, conn_id="warehouse", metadata=Metadata(schema="uses"))


@aql.transform
def transformed(table: Table):
    return "SELECT sell, agent FROM {{table}}"

@aql.run_raw_sql(handler=lambda result: result.scalar())
def counted(table: Table):
    return "SELECT count(*) FROM {{table}}"

@aql.dataframe
def framed(table: pd.DataFrame):
    return table


with DAG("every_operator", start_date=datetime.datetime(2024, 1, 1), schedule=None, default_args={"retries": 2}) as dag:
    loaded = aql.load_file(
        task_id="loaded", input_file=File("s3://lineage/homes.csv", conn_id="landing"), output_table=mart("loaded"),
    )
    made = transformed(loaded, output_table=mart("made"))
    counted(made)
    framed(made, output_table=mart("framed"))
    aql.append(task_id="appended", source_table=made, target_table=mart("append_list"), columns=["sell", "agent"])
    aql.merge(
        task_id="merged", source_table=made, target_table=mart("merge_new"), columns=["sell", "agent"],
        target_conflict_columns=["sell"], if_conflicts="update",
    )
    aql.export_to_file(
        task_id="exported", input_data=made, output_file=File("s3://lineage/out.csv", conn_id="landing"),
        if_exists="replace",
    )
    aql.check_table(task_id="table_checked", dataset=made, checks={"rows": {"check_statement": "COUNT(*) = 2"}})
    aql.check_column(task_id="column_checked", dataset=made, column_mapping={"sell": {"null_check": {"equal_to": 0}}})

enable_lineage(dag)
