"""The report service: asked over HTTP, made by a Celery worker, fetched from S3.

It runs without Airflow: an API (`api`), a Celery application (`app`), and Redis between them.
"""
