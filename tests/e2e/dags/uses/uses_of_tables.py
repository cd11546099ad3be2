"""An Airflow DAG of small uses. `dataframe`, `append`, `merge`, checks, `export_to_file`, `drop_table`, `cleanup`, database objects."""

import os

import pandas as pd
from astro import sql as aql
from astro.databases import create_database
from astro.databases.postgres import PostgresDatabase
from astro.files import File
from astro.table import Table

from uses_shared import BUCKET, DAG, FOLDER, HOMES, PG, S3, START, keep, mart, task


# ---- dataframe

@aql.dataframe
def a_table_as_a_dataframe(df: pd.DataFrame):
    return df.sort_values("sell").reset_index(drop=True)

@aql.dataframe
def a_dataframe_into_a_table(df: pd.DataFrame):
    return df[["sell", "agent"]]

@aql.dataframe(if_exists="append")
def a_dataframe_appended(df: pd.DataFrame):
    return df[["sell", "list", "beds", "acres", "agent"]].tail(1)

@aql.dataframe(columns_names_capitalization="upper")
def names_in_capitals(df: pd.DataFrame):
    return list(df.columns)

@aql.dataframe(columns_names_capitalization="lower")
def names_in_lower_case():
    return pd.DataFrame({"A": [1], "b": [2]})

@aql.dataframe(columns_names_capitalization="original")
def names_as_they_are():
    return pd.DataFrame({"A": [1], "b": [2]})

@aql.dataframe
def a_series(df: pd.DataFrame):
    return df.sort_values("sell")["sell"].reset_index(drop=True).to_frame()

@aql.dataframe
def a_number(df: pd.DataFrame):
    return int(df["sell"].max())

@aql.dataframe
def a_list(df: pd.DataFrame):
    return sorted(df["sell"].tolist())

@aql.dataframe
def a_dict_of_numbers(df: pd.DataFrame):
    return df["sell"].max() > 100 and "yes"

@aql.dataframe
def two_tables(homes: pd.DataFrame, again: pd.DataFrame):
    return homes.merge(again, on="sell")[["sell", "beds_x"]].sort_values("sell").reset_index(drop=True)

@aql.dataframe
def a_table_that_stays_a_table(table: Table):
    return table.name

@aql.dataframe
def another_argument(df: pd.DataFrame, least: int):
    return len(df[df["sell"] > least])

@aql.dataframe
def a_dataframe_of_a_dataframe(df: pd.DataFrame):
    return df.head(1)

@aql.dataframe
def arithmetic_with_decimals(df: pd.DataFrame):
    return float((df["price"] * 1.5).sum())

@aql.dataframe
def types_of_a_dataframe(df: pd.DataFrame):
    return [f"{name} {dtype}" for name, dtype in df.dtypes.items()]

@aql.dataframe
def an_empty_dataframe_into_a_table():
    return pd.DataFrame({"a": []})

@aql.dataframe
def no_dataframe_into_a_table():
    return 1

@aql.dataframe
def many_types_into_a_table():
    return pd.DataFrame({
        "n": [1, 2], "x": [0.5, None], "ok": [True, False], "t": ["a,b", None],
        "at": pd.to_datetime(["2024-01-01 12:00", None]),
    })

# ---- database objects by hand

@task
def a_database_by_hand_commits():
    database = create_database(PG)
    database.run_sql("CREATE TABLE uses.by_hand (a int)")
    database.run_sql("INSERT INTO uses.by_hand VALUES (:a)", parameters={"a": 7})
    return create_database(PG).run_sql("SELECT a FROM uses.by_hand", handler=lambda result: result.scalar())

@task
def a_result_by_hand():
    rows = create_database(PG).run_sql("SELECT sell FROM uses.homes ORDER BY 1", handler=lambda result: result)
    return [row["sell"] for row in rows]

@task
def a_single_query_by_hand():
    return [list(row) for row in create_database(PG).run_single_sql_query("SELECT 1, 2").fetchall()]

@task
def a_postgres_database_by_hand_commits():
    PostgresDatabase(PG).run_sql("CREATE TABLE uses.by_class AS SELECT 5 AS a")
    return PostgresDatabase(conn_id=PG).run_sql("SELECT a FROM uses.by_class", handler=lambda result: result.scalar())

@task
def all_rows_by_hand():
    rows = create_database(PG).fetch_all_rows(mart("agents"), row_limit=2)
    return len(rows)

@task
def tables_by_hand():
    database = create_database(PG)
    return [database.table_exists(mart("homes")), database.table_exists(mart("nothing")),
            database.row_count(mart("homes")), database.schema_exists("uses"), database.schema_exists("none"),
            database.get_table_qualified_name(mart("homes")), database.sql_type,
            database.columns_exist(mart("homes"), ["sell"])]

@task
def a_select_into_a_table_by_hand():
    database = create_database(PG)
    database.create_table_from_select_statement("SELECT 1 AS a", mart("by_select"))
    database.drop_table(mart("never"))
    return database.row_count(mart("by_select"))

@task
def a_table_as_a_dataframe_by_hand():
    return int(create_database(PG).export_table_to_pandas_dataframe(mart("homes"))["sell"].max())

@task
def a_dataframe_into_a_table_by_hand():
    database = create_database(PG)
    database.load_pandas_dataframe_to_table(pd.DataFrame({"a": [1, 2]}), mart("by_frame"))
    return database.row_count(mart("by_frame"))

@task
def row_count_of_a_table():
    return mart("homes").row_count

@task
def a_hook_by_hand():
    return create_database(PG).hook.get_first("SELECT count(*) FROM uses.homes")[0]

@task
def a_tuple_by_the_hook():
    rows = create_database(PG).hook.get_records(
        "SELECT sell FROM uses.homes WHERE sell IN %(sells)s ORDER BY 1", parameters={"sells": (142, 129)})
    return [row[0] for row in rows]

@task
def the_engine_by_hand():
    frame = pd.read_sql("SELECT sell FROM uses.homes ORDER BY 1", create_database(PG).sqlalchemy_engine)
    return frame["sell"].tolist()


with DAG("uses_of_tables", start_date=START, schedule=None) as dag:
    columns = {"sell": {"null_check": {"equal_to": 0}, "min": {"geq_to": 100}, "max": {"less_than": 200},
                        "unique_check": {"equal_to": 0}, "distinct_check": {"equal_to": 3}}}
    frame = a_table_as_a_dataframe(HOMES)
    keep(
        "tables",
        frame, a_dataframe_into_a_table(HOMES, output_table=mart("frame_out")),
        a_dataframe_appended(HOMES, output_table=mart("append_all")),
        names_in_capitals(HOMES), names_in_lower_case(), names_as_they_are(), a_series(HOMES), a_number(HOMES),
        a_list(HOMES), a_dict_of_numbers(HOMES), two_tables(HOMES, HOMES), a_table_that_stays_a_table(HOMES),
        another_argument(HOMES, 130), a_dataframe_of_a_dataframe(frame), arithmetic_with_decimals(mart("orders")),
        types_of_a_dataframe(mart("orders")), an_empty_dataframe_into_a_table(output_table=mart("none", )),
        no_dataframe_into_a_table(output_table=mart("none2")),
        many_types_into_a_table(output_table=mart("many_types")),
        a_database_by_hand_commits(), a_result_by_hand(), a_single_query_by_hand(),
        a_postgres_database_by_hand_commits(), all_rows_by_hand(), tables_by_hand(),
        a_select_into_a_table_by_hand(), a_table_as_a_dataframe_by_hand(), a_dataframe_into_a_table_by_hand(),
        row_count_of_a_table(), a_hook_by_hand(), a_tuple_by_the_hook(), the_engine_by_hand(),
        # append
        aql.append(task_id="append_a_list", source_table=HOMES, target_table=mart("append_list"),
                   columns=["sell", "agent"]),
        aql.append(task_id="append_a_tuple", source_table=HOMES, target_table=mart("append_tuple"),
                   columns=("sell", "agent")),
        aql.append(task_id="append_by_a_dict", source_table=HOMES, target_table=mart("append_dict"),
                   columns={"sell": "price", "agent": "who"}),
        aql.append(task_id="append_with_other_types", source_table=HOMES, target_table=mart("append_cast")),
        aql.append(task_id="append_to_no_table", source_table=HOMES, target_table=mart("nowhere")),
        # merge
        aql.merge(task_id="merge_update", target_table=mart("merge_update"), source_table=HOMES,
                  columns=["sell", "agent"], target_conflict_columns=["sell"], if_conflicts="update"),
        aql.merge(task_id="merge_ignore", target_table=mart("merge_ignore"), source_table=HOMES,
                  columns=("sell", "agent"), target_conflict_columns=["sell"], if_conflicts="ignore"),
        aql.merge(task_id="merge_exception", target_table=mart("merge_exception"), source_table=HOMES,
                  columns=["sell", "agent"], target_conflict_columns=["sell"], if_conflicts="exception"),
        aql.merge(task_id="merge_without_conflicts", target_table=mart("merge_new"), source_table=HOMES,
                  columns=["sell", "agent"], target_conflict_columns=["sell"], if_conflicts="exception"),
        aql.merge(task_id="merge_by_a_dict", target_table=mart("merge_dict"), source_table=HOMES,
                  columns={"sell": "price", "agent": "who"}, target_conflict_columns=["price"],
                  if_conflicts="update"),
        aql.merge(task_id="merge_by_two_keys", target_table=mart("merge_two_keys"), source_table=HOMES,
                  columns=["sell", "beds", "agent"], target_conflict_columns=["sell", "beds"],
                  if_conflicts="update"),
        # checks
        aql.check_column(task_id="check_column", dataset=HOMES, column_mapping=columns).output,
        aql.check_column(task_id="check_column_fails", dataset=HOMES,
                         column_mapping={"agent": {"null_check": {"equal_to": 0}}}).output,
        aql.check_column(task_id="check_column_tolerance", dataset=HOMES,
                         column_mapping={"sell": {"max": {"equal_to": 180, "tolerance": 0.1}}}).output,
        aql.check_column(task_id="check_column_of_some_rows", dataset=HOMES, partition_clause="agent IS NOT NULL",
                         column_mapping={"agent": {"null_check": {"equal_to": 0}}}).output,
        aql.check_column(task_id="check_column_of_a_dataframe", dataset=pd.DataFrame({"n": [1, 2]}),
                         column_mapping={"n": {"min": {"geq_to": 1}}}).output,
        aql.check_column(task_id="check_column_of_a_dataframe_fails", dataset=pd.DataFrame({"n": [1, 2]}),
                         column_mapping={"n": {"min": {"geq_to": 2}}}).output,
        aql.check_table(task_id="check_table", dataset=HOMES, checks={
            "rows": {"check_statement": "COUNT(*) = 3"}, "sum": {"check_statement": "SUM(sell) > 400"}}),
        aql.check_table(task_id="check_table_fails", dataset=HOMES,
                        checks={"rows": {"check_statement": "COUNT(*) = 4"}}),
        aql.check_table(task_id="check_table_of_some_rows", dataset=HOMES, partition_clause="beds > 3",
                        checks={"rows": {"check_statement": "COUNT(*) = 2"}}),
        # export
        aql.export_to_file(task_id="export_csv_to_s3", input_data=HOMES, if_exists="replace",
                           output_file=File(f"{BUCKET}/out.csv", conn_id=S3)),
        aql.export_to_file(task_id="export_parquet_to_s3", input_data=HOMES, if_exists="replace",
                           output_file=File(f"{BUCKET}/out.parquet", conn_id=S3)),
        aql.export_to_file(task_id="export_json", input_data=HOMES, if_exists="replace",
                           output_file=File(os.path.join(FOLDER, "out.json"))),
        aql.export_to_file(task_id="export_ndjson", input_data=HOMES, if_exists="replace",
                           output_file=File(os.path.join(FOLDER, "out.ndjson"))),
        aql.export_to_file(task_id="export_local_csv", input_data=HOMES, if_exists="replace",
                           output_file=File(os.path.join(FOLDER, "out.csv"))),
        aql.export_to_file(task_id="export_a_dataframe", input_data=frame, if_exists="replace",
                           output_file=File(os.path.join(FOLDER, "frame.csv"))),
        aql.export_to_file(task_id="export_to_a_file_that_exists", input_data=HOMES,
                           output_file=File(f"{BUCKET}/homes.csv", conn_id=S3)),
        aql.export_to_file(task_id="export_no_table", input_data=mart("nothing"),
                           output_file=File(f"{BUCKET}/none.csv", conn_id=S3)),
        aql.export_file(task_id="export_file_the_old_name", input_data=HOMES, if_exists="replace",
                        output_file=File(f"{BUCKET}/old.csv", conn_id=S3)),
        aql.export_table_to_file(task_id="export_table_to_file", input_data=HOMES, if_exists="replace",
                                 output_file=File(f"{BUCKET}/old2.csv", conn_id=S3)),
        # drop and clean up
        aql.drop_table(task_id="drop_table", table=mart("to_drop")),
        aql.drop_table(task_id="drop_no_table", table=mart("never_there")),
    )
    aql.cleanup(task_id="cleanup_of_given_tables", tables_to_cleanup=[mart("_tmp_given"), HOMES])
