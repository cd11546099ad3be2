"""The model, trained in its own image by a real Docker, from the mart to the bucket."""

from __future__ import annotations

import gc
import io
import json
import shutil
import subprocess
import tarfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from docker import APIClient
from PIL import Image

from include.local.airflow.dag_client import dag_runner
from include.local.services.environ import connections as connection_variables
from include.local.state import PROJECT
from plugins.training.container import labels_of
from plugins.training.operator import TrainingOperator
from plugins.training.results import results
from tests.support.servers import fresh_bucket

pytestmark = [
    pytest.mark.timeout(600),
    # The Docker client leaves the sockets of its streams to the garbage collector, which takes some
    # of them at once. The fixture `sockets_collected` has it take the others.
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <socket.socket .*docker.sock"
        ":pytest.PytestUnraisableExceptionWarning"
    ),
]

IMAGE = "landfall/training:local"
RESULTS = ["metrics.json", "model.joblib", "plot.png"]
MART = """
    CREATE SCHEMA marts;
    CREATE TABLE marts.flight_delays AS
    SELECT date '2026-01-01' + n / 100 AS flight_date,
        (ARRAY['AA', 'UA'])[n % 2 + 1] AS carrier, n AS flight, 'JFK' AS origin, 'LAX' AS dest,
        2475 AS distance, (360 + n * 37 % 960)::smallint AS departure_minute,
        (n / 100 % 7 + 1)::smallint AS weekday, 50.0::float8 AS temp, 60.0::float8 AS humid,
        10.0::float8 AS wind_speed, 0.0::float8 AS precip, 1000.0::float8 AS pressure,
        10.0::float8 AS visib,
        CASE WHEN n % 50 > 0 THEN (n % 2 * 30 + n * 7 % 10)::smallint END AS arr_delay
    FROM generate_series(0, 1999) AS n
"""
CSV = "flight_date,carrier,arr_delay\n" + "".join(
    f"2026-01-{row // 100 + 1:02},{'AAUA'[row % 2 * 2 :][:2]},{row % 2 * 30}\n"
    for row in range(1000)
)


@pytest.fixture(scope="module")
def docker() -> Iterator[APIClient]:
    client = APIClient()
    yield client
    client.close()


@pytest.fixture(scope="module")
def image() -> str:
    """The image, built as a user builds it."""
    done = subprocess.run(
        ["make", "training-image"], capture_output=True, text=True, cwd=PROJECT, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return IMAGE


@pytest.fixture(autouse=True)
def worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a worker on this machine, which names neither a network nor an image."""
    for name in ("LANDFALL_DOCKER_NETWORK", "LANDFALL_TRAINING_IMAGE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def sockets_collected() -> Iterator[None]:
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def body(client: Any, bucket: str, key: str) -> bytes:
    return client.get_object(Bucket=bucket, Key=key)["Body"].read()


def keys(client: Any, bucket: str, prefix: str = "") -> list[str]:
    entries = client.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return sorted(entry["Key"] for entry in entries)


# ---- the whole DAG -------------------------------------------------------------------------------


@pytest.fixture
def mart(warehouse, client) -> Iterator[None]:
    with psycopg.connect(warehouse.conninfo(), autocommit=True) as connection:
        connection.execute(MART)
    with fresh_bucket(client, "landing"):
        yield


def test_the_mart_becomes_a_model_its_metrics_and_a_plot_and_no_secret_is_anywhere(
    airflow_home, image, mart, client, docker, object_store, warehouse, tmp_path
):
    shutil.copy(PROJECT / "dags" / "delay_model.py", tmp_path)
    log = tmp_path / "airflow.log"
    environ = airflow_home.environ | connection_variables(warehouse, object_store)
    with dag_runner(environ | {"AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path)}, log) as runner:
        runner.wait_ready()
        result = runner.run("delay_model", lambda: None)
    log_text = log.read_text()
    assert result.good, log_text[-6000:]
    results = keys(client, "landing")
    (folder,) = {key.rpartition("/")[0] for key in results}
    assert folder.startswith("models/arrival_delay/manual__")
    assert results == [f"{folder}/{name}" for name in ("features.parquet", *RESULTS)]
    metrics = json.loads(body(client, "landing", f"{folder}/metrics.json"))
    assert metrics["input"]["rows"] == 1960  # the flights that arrived
    assert metrics["model"]["rmse"] < 0.5 * metrics["always_the_mean"]["rmse"]
    plot = Image.open(io.BytesIO(body(client, "landing", f"{folder}/plot.png")))
    assert plot.format == "PNG"
    assert "written to s3://landing/models" in log_text  # the task's log has the container's
    # The database holds XComs, rendered fields and the serialised DAG.
    database = b"".join(path.read_bytes() for path in airflow_home.path.glob("airflow.db*"))
    assert f"{folder}/model.joblib".encode() in database
    assert b"delay_model" in database
    for secret in (object_store.secret_key, warehouse.password):
        assert secret
        assert secret not in log_text
        assert secret.encode() not in database
    # Only in this network: the tests of the Celery stack run the same DAG in another one.
    own = {"label": ["landfall.dag=delay_model"], "network": ["host"]}
    assert docker.containers(all=True, filters=own) == []


# ---- the operator --------------------------------------------------------------------------------


@pytest.fixture
def context() -> dict[str, Any]:
    """A task instance that no other test has."""
    run_id = f"training-test {uuid.uuid4().hex}+00:00"
    ti = SimpleNamespace(dag_id="training-test", run_id=run_id, task_id="train", map_index=-1)
    return {"ti": ti}


@pytest.fixture
def train(image, bucket, connections, client, context) -> Callable[..., TrainingOperator]:
    """Runs the operator on a small table in the bucket."""
    client.put_object(Bucket=bucket, Key="in.csv", Body=CSV.encode())

    def train(**changes: Any) -> TrainingOperator:
        arguments = {"bucket": bucket, "command": ["--input", "in.csv", "--output", "out"]}
        operator = TrainingOperator(task_id="train", **arguments | changes)
        operator.execute(context)
        return operator

    return train


def test_a_second_try_replaces_the_results_of_the_first(train, client, bucket, docker, context):
    train()
    first = body(client, bucket, "out/metrics.json")
    client.put_object(Bucket=bucket, Key="in.csv", Body=CSV.replace(",30", ",50").encode())
    train()
    assert keys(client, bucket, "out/") == [f"out/{name}" for name in RESULTS]
    assert body(client, bucket, "out/metrics.json") != first
    etag = client.head_object(Bucket=bucket, Key="in.csv")["ETag"].strip('"')
    assert results("out", etag, bucket=bucket)["model"] == f"s3://{bucket}/out/model.joblib"
    with pytest.raises(AirflowFailException, match="of another table"):
        results("out", "of yesterday", bucket=bucket)
    assert containers_of(docker, context) == []


def containers_of(docker: APIClient, context: dict[str, Any]) -> list[Any]:
    label = f"landfall.run={context['ti'].run_id}"
    return docker.containers(all=True, filters={"label": [label]})


def test_the_container_that_a_killed_worker_left_is_removed_and_no_other(
    train, docker, context, image
):
    own, other = (
        docker.create_container(image, entrypoint=["sleep", "600"], labels=labels)["Id"]
        for labels in (labels_of(context), labels_of(context) | {"landfall.task": "another"})
    )
    docker.start(own)
    try:
        train()
        assert [each["Id"] for each in containers_of(docker, context)] == [other]
    finally:
        docker.remove_container(other, force=True)


def test_a_program_that_raises_fails_the_task_with_its_traceback_in_the_log(
    train, capfd, docker, context
):
    raises = ["python", "-c", "raise ValueError('seen in the log')"]
    with pytest.raises(AirflowException, match="exit code 1") as failed:
        train(entrypoint=raises, command=None)
    assert not isinstance(failed.value, AirflowFailException)  # a retry may succeed
    output = capfd.readouterr().out
    assert "Traceback (most recent call last)" in output
    assert "ValueError: seen in the log" in output
    assert containers_of(docker, context) == []


def test_a_wrong_table_fails_at_once_and_the_log_says_why(train, client, bucket, capfd):
    client.put_object(Bucket=bucket, Key="in.csv", Body=b"a,b\n1,2\n")
    with pytest.raises(AirflowFailException, match="exit code 5: its table is wrong"):
        train()
    assert "the table has no column arr_delay and no column flight_date" in capfd.readouterr().out


def test_too_little_memory_is_the_error_of_the_task(train):
    with pytest.raises(AirflowException, match="more memory than 32m"):
        train(mem_limit="32m")


def test_a_refused_key_fails_at_once_and_is_not_in_the_log(
    train, monkeypatch, warehouse, object_store, capfd
):
    wrong = replace(object_store, secret_key="the-wrong-secret-of-a-test")
    monkeypatch.setenv(
        "AIRFLOW_CONN_LANDING", connection_variables(warehouse, wrong)["AIRFLOW_CONN_LANDING"]
    )
    with pytest.raises(AirflowFailException, match="exit code 3: the store refused its key"):
        train()
    output = "".join(capfd.readouterr())
    assert "the store refuses the key for s3://" in output
    assert "the-wrong-secret-of-a-test" not in output


def test_an_unknown_network_fails_at_once(train, monkeypatch, docker, context):
    monkeypatch.setenv("LANDFALL_DOCKER_NETWORK", "training-no-such-network")
    with pytest.raises(AirflowFailException, match="training-no-such-network") as failed:
        train()
    assert "Docker refuses the container" in str(failed.value)
    assert containers_of(docker, context) == []


def test_an_image_that_was_not_built_fails_at_once_and_says_how_to(train, monkeypatch):
    monkeypatch.setenv("LANDFALL_TRAINING_IMAGE", "landfall/training-not-built:local")
    with pytest.raises(AirflowFailException, match="make training-image") as failed:
        train()
    assert "there is no image landfall/training-not-built:local" in str(failed.value)


# ---- the image -----------------------------------------------------------------------------------


def test_the_image_runs_as_a_plain_user_who_cannot_change_it(image, docker):
    program = "import os, training.train as t; print(os.getuid(), os.access(t.__file__, os.W_OK))"
    done = subprocess.run(
        ["docker", "run", "--rm", "--network", "none", "--entrypoint", "python", image, "-c",
         program], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["10018", "False"], done.stderr


def test_the_image_holds_no_secret_and_no_file_but_the_program_s(image, docker, object_store):
    config = docker.inspect_image(image)["Config"]
    history = json.dumps([config, docker.history(image)])
    assert "MINIO" not in history
    assert object_store.secret_key not in history
    programs, secrets = set(), []
    for name, content in files_of(docker, image):
        if name.startswith("opt/training/") and content is not None:
            programs.add(name.removeprefix("opt/training/"))
        if content and object_store.secret_key.encode() in content:
            secrets.append(name)
    assert programs == {path.name for path in (PROJECT / "include" / "training").glob("*.py")}
    assert secrets == []


def files_of(docker: APIClient, image: str) -> Iterator[tuple[str, bytes | None]]:
    """Yields each file of each layer, as `docker save` gives them: its name and content."""
    saved = io.BytesIO(b"".join(docker.get_image(image)))
    with tarfile.open(fileobj=saved) as layers:
        for layer in layers:
            file = layers.extractfile(layer) if layer.name.endswith("layer.tar") else None
            if file is None:
                continue
            with tarfile.open(fileobj=file) as tree:
                for entry in tree:
                    content = tree.extractfile(entry) if entry.isfile() else None
                    yield entry.name, content.read() if content else None
