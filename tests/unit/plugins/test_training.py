"""The training operator's messages and what it gives to its container, without Docker."""

from __future__ import annotations

import gc
import json
import warnings
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from include.landfall.connections import Store
from include.landfall.errors import ConnectionUnusable
from plugins.training.container import container_name, environment_of, labels_of, safe_name
from plugins.training.operator import TrainingOperator, failure

STORE = Store("http://object-store:9000", "who", "a-secret-that-nobody-may-read")
LANDING = {"conn_type": "aws", "login": "who", "password": STORE.secret_key}
TI = SimpleNamespace(
    dag_id="d", run_id="manual__2026-01-01T00:00:00+00:00", task_id="t", map_index=2
)


@pytest.fixture
def operator(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_LANDING", json.dumps(LANDING))
    return TrainingOperator(task_id="train", command=["--input", "a", "--output", "b"])


def test_the_container_gets_the_four_names_of_the_store_and_nothing_empty():
    assert environment_of(STORE, "landing") == {
        "MINIO_ENDPOINT": "http://object-store:9000",
        "MINIO_ACCESS_KEY_ID": "who",
        "MINIO_SECRET_ACCESS_KEY": STORE.secret_key,
        "MINIO_BUCKET_NAME": "landing",
        "MINIO_REGION": "us-east-1",
    }


def test_amazon_s_own_store_has_an_address_too():
    aws = Store(None, "who", "secret", "token", "eu-west-1")
    environment = environment_of(aws, "landing")
    assert environment["MINIO_ENDPOINT"] == "https://s3.eu-west-1.amazonaws.com"
    assert environment["MINIO_SESSION_TOKEN"] == "token"


@pytest.mark.parametrize("store", [Store("http://s", None, None), Store("http://s", "who", None)])
def test_a_connection_without_a_key_has_none_to_give(store):
    with pytest.raises(ConnectionUnusable, match="no key of its own"):
        environment_of(store, "landing")


@pytest.mark.parametrize(
    ("code", "terminal", "reason"),
    [
        (2, True, "started wrongly"), (3, True, "refused its key"), (4, True, "not there"),
        (5, True, "its table is wrong"), (75, False, "above in this log"),
        (1, False, "above in this log"), (137, False, "more memory than 1g"),
    ],
)  # fmt: skip
def test_only_what_a_retry_can_help_is_tried_again(code, terminal, reason):
    """The exit codes are those that include/training documents."""
    message = f"Docker container failed: {{'Error': None, 'StatusCode': {code}}}"
    error = failure("image:local", message, "1g")
    assert isinstance(error, AirflowFailException) is terminal
    assert f"exit code {code}: " in str(error)
    assert reason in str(error)


def test_an_end_that_nobody_knows_is_tried_again():
    assert type(failure("image:local", "no code in it", "1g")) is AirflowException


def test_without_docker_the_task_fails_at_once_with_one_message(operator, monkeypatch, tmp_path):
    operator.docker_url = f"unix://{tmp_path}/none.sock"
    with pytest.raises(AirflowFailException) as failed:
        operator.execute({"ti": TI})
    message = str(failed.value)
    assert message.startswith("Docker cannot be used, and this task runs a container\n")
    assert f"{tmp_path}/none.sock" in message
    assert "what to do: start Docker" in message
    assert failed.value.__suppress_context__  # no traceback of Docker's client above it
    assert STORE.secret_key not in message
    # The client leaves its socket open when nobody answers, and the operator cannot close it.
    del failed
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def test_without_the_connection_the_task_fails_before_it_asks_docker(operator, monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_LANDING")
    operator.store_conn_id = "landing_that_nobody_defined"
    with pytest.raises(AirflowFailException, match="no connection 'landing_that_nobody_defined'"):
        operator.execute({"ti": TI})


def test_nothing_of_the_key_is_in_what_airflow_shows_of_the_task(operator):
    shown = {name: getattr(operator, name) for name in operator.template_fields}
    assert not shown["environment"]
    assert "secret" not in str(shown).lower()


def test_a_task_instance_has_one_name_for_all_its_tries():
    name = container_name(labels_of({"ti": TI}))
    assert name == container_name(labels_of({"ti": TI}))
    assert name != container_name(labels_of({"ti": SimpleNamespace(**vars(TI) | {"map_index": 3})}))
    assert safe_name(name) == name


@pytest.mark.parametrize("text", ["manual__2026-01-01T00:00:00+00:00", "a b", "a/b", "é" * 300])
def test_a_name_is_safe_and_its_own(text):
    assert safe_name(text).isascii()
    assert not set(safe_name(text)) & set("/:+ ")
    assert len(safe_name(text)) < 128
    assert safe_name(text) != safe_name(text + "!")


def test_a_safe_text_is_its_own_name():
    assert safe_name("2026-01") == "2026-01"
    assert safe_name("a b") != safe_name("a-b")
