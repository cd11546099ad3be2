"""A DAG as the Astro SDK's documentation teaches it, by someone who knows nothing else.

It imports astro and Airflow, and nothing of this project. The test runs the file as it stands.
"""

from datetime import datetime

from airflow.sdk import DAG
from pandas import DataFrame
from sqlalchemy import Column, Float, Integer, String

from astro import sql as aql
from astro.files import File
from astro.table import Metadata, Table

S3_FILE_PATH = "s3://documented-astro-dag"
S3_CONN_ID = "landing"
POSTGRES_CONN_ID = "warehouse"

POSTGRES_REPORTING = "reporting_table"


@aql.transform
def filter_orders(input_table: Table):
    return "SELECT * FROM {{input_table}} WHERE amount > 150"


@aql.transform
def join_orders_customers(filtered_orders_table: Table, customers_table: Table):
    return """SELECT c.customer_id, customer_name, order_id, purchase_date, amount, type
    FROM {{filtered_orders_table}} f JOIN {{customers_table}} c
    ON f.customer_id = c.customer_id"""


@aql.dataframe
def transform_dataframe(df: DataFrame):
    purchase_dates = df.loc[:, "purchase_date"]
    print("purchase dates:", purchase_dates)
    return purchase_dates


@aql.dataframe(columns_names_capitalization="original")
def amount_by_type(df: DataFrame):
    return df.groupby("type", as_index=False)["amount"].sum()


@aql.run_raw_sql
def create_reporting_table(table: Table):
    return """
    CREATE TABLE IF NOT EXISTS {{table}} (
      customer_id VARCHAR(30), customer_name VARCHAR(100), order_id VARCHAR(10) UNIQUE,
      purchase_date TEXT, amount FLOAT, type VARCHAR(10)
    )"""


with DAG(
    dag_id="documented_astro_dag",
    start_date=datetime(2019, 1, 1),
    schedule=None,
    catchup=False,
):
    # Types left to be inferred, into a temporary table.
    orders_data = aql.load_file(
        input_file=File(path=S3_FILE_PATH + "/orders_data_header.csv", conn_id=S3_CONN_ID),
        output_table=Table(conn_id=POSTGRES_CONN_ID),
    )
    # A declared table.
    customers = aql.load_file(
        input_file=File(path=S3_FILE_PATH + "/customers_table.csv", conn_id=S3_CONN_ID),
        output_table=Table(
            name="customers_table",
            conn_id=POSTGRES_CONN_ID,
            columns=[
                Column("customer_id", String(30), primary_key=True),
                Column("customer_name", String(100)),
                Column("type", String(10)),
                Column("age", Integer),
                Column("score", Float),
            ],
        ),
        if_exists="replace",
    )

    joined_data = join_orders_customers(filter_orders(orders_data), customers)

    reporting = Table(name=POSTGRES_REPORTING, conn_id=POSTGRES_CONN_ID)
    aql.check_column(
        dataset=joined_data,
        column_mapping={
            "amount": {"min": {"geq_to": 150}, "null_check": {"equal_to": 0}},
            "order_id": {"unique_check": {"equal_to": 0}},
        },
    ) >> (created := create_reporting_table(reporting))

    reporting_table = aql.merge(
        target_table=reporting,
        source_table=joined_data,
        target_conflict_columns=["order_id"],
        columns=["customer_id", "customer_name", "order_id", "purchase_date", "amount", "type"],
        if_conflicts="update",
    )
    created >> reporting_table

    purchase_dates = transform_dataframe(reporting_table)

    by_type = amount_by_type(
        reporting_table,
        output_table=Table(
            name="amount_by_type", conn_id=POSTGRES_CONN_ID, metadata=Metadata(schema="reports")
        ),
    )
    aql.check_table(dataset=by_type, checks={"some_rows": {"check_statement": "COUNT(*) = 2"}})

    aql.export_to_file(
        input_data=by_type,
        output_file=File(path=S3_FILE_PATH + "/amount_by_type.parquet", conn_id=S3_CONN_ID),
        if_exists="replace",
    )

    purchase_dates >> aql.cleanup()
