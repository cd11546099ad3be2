"""Twenty tasks in the style of the Astro SDK's documentation: the same file on Airflow 2 and here.

Orders, customers and homes come from S3; SQL and pandas work on them; the results are checked,
exported and cleaned up.
"""

from datetime import datetime

import pandas as pd
from airflow import DAG
from astro import sql as aql
from astro.files import File
from astro.table import Metadata, Table
from sqlalchemy import Column, Float, String

PG, S3, BUCKET = "warehouse", "landing", "s3://twenty"


def mart(name, **more):
    return Table(name=name, conn_id=PG, metadata=Metadata(schema="shop"), **more)


@aql.transform
def orders_of_customers(orders: Table, customers: Table):
    return """SELECT c.customer_id, c.name, c.type, o.order_id, o.day, o.amount
    FROM {{orders}} o JOIN {{customers}} c ON c.customer_id = o.customer_id"""

@aql.transform
def everything(orders: Table, customers: Table):
    return "SELECT * FROM {{orders}} JOIN {{customers}} USING (customer_id)"

@aql.transform
def both_years(first: Table, second: Table):
    return "SELECT * FROM {{first}} UNION SELECT * FROM {{second}}"

@aql.transform
def large_orders(joined: Table, least: float):
    return "SELECT * FROM {{joined}} WHERE amount > {{least}}"

@aql.transform
def of_these_types(joined: Table, types: tuple):
    return "SELECT name, amount FROM {{joined}} WHERE type IN {{types}}"

@aql.transform
def best_of_each_type(joined: Table):
    return "SELECT type, max(amount) AS best, count(*) AS orders FROM {{joined}} GROUP BY type"

@aql.dataframe
def by_month(df: pd.DataFrame):
    df["month"] = pd.to_datetime(df["day"]).dt.strftime("%Y-%m")
    return df.groupby("month", as_index=False)["amount"].sum()

@aql.dataframe(columns_names_capitalization="lower")
def share_of_each_type(df: pd.DataFrame):
    df["SHARE"] = (df["best"] / df["best"].sum()).round(4)
    return df

@aql.run_raw_sql
def make_report(table: Table):
    return """CREATE TABLE IF NOT EXISTS {{table}}
    (order_id text UNIQUE, name text, amount double precision)"""

@aql.run_raw_sql(handler=lambda result: [row["name"] for row in result])
def names_in_the_report(table: Table):
    return "SELECT name FROM {{table}} ORDER BY order_id"

@aql.run_raw_sql
def keep_names(table: Table, names: list):
    return "CREATE TABLE shop.names AS SELECT unnest({{names}}) AS name, (SELECT count(*) FROM {{table}}) AS n"


with DAG("twenty_tasks", start_date=datetime(2024, 1, 1), schedule=None, catchup=False) as dag:
    customers = aql.load_file(  # 1: a declared table
        input_file=File(f"{BUCKET}/customers.csv", conn_id=S3),
        output_table=mart("customers", columns=[
            Column("customer_id", String(10), primary_key=True), Column("name", String(60)),
            Column("type", String(10)), Column("age", Float), Column("score", Float),
        ]),
        task_id="customers",
    )
    orders = aql.load_file(  # 2: types left to be inferred
        input_file=File(f"{BUCKET}/orders/2023.csv", conn_id=S3), output_table=mart("orders"), task_id="orders")
    more_orders = aql.load_file(  # 3: a temporary table
        input_file=File(f"{BUCKET}/orders/2024.csv", conn_id=S3), output_table=Table(conn_id=PG), task_id="more_orders")
    all_orders = both_years(orders, more_orders)  # 4
    joined = orders_of_customers(all_orders, customers, output_table=mart("joined"))  # 5
    everything(all_orders, customers, output_table=mart("everything"))  # 6
    large = large_orders(joined, 150.0, output_table=mart("large"))  # 7
    of_these_types(joined, ("TYPE1", "TYPE3"), output_table=mart("of_types"))  # 8
    best = best_of_each_type(joined, output_table=mart("best"))  # 9
    months = by_month(joined, output_table=mart("months"))  # 10
    share_of_each_type(best, output_table=mart("shares"))  # 11
    report = mart("report")
    made = make_report(report)  # 12
    merged = aql.merge(  # 13
        target_table=report, source_table=joined, columns=["order_id", "name", "amount"],
        target_conflict_columns=["order_id"], if_conflicts="update", task_id="merged")
    appended = aql.append(  # 14
        source_table=months, target_table=mart("history"), columns={"month": "label", "amount": "total"},
        task_id="appended")
    checked = aql.check_column(  # 15
        dataset=mart("joined"), task_id="columns_checked",
        column_mapping={"amount": {"min": {"geq_to": 50}, "null_check": {"equal_to": 0}},
                        "order_id": {"unique_check": {"equal_to": 0}}})
    table_checked = aql.check_table(  # 16
        dataset=best, task_id="table_checked", checks={"types": {"check_statement": "COUNT(*) = 3"}})
    names = names_in_the_report(merged)  # 17
    keep_names(merged, names)  # 18
    exported = aql.export_to_file(  # 19
        input_data=best, output_file=File(f"{BUCKET}/best.csv", conn_id=S3), if_exists="replace", task_id="exported")
    joined >> checked >> merged
    made >> merged
    aql.cleanup(task_id="cleaned_up")  # 20
