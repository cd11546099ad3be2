"""The report service: callers ask for a report over HTTP, and a Celery worker makes it.

The worker streams the rows from Postgres to S3, where the caller fetches the report. The service
runs without Airflow: it has an API (`api`), a Celery application (`app`), and Redis between them.
"""
