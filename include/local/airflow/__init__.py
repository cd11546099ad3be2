"""Airflow on this machine: its home, its programs, one DAG run at a time."""
