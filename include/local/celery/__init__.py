"""The project on CeleryExecutor, in containers: `make celery` and `make celery-down`."""
