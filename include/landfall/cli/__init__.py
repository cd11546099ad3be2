"""The command line of the engine: one module a command.

Connections come from the environment as Airflow spells them: AIRFLOW_CONN_WAREHOUSE and
AIRFLOW_CONN_LANDING, or what the feed names.
"""
