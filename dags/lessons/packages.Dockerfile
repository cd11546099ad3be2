# The custom way: steps of your own on top of the project's image. Copy this file over ./Dockerfile;
# `astro dev restart` builds it.
#
# The FROM line does all that ./Dockerfile does: it installs packages.txt and requirements.txt and
# copies the project. What stands below it runs after that, in /usr/local/airflow, as the user astro.
FROM astrocrpublic.azurecr.io/runtime:3.3-8-python-3.12

# A package that does not agree with the others gets a Python environment of its own. Here: astro-sdk
# needs pandas below 2.2, and somebody needs a newer one. This is how a task runs in it:
#   @task.external_python(python="/usr/local/airflow/newer_pandas/bin/python")
RUN python -m venv newer_pandas && newer_pandas/bin/pip install --no-cache-dir pandas==2.3.3
