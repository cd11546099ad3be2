"""An Airflow DAG of small uses. `load_file`: places, formats, options, names of columns, and what if the table exists."""

import os

from astro import sql as aql
from astro.constants import FileType
from astro.dataframes.load_options import PandasCsvLoadOptions, PandasLoadOptions
from astro.files import File, get_file_list
from astro.sql import LoadFileOperator
from astro.table import Metadata, Table
from sqlalchemy import Column, Integer, Numeric, String

from uses_shared import BUCKET, DAG, FOLDER, PG, S3, START, keep, mart, task


def s3(name, **more):
    return File(f"{BUCKET}/{name}", conn_id=S3, **more)


def local(name, **more):
    return File(os.path.join(FOLDER, name), **more)


def load(task_id, file, table=None, **more):
    table = mart(f"l_{task_id}") if table is None else table
    return aql.load_file(input_file=file, output_table=table, task_id=task_id, **more)


def frame(task_id, file, **more):
    return aql.load_file(input_file=file, task_id=task_id, **more)


@task
def names_of_files(files):
    return sorted(os.path.basename(file.path) for file in files)

@task
def about_a_file():
    file = local("homes.csv")
    return [file.exists(), local("none.csv").exists(), file.size > 10, file.is_local(), file.is_binary(),
            file.is_pattern(), file.type.name.value, len(file.export_to_dataframe())]

@task
def a_file_from_a_dataframe():
    import pandas as pd

    file = local("made.csv")
    file.create_from_dataframe(pd.DataFrame({"a": [1, 2]}), store_as_dataframe=False)
    with open(file.path) as body:
        return body.read()

@aql.dataframe
def a_file_as_a_dataframe(df):
    return len(df)


with DAG("uses_of_load_file", start_date=START, schedule=None) as dag:
    listed = get_file_list(path=f"{BUCKET}/part/", conn_id=S3, task_id="get_file_list")
    local_list = get_file_list(path=os.path.join(FOLDER, "part/*.csv"), conn_id="", task_id="get_local_file_list")
    declared = [Column("sell", Integer), Column("list", Numeric(10, 2)), Column("living", Integer),
                Column("agent", String(20))]
    appended = load("append_first", s3("homes.csv"), mart("l_append"))
    again = load("append_again", s3("homes2.csv"), mart("l_append"), if_exists="append")
    replaced = load("replace_first", s3("homes2.csv"), mart("l_replace"))
    replaced2 = load("replace_again", s3("homes.csv"), mart("l_replace"), if_exists="replace")
    appended >> again
    replaced >> replaced2
    LoadFileOperator.partial(task_id="mapped", output_table=mart("l_mapped"), if_exists="append").expand(
        input_file=listed)
    keep(
        "load_file",
        load("csv_from_s3", s3("homes.csv")), load("csv_from_a_local_file", local("homes.csv")),
        load("parquet_from_s3", s3("homes.parquet")), load("parquet_from_a_local_file", local("homes.parquet")),
        load("json_from_s3", s3("rows.json")), load("ndjson_from_s3", s3("rows.ndjson")),
        load("ndjson_from_a_local_file", local("rows.ndjson")), load("excel_from_a_local_file", local("homes.xlsx")),
        load("a_prefix", s3("part/", filetype=FileType.CSV)), load("a_pattern_of_local_files", local("part/*.csv")),
        load("a_file_without_an_ending", s3("no_ending", filetype=FileType.CSV)),
        load("into_a_temporary_table", s3("homes.csv"), Table(conn_id=PG)),
        load("into_a_table_without_a_schema", s3("homes.csv"), Table("l_plain", conn_id=PG)),
        load("into_a_new_schema", s3("homes.csv"), Table("t", conn_id=PG, metadata=Metadata(schema="uses_loaded"))),
        load("declared_columns", s3("homes.csv"), mart("l_declared", columns=declared)),
        load("a_header_without_rows", s3("header.csv"), mart("l_header", columns=[Column("a", Integer), Column("b", String)])),
        again, replaced2,
        load("names_in_upper_case", s3("homes.csv"), columns_names_capitalization="upper"),
        load("names_in_lower_case", s3("capitals.csv"), columns_names_capitalization="lower"),
        load("names_as_they_are", s3("capitals.csv"), columns_names_capitalization="original"),
        load("ndjson_normalize_sep", s3("rows.ndjson"), ndjson_normalize_sep="__"),
        load("option_delimiter", s3("homes.psv", filetype=FileType.CSV), load_options=PandasLoadOptions(delimiter="|")),
        load("option_dtype", s3("homes.csv"), load_options=PandasLoadOptions(dtype={"sell": "str"})),
        load("option_encoding", s3("latin.csv"), load_options=PandasLoadOptions(encoding="latin-1")),
        load("option_skiprows", s3("skip.csv"), load_options=PandasLoadOptions(kwargs={"skiprows": 1})),
        load("option_na_values", s3("null.csv"), load_options=PandasLoadOptions(kwargs={"na_values": ["-"]})),
        load("option_keep_default_na", s3("null.csv"), load_options=PandasLoadOptions(kwargs={"keep_default_na": False})),
        load("option_nrows", s3("homes.csv"), load_options=PandasLoadOptions(kwargs={"nrows": 1})),
        load("option_usecols", s3("homes.csv"), load_options=PandasLoadOptions(kwargs={"usecols": ["sell", "agent"]})),
        load("options_in_a_list", s3("homes.psv", filetype=FileType.CSV), load_options=[PandasLoadOptions(delimiter="|")]),
        load("options_of_the_old_class", s3("homes.psv", filetype=FileType.CSV), load_options=PandasCsvLoadOptions(delimiter="|")),
        load("use_native_support_false", s3("homes.csv"), use_native_support=False),
        load("enable_native_fallback", s3("homes.csv"), enable_native_fallback=True),
        load("a_template_in_the_path", s3("{{ 'homes' }}.csv")),
        load("a_template_in_the_tables_name", s3("homes.csv"), mart("l_{{ 'templated' }}")),
        load("a_missing_file_fails", s3("none.csv")),
        load("no_connection_of_that_name_fails", File(f"{BUCKET}/homes.csv", conn_id="nobody")),
        frame("a_dataframe_from_csv", s3("homes.csv")), frame("a_dataframe_from_parquet", s3("homes.parquet")),
        frame("a_dataframe_from_ndjson", local("rows.ndjson")), frame("a_dataframe_of_several_files", local("part/*.csv")),
        frame("a_dataframe_with_names_in_upper_case", s3("homes.csv"), columns_names_capitalization="upper"),
        names_of_files.override(task_id="files_of_a_prefix")(listed),
        names_of_files.override(task_id="files_of_a_local_pattern")(local_list),
        about_a_file(), a_file_from_a_dataframe(), a_file_as_a_dataframe(frame("a_frame", s3("homes.csv"))),
    )
