"""Airflow on this machine: its settings, its programs, its API, and single DAG runs."""
