"""An Airflow DAG of small uses. `transform` and `transform_file`: queries into tables."""

import os

import pandas as pd
from astro import sql as aql
from astro.query_modifier import QueryModifier
from astro.table import Metadata, Table

from uses_shared import AGENTS, DAG, FOLDER, HOMES, PG, START, keep, mart, task


@aql.transform
def into_a_temporary_table(homes: Table):
    return "SELECT sell FROM {{homes}} WHERE beds > 3"

@aql.transform
def into_a_named_table(homes: Table):
    return "SELECT sell FROM {{homes}}"

@aql.transform
def select_star(homes: Table):
    return "SELECT * FROM {{homes}}"

@aql.transform
def a_join(homes: Table, agents: Table):
    return "SELECT h.sell, a.city FROM {{homes}} h JOIN {{agents}} a ON a.agent = h.agent"

@aql.transform
def a_join_using(homes: Table, agents: Table):
    return "SELECT * FROM {{homes}} JOIN {{agents}} USING (agent)"

@aql.transform
def a_natural_join(homes: Table, agents: Table):
    return "SELECT * FROM {{homes}} NATURAL JOIN {{agents}}"

@aql.transform
def a_union(homes: Table, again: Table):
    return "SELECT * FROM {{homes}} UNION SELECT * FROM {{again}}"

@aql.transform
def a_union_all(homes: Table, again: Table):
    return "SELECT sell FROM {{homes}} UNION ALL SELECT sell FROM {{again}}"

@aql.transform
def an_except(homes: Table, again: Table):
    return "SELECT * FROM {{homes}} EXCEPT SELECT * FROM {{again}}"

@aql.transform
def distinct_rows(homes: Table):
    return "SELECT DISTINCT acres > 0.3 AS large FROM {{homes}}"

@aql.transform
def a_with_query(homes: Table):
    return "WITH big AS (SELECT * FROM {{homes}} WHERE beds > 3) SELECT count(*) AS n FROM big"

@aql.transform
def a_window(homes: Table):
    return "SELECT sell, rank() OVER (ORDER BY sell DESC) AS place FROM {{homes}}"

@aql.transform
def a_group(homes: Table):
    return "SELECT beds > 3 AS large, max(sell) AS best FROM {{homes}} GROUP BY 1"

@aql.transform
def no_rows(homes: Table):
    return "SELECT * FROM {{homes}} WHERE false"

@aql.transform
def a_parameter(homes: Table, least: int):
    return "SELECT sell FROM {{homes}} WHERE sell > {{least}}"

@aql.transform
def a_tuple_for_in(homes: Table, sells: tuple):
    return "SELECT sell FROM {{homes}} WHERE sell IN {{sells}}"

@aql.transform
def a_list_for_any(homes: Table, sells: list):
    return "SELECT sell FROM {{homes}} WHERE sell = ANY({{sells}})"

@aql.transform
def parameters_returned_with_the_sql(homes: Table):
    return "SELECT sell FROM {{homes}} WHERE sell > {{least}}", {"least": 130}

@aql.transform
def a_parameter_as_a_column(homes: Table, label: str):
    return "SELECT sell, {{label}} AS label FROM {{homes}}"

@aql.transform(conn_id=PG)
def no_table_at_all():
    return "SELECT 1 AS a, 'x' AS b"

@aql.transform(conn_id=PG)
def a_dataframe_becomes_a_table(frame: pd.DataFrame):
    return "SELECT n * 2 AS n FROM {{frame}}"

@aql.transform
def a_chain(table: Table):
    return "SELECT max(sell) AS best FROM {{table}}"

@aql.transform
def a_template(homes: Table):
    return "SELECT sell, '{{ ds_nodash }}' = '{{ execution_date.strftime('%Y%m%d') }}' AS same FROM {{homes}}"

@aql.transform
def a_text_literal(homes: Table):
    return "SELECT '{{homes}}' AS name, 50 || '%' AS share"

@aql.transform
def a_query_with_a_semicolon_and_a_comment(homes: Table):
    return """-- homes: all
    SELECT sell FROM {{homes}}; """

@aql.transform(query_modifier=QueryModifier(pre_queries=["CREATE TABLE uses.pre AS SELECT 7 AS a"]))
def a_query_before(homes: Table):
    return "SELECT sell, pre.a FROM {{homes}}, uses.pre"

@aql.transform(query_modifier=QueryModifier(post_queries=["CREATE TABLE uses.post AS SELECT 8 AS a"]))
def a_query_after(homes: Table):
    return "SELECT sell FROM {{homes}}"

@aql.transform(assume_schema_exists=True)
def assume_schema_exists(homes: Table):
    return "SELECT sell FROM {{homes}}"

@aql.transform
def into_a_new_schema(homes: Table):
    return "SELECT sell FROM {{homes}}"

@aql.transform
def capitals_in_the_name(homes: Table):
    return "SELECT sell FROM {{homes}}"

@aql.transform
def capitals_in_columns(homes: Table):
    return 'SELECT sell AS "Sell", beds AS Beds FROM {{homes}}'

@aql.transform
def reads_its_own_output(homes: Table):
    return "SELECT sell, beds FROM {{homes}}"

@aql.transform
def fails_in_the_server(homes: Table):
    return "SELECT 1 / 0 AS a FROM {{homes}}"

@aql.transform
def replaces_other_columns(homes: Table):
    return "SELECT agent AS b, sell AS a FROM {{homes}}"

@aql.transform
def types_of_all_columns():
    return "SELECT id, at, day, price, tags, note, ok FROM uses.orders"

@aql.transform(task_id="a_task_id_of_its_own", retries=2, owner="team")
def arguments_of_every_operator(homes: Table):
    return "SELECT sell FROM {{homes}}"

@aql.transform
def loop_over_columns(homes: Table):
    return "SELECT {% for c in ['sell', 'beds'] %}{{ c }} AS {{ c }}_x{{ ',' if not loop.last }}{% endfor %} FROM {{homes}}"


@task
def a_frame():
    from astro.dataframes.pandas import PandasDataframe

    return PandasDataframe({"n": [1, 2]})


with DAG("uses_of_transform", start_date=START, schedule=None, template_searchpath=[FOLDER]) as dag:
    with open(os.path.join(FOLDER, "best.sql"), "w") as file:
        file.write("-- the best of them\nSELECT max(sell) AS best -- and no other\nFROM {{homes}}\n")
    with open(os.path.join(FOLDER, "least.sql"), "w") as file:
        file.write("SELECT sell FROM {{homes}} WHERE sell > {{least}}")
    temporary = into_a_temporary_table(HOMES)
    keep(
        "transform",
        temporary, into_a_named_table(HOMES, output_table=mart("named")), select_star(HOMES),
        a_join(HOMES, AGENTS), a_join_using(HOMES, AGENTS), a_natural_join(HOMES, AGENTS),
        a_union(HOMES, HOMES), a_union_all(HOMES, HOMES), an_except(HOMES, HOMES), distinct_rows(HOMES),
        a_with_query(HOMES), a_window(HOMES), a_group(HOMES), no_rows(HOMES), a_parameter(HOMES, 130),
        a_tuple_for_in(HOMES, (142, 129)), a_list_for_any(HOMES, [142, 129]),
        parameters_returned_with_the_sql(HOMES), a_parameter_as_a_column(HOMES, "it's"),
        no_table_at_all(), a_dataframe_becomes_a_table(a_frame()), a_chain(temporary), a_template(HOMES),
        a_text_literal(HOMES), a_query_with_a_semicolon_and_a_comment(HOMES), a_query_before(HOMES),
        a_query_after(HOMES), assume_schema_exists(HOMES, output_table=mart("assumed")),
        into_a_new_schema(HOMES, output_table=Table("t", conn_id=PG, metadata=Metadata(schema="uses_new"))),
        capitals_in_the_name(HOMES, output_table=mart("BigNames")),
        capitals_in_columns(HOMES), reads_its_own_output(HOMES, output_table=mart("own_output")),
        fails_in_the_server(HOMES), replaces_other_columns(HOMES, output_table=mart("own")),
        types_of_all_columns(conn_id=PG), arguments_of_every_operator(HOMES), loop_over_columns(HOMES),
        aql.transform_file(
            task_id="a_sql_file", file_path=os.path.join(FOLDER, "best.sql"), parameters={"homes": HOMES},
            conn_id=PG,
        ),
        aql.transform_file(
            task_id="a_sql_file_with_parameters", file_path=os.path.join(FOLDER, "least.sql"),
            parameters={"homes": HOMES, "least": 130}, conn_id=PG,
        ),
        aql.transform_file(
            task_id="a_sql_file_by_the_search_path", file_path="least.sql",
            parameters={"homes": HOMES, "least": 130}, conn_id=PG,
        ),
        aql.transform_file(
            task_id="a_sql_file_into_a_named_table", file_path=os.path.join(FOLDER, "least.sql"),
            parameters={"homes": HOMES, "least": 150}, conn_id=PG,
            op_kwargs={"output_table": mart("from_file")},
        ),
    )
