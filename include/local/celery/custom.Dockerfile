# Airflow for the Celery stack, the second way: an image of our own, from Python up. It holds what the
# lock holds and nothing else. docs/celery.md says when to take which; this is how:
#   docker build -t landfall/airflow:local -f include/local/celery/custom.Dockerfile .
FROM python:3.11-slim-bookworm AS packages
ARG AIRFLOW_VERSION=3.3.2
COPY .ci/uv.txt requirements.txt requirements-dev.txt /tmp/requirements/
COPY include/local/celery/requirements.txt /tmp/requirements/celery.txt
RUN python -m venv /opt/uv && python -m venv /opt/venv \
    && /opt/uv/bin/pip install --no-cache-dir --require-hashes --requirement /tmp/requirements/uv.txt \
    && /opt/uv/bin/uv pip install --python /opt/venv --no-cache --compile-bytecode --require-hashes \
        "apache-airflow==${AIRFLOW_VERSION}" \
        --requirement /tmp/requirements/requirements.txt --requirement /tmp/requirements/celery.txt \
        --constraint /tmp/requirements/requirements-dev.txt

FROM python:3.11-slim-bookworm
# dumb-init hands signals on; curl is what the health checks ask with.
RUN apt-get update && apt-get install --yes --no-install-recommends curl dumb-init \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 50000 --gid 0 --home-dir /home/airflow --create-home airflow \
    && install --directory --owner airflow --group 0 /opt/airflow /opt/airflow/logs /opt/airflow/state
COPY --from=packages /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH AIRFLOW_HOME=/opt/airflow PYTHONPATH=/opt/airflow
WORKDIR /opt/airflow
USER airflow
COPY --chown=airflow:0 plugins plugins
COPY --chown=airflow:0 include include
COPY --chown=airflow:0 dags dags
COPY --chown=airflow:0 Dockerfile requirements.txt airflow_settings.yaml docker-compose.override.yml ./
ENTRYPOINT ["dumb-init", "--"]
