"""The adapter between Airflow and the engine, for the plugins and the seam to astro-sdk alike.

Airflow's connections go down to the engine as stores and warehouses, the engine's errors come up
to Airflow as its own, and the ledger learns which task loads.
"""
