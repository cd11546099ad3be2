"""The engine: files from S3 into Postgres, exactly once, atomically.

Plain Python. It imports neither Airflow nor astro, and runs from a shell:
`python -m include.landfall --help`.
"""
