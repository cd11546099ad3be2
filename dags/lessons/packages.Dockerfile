# The custom way: your own steps on top of the project's image. Copy this file over ./Dockerfile, and
# build it with `astro dev restart`.
#
# The FROM line does all that ./Dockerfile does: it installs packages.txt and requirements.txt and
# copies the project. The steps below it run after that, in /usr/local/airflow, as the user astro.
FROM astrocrpublic.azurecr.io/runtime:3.3-8-python-3.12

# A package that conflicts with the others gets a separate Python environment. In this example,
# astro-sdk needs pandas below 2.2, and one task needs a newer pandas. A task runs in that environment
# with:
#   @task.external_python(python="/usr/local/airflow/newer_pandas/bin/python")
RUN python -m venv newer_pandas && newer_pandas/bin/pip install --no-cache-dir pandas==2.3.3
