"""What Airflow sees of Landfall: the hook, the sensor with its trigger, the training operator.

Thin adapters over `include.landfall`. Import them as `plugins.…`: that path works wherever the
project's root is on PYTHONPATH, as `include.…` needs it too, and whether or not this folder is
Airflow's plugins folder. The triggerer imports the trigger by the same path.
"""
