"""What a developer needs on one machine: real servers, data, an Airflow home, a demo, a check.

Each server has one module (`postgres`, `object_store`) with the same three verbs: start it in a
folder, find the one that runs in a folder, stop it. `python -m include.local --help` lists the
commands. Nothing here is meant for production.
"""
