"""What Airflow sees of Landfall: a hook, a sensor with its trigger, and what the DAGs share.

Thin adapters over `include.landfall`. Import them as `plugins.…`: that path works wherever the
project's root is on PYTHONPATH, which `include.…` asks for too, whether or not Airflow reads this
folder as its plugins folder. The triggerer imports the trigger by the same path.
"""
