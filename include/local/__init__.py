"""What a developer needs on one machine: real servers, data, an Airflow, a demo, the course.

- `services` starts, finds and stops PostgreSQL, the object store and Redis.
- `airflow` runs Airflow on them, `reports` the report service, `celery` the stack in containers.
- `demo` shows the main job end to end, `course` runs the lessons.

`python -m include.local --help` lists the commands. Nothing here is meant for production.
"""
