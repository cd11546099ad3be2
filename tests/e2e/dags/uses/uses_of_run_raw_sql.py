"""An Airflow DAG of small uses. `run_raw_sql` and `get_value_list`: parameters, rows, handlers, several statements, templates."""

import datetime

from astro import sql as aql
from astro.query_modifier import QueryModifier
from astro.table import Table

from uses_shared import AGENTS, DAG, EMPTY, HOMES, PG, START, keep, mart


def fetch_all(result):
    return result.fetchall()


def first_row(result):
    return tuple(result.fetchone())


# ---- what a handler can do with the rows

@aql.run_raw_sql(handler=fetch_all)
def all_rows(homes: Table):
    return "SELECT * FROM {{homes}} ORDER BY sell"

@aql.run_raw_sql(handler=lambda result: result.scalar())
def one_value(homes: Table):
    return "SELECT count(*) FROM {{homes}}"

@aql.run_raw_sql(handler=lambda result: [row["agent"] for row in result])
def rows_by_name(homes: Table):
    return "SELECT sell, agent FROM {{homes}} ORDER BY sell"

@aql.run_raw_sql(handler=lambda result: [row.agent for row in result])
def rows_by_attribute(homes: Table):
    return "SELECT sell, agent FROM {{homes}} ORDER BY sell"

@aql.run_raw_sql(handler=lambda result: [row[1] for row in result.fetchall()])
def rows_by_position(homes: Table):
    return "SELECT sell, agent FROM {{homes}} ORDER BY sell"

@aql.run_raw_sql(handler=lambda result: [dict(row) for row in result.fetchall()])
def rows_as_dicts(homes: Table):
    return "SELECT sell, agent FROM {{homes}} ORDER BY sell"

@aql.run_raw_sql(handler=lambda result: dict(result.mappings().first()))
def rows_as_mappings(homes: Table):
    return "SELECT sell, agent FROM {{homes}} ORDER BY sell"

@aql.run_raw_sql(handler=lambda result: list(result.keys()))
def names_of_columns(homes: Table):
    return "SELECT * FROM {{homes}}"

@aql.run_raw_sql(handler=lambda result: list(result.first().keys()))
def names_of_a_row(homes: Table):
    return "SELECT sell, agent FROM {{homes}}"

@aql.run_raw_sql(handler=lambda result: list(result.first().values()))
def values_of_a_row(homes: Table):
    return "SELECT sell, agent FROM {{homes}} ORDER BY sell"

@aql.run_raw_sql(handler=lambda result: [list(pair) for pair in result.first().items()])
def items_of_a_row(homes: Table):
    return "SELECT sell, agent FROM {{homes}} ORDER BY sell"

@aql.run_raw_sql(handler=lambda result: "agent" in result.first().keys())
def a_row_has_a_column(homes: Table):
    return "SELECT sell, agent FROM {{homes}}"

@aql.run_raw_sql(handler=lambda result: result.fetchmany(2))
def some_rows(homes: Table):
    return "SELECT sell FROM {{homes}} ORDER BY sell"

@aql.run_raw_sql(handler=lambda result: result.scalars().all())
def one_column(homes: Table):
    return "SELECT sell FROM {{homes}} ORDER BY sell"

@aql.run_raw_sql(conn_id=PG, handler=lambda result: result.rowcount)
def number_of_changed_rows():
    return "INSERT INTO uses.changed VALUES (1, 'a'), (2, 'b')"

@aql.run_raw_sql(handler=lambda result: result)
def the_result_itself(homes: Table):
    return "SELECT sell FROM {{homes}} ORDER BY sell"

@aql.run_raw_sql(conn_id=PG, handler=fetch_all)
def rows_returned_by_an_insert():
    return "INSERT INTO uses.reports VALUES (2, 20) RETURNING id, total"

@aql.run_raw_sql
def no_handler_gives_nothing(homes: Table):
    return "SELECT sell FROM {{homes}}"

@aql.run_raw_sql(handler=lambda result: result.fetchone()[0])
def a_handler_without_rows(empty: Table):
    return "SELECT a FROM {{empty}}"

@aql.run_raw_sql(handler=fetch_all)
def a_statement_without_rows(empty: Table):
    return "DELETE FROM {{empty}}"

@aql.run_raw_sql(handler=lambda result: result.fetchone()[0], fail_on_empty=True)
def fail_on_empty(empty: Table):
    return "SELECT a FROM {{empty}}"

@aql.run_raw_sql(handler=lambda result: result.fetchall()[7])
def a_handlers_error_is_not_swallowed(homes: Table):
    return "SELECT sell FROM {{homes}}"

# ---- formats and sizes of results

@aql.run_raw_sql(results_format="list")
def results_as_list(homes: Table):
    return "SELECT sell, agent FROM {{homes}} ORDER BY sell"

@aql.run_raw_sql(results_format="pandas_dataframe")
def results_as_pandas_dataframe(homes: Table):
    return "SELECT * FROM {{homes}} ORDER BY sell"

@aql.run_raw_sql(results_format="pandas_dataframe")
def decimals_in_a_dataframe():
    return "SELECT 1.50 AS price, sum(beds) AS beds, avg(beds) AS mean FROM uses.homes"

@aql.run_raw_sql(handler=fetch_all)
def decimals_in_rows():
    return "SELECT 1.50 AS price, avg(beds)::numeric(5, 2) AS mean FROM uses.homes"

@aql.run_raw_sql(handler=lambda result: [type(value).__name__ for value in result.fetchone()])
def types_of_values_in_a_handler():
    return """SELECT 1, 1.5::float8, 1.50, 'a', true, DATE '2024-01-01', now(), INTERVAL '1 day',
        ARRAY[1, 2], jsonb_build_object('a', 1), inet '10.0.0.1', NULL, gen_random_uuid(), int4range(1, 3),
        TIME '12:00'"""

@aql.run_raw_sql(handler=fetch_all)
def values_of_all_types():
    return "SELECT id, at, day, price, tags, note, ok FROM uses.orders ORDER BY id"

@aql.run_raw_sql(handler=fetch_all, response_size=2)
def response_size(homes: Table):
    return "SELECT sell FROM {{homes}} ORDER BY sell"

@aql.run_raw_sql(results_format="pandas_dataframe", response_size=1)
def response_size_of_a_dataframe(homes: Table):
    return "SELECT sell FROM {{homes}} ORDER BY sell"

@aql.run_raw_sql(handler=fetch_all, response_limit=1)
def response_limit(homes: Table):
    return "SELECT sell FROM {{homes}} ORDER BY sell"

# ---- parameters

@aql.run_raw_sql(conn_id=PG, handler=fetch_all)
def a_tuple_for_in(sells: tuple):
    return "SELECT agent FROM uses.homes WHERE sell IN {{sells}} ORDER BY sell"

@aql.run_raw_sql(conn_id=PG, handler=fetch_all)
def a_tuple_of_texts_for_in(names: tuple):
    return "SELECT sell FROM uses.homes WHERE agent IN {{names}} ORDER BY sell"

@aql.run_raw_sql(conn_id=PG, handler=fetch_all)
def a_list_for_any(sells: list):
    return "SELECT agent FROM uses.homes WHERE sell = ANY({{sells}}) ORDER BY sell"

@aql.run_raw_sql(conn_id=PG, handler=lambda result: result.scalar())
def a_list_as_an_array(values: list):
    return "SELECT array_length({{values}}, 1)"

@aql.run_raw_sql(conn_id=PG, handler=lambda result: result.scalar())
def a_dict_as_json(value: dict):
    return "SELECT {{value}}::jsonb ->> 'a'"

@aql.run_raw_sql(conn_id=PG, handler=first_row)
def texts_numbers_and_nothing(a, b, c, d):
    return "SELECT {{a}}, {{b}} + 1, {{c}}, {{d}} IS NULL"

@aql.run_raw_sql(conn_id=PG, handler=lambda result: result.scalar())
def a_text_with_quotes(text):
    return "SELECT length({{text}})"

@aql.run_raw_sql(conn_id=PG, handler=lambda result: result.scalar())
def a_text_that_is_no_sql(text):
    return "SELECT count(*) FROM uses.homes WHERE agent = {{text}}"

@aql.run_raw_sql(conn_id=PG, handler=lambda result: result.scalar())
def a_date(day):
    return "SELECT {{day}} + 1"

@aql.run_raw_sql(conn_id=PG, handler=lambda result: result.scalar())
def a_number_as_text_is_compared(least):
    return "SELECT count(*) FROM uses.homes WHERE sell > {{least}}"

@aql.run_raw_sql(conn_id=PG, handler=lambda result: result.scalar())
def a_boolean(ok):
    return "SELECT count(*) FROM uses.orders WHERE ok = {{ok}}"

@aql.run_raw_sql(conn_id=PG, handler=fetch_all)
def parameters_returned_with_the_sql():
    return "SELECT agent FROM uses.homes WHERE sell > :least ORDER BY sell", {"least": 130}

@aql.run_raw_sql(conn_id=PG, handler=fetch_all, parameters={"least": 150})
def parameters_of_the_decorator():
    return "SELECT agent, sell FROM uses.homes WHERE sell > :least"

@aql.run_raw_sql(conn_id=PG, handler=lambda result: result.scalar())
def percent_and_colons_stand_for_themselves():
    return "SELECT count(*) || ' 100%' || '12:30'::time FROM uses.homes WHERE agent LIKE 'A%'"

@aql.run_raw_sql(conn_id=PG, handler=lambda result: result.scalar())
def a_colon_in_a_json_text():
    return """SELECT '{"a":1}'::jsonb ->> 'a'"""

# ---- tables in SQL

@aql.run_raw_sql(handler=fetch_all)
def a_table_in_a_text_literal(homes: Table):
    return "SELECT '{{homes}}'"

@aql.run_raw_sql(handler=lambda result: result.scalar())
def to_regclass_of_a_table(homes: Table):
    return "SELECT to_regclass('{{homes}}')::text"

@aql.run_raw_sql(handler=fetch_all)
def two_tables(homes: Table, agents: Table):
    return "SELECT h.agent, city FROM {{homes}} h JOIN {{agents}} a ON a.agent = h.agent ORDER BY 1"

@aql.run_raw_sql(handler=fetch_all)
def a_table_in_the_parameters():
    return "SELECT count(*) FROM {{homes}}", {"homes": HOMES}

@aql.run_raw_sql(handler=lambda result: result.scalar())
def a_table_without_a_schema(table: Table):
    return "SELECT '{{table}}'"

@aql.run_raw_sql(handler=lambda result: result.scalar())
def a_name_with_capitals_is_folded(table: Table):
    return "CREATE TABLE {{table}} AS SELECT 1 AS a; SELECT count(*) FROM uses.FoldedName"

@aql.run_raw_sql(conn_id=PG, handler=lambda result: result.scalar())
def a_loop_in_the_template(names: list):
    return "SELECT count(*) FROM uses.homes WHERE false {% for n in [142, 175] %} OR sell = {{ n }} {% endfor %}"

# ---- several statements, and queries before and after

@aql.run_raw_sql(conn_id=PG, handler=fetch_all)
def several_statements(a):
    return "CREATE TEMP TABLE t (a int); INSERT INTO t VALUES ({{a}}), (2); SELECT sum(a) FROM t"

@aql.run_raw_sql(conn_id=PG)
def a_statement_is_committed():
    return "CREATE TABLE uses.committed AS SELECT 1 AS a"

@aql.run_raw_sql(conn_id=PG, handler=lambda result: result.scalar(),
                 query_modifier=QueryModifier(pre_queries=["CREATE TABLE uses.before (a int)"],
                                              post_queries=["INSERT INTO uses.before VALUES (1)"]))
def queries_before_and_after():
    return "SELECT to_regclass('uses.before')::text"

@aql.run_raw_sql(conn_id=PG, handler=lambda result: result.scalar(),
                 query_modifier=QueryModifier(pre_queries=["SET search_path = uses"]))
def a_setting_before_the_query():
    return "SELECT count(*) FROM homes"

@aql.run_raw_sql(conn_id=PG, handler=fetch_all)
def comments_in_sql():
    return """-- the homes: all of them
    SELECT count(*) /* really */ FROM uses.homes -- the end"""

@aql.run_raw_sql(conn_id=PG)
def an_empty_statement_fails():
    return ""

@aql.run_raw_sql(conn_id=PG)
def an_error_of_the_server_fails():
    return "SELECT 1 / 0"

@aql.run_raw_sql
def neither_table_nor_connection_fails():
    return "SELECT 1"

# ---- templates

@aql.run_raw_sql(conn_id=PG, handler=first_row)
def dates_of_the_run():
    return "SELECT '{{ ds }}' = '{{ execution_date.strftime('%Y-%m-%d') }}', length('{{ ds_nodash }}')"

@aql.run_raw_sql(conn_id=PG, handler=first_row)
def execution_date_and_its_kin():
    return """SELECT '{{ execution_date }}' = '{{ logical_date }}',
        '{{ tomorrow_ds }}'::date - '{{ yesterday_ds }}'::date, length('{{ tomorrow_ds_nodash }}'),
        '{{ next_ds }}' <> '', '{{ prev_ds }}' <> '', '{{ prev_execution_date_success }}'"""

@aql.run_raw_sql(conn_id=PG, handler=lambda result: result.scalar())
def a_template_as_an_argument(day):
    return "SELECT {{day}}::date = current_date + 10000 OR length({{day}}) = 10"

@aql.run_raw_sql(conn_id=PG, handler=lambda result: result.scalar())
def params_and_macros():
    return "SELECT '{{ params.city }}' || '{{ macros.ds_add('2024-01-01', 1) }}'"


with DAG("uses_of_run_raw_sql", start_date=START, schedule=None, params={"city": "Oslo"}) as dag:
    values = aql.get_value_list(
        sql="SELECT sell FROM uses.homes ORDER BY sell", conn_id=PG, task_id="get_value_list",
    )
    handled = aql.get_value_list(
        sql="SELECT sell FROM uses.homes ORDER BY sell", conn_id=PG, task_id="get_value_list_with_handler",
        handler=lambda result: [row["sell"] for row in result],
    )
    keep(
        "run_raw_sql",
        all_rows(HOMES), one_value(HOMES), rows_by_name(HOMES), rows_by_attribute(HOMES),
        rows_by_position(HOMES), rows_as_dicts(HOMES), rows_as_mappings(HOMES), names_of_columns(HOMES),
        names_of_a_row(HOMES), values_of_a_row(HOMES), items_of_a_row(HOMES), a_row_has_a_column(HOMES),
        some_rows(HOMES), one_column(HOMES), number_of_changed_rows(), the_result_itself(HOMES),
        rows_returned_by_an_insert(), no_handler_gives_nothing(HOMES), a_handler_without_rows(EMPTY),
        a_statement_without_rows(EMPTY), fail_on_empty(EMPTY), a_handlers_error_is_not_swallowed(HOMES),
        results_as_list(HOMES), results_as_pandas_dataframe(HOMES),
        decimals_in_a_dataframe(conn_id=PG), decimals_in_rows(conn_id=PG),
        types_of_values_in_a_handler(conn_id=PG), values_of_all_types(conn_id=PG),
        response_size(HOMES), response_size_of_a_dataframe(HOMES), response_limit(HOMES),
        a_tuple_for_in((142, 129)), a_tuple_of_texts_for_in(("Ann", "Bo")), a_list_for_any([142, 129]),
        a_list_as_an_array([1, 2, 3]), a_dict_as_json({"a": "x"}),
        texts_numbers_and_nothing("x", 1, 2.5, None), a_text_with_quotes("it's \"x\" \\ %"),
        a_text_that_is_no_sql("'; DROP TABLE uses.homes; --"), a_date(datetime.date(2024, 1, 1)),
        a_number_as_text_is_compared("130"), a_boolean(True), parameters_returned_with_the_sql(),
        parameters_of_the_decorator(), percent_and_colons_stand_for_themselves(), a_colon_in_a_json_text(),
        a_table_in_a_text_literal(HOMES), to_regclass_of_a_table(HOMES), two_tables(HOMES, AGENTS),
        a_table_in_the_parameters(conn_id=PG), a_table_without_a_schema(Table("anything", conn_id=PG)),
        a_name_with_capitals_is_folded(mart("FoldedName")), a_loop_in_the_template([1]),
        several_statements(1), a_statement_is_committed(), queries_before_and_after(),
        a_setting_before_the_query(), comments_in_sql(), an_empty_statement_fails(),
        an_error_of_the_server_fails(), neither_table_nor_connection_fails(), dates_of_the_run(),
        execution_date_and_its_kin(), a_template_as_an_argument("{{ ds }}"), params_and_macros(),
        values, handled,
    )
