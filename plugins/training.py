"""The operator that trains a model in a container, and what it left in the bucket."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from airflow.providers.docker.exceptions import DockerContainerFailedException
from airflow.providers.docker.operators.docker import DockerOperator
from airflow.sdk.exceptions import AirflowException
from docker import APIClient
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from requests.exceptions import RequestException

from include.airflow_bridge import airflow_errors, store_of, verdict
from include.landfall.connections import Store
from include.landfall.errors import ConnectionUnusable, DataError, ObjectMissing

if TYPE_CHECKING:
    from airflow.sdk import Context

IMAGE = "landfall/training:local"
BUILD = "make training-image"
RESULTS = {"model": "model.joblib", "metrics": "metrics.json", "plot": "plot.png"}
# How the program in the image ends, as the engine's command line does, where no retry can help.
TERMINAL = {
    2: "it was started wrongly",
    3: "the store refused its key",
    4: "its table, or the bucket, is not there",
    5: "its table is wrong",
}
KILLED = 137


class TrainingOperator(DockerOperator):  # type: ignore[misc]
    """Runs the training image on a table in the bucket; the results are in the bucket too.

    The container reaches the store of the Airflow connection `store_conn_id` by MINIO_ENDPOINT,
    MINIO_ACCESS_KEY_ID, MINIO_SECRET_ACCESS_KEY and MINIO_BUCKET_NAME, which are looked up when
    the task runs: they are in no template, log or XCom. The worker's environment may name the
    network (LANDFALL_DOCKER_NETWORK, else `host`) and the image (LANDFALL_TRAINING_IMAGE). What a
    killed worker left running for the same task is removed first. Raises AirflowFailException
    where no retry can help: no Docker, no image, a wrong table.
    """

    def __init__(
        self,
        *,
        store_conn_id: str = "landing",
        bucket: str = "landing",
        image: str = IMAGE,
        mem_limit: str = "1g",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            image=image,
            mem_limit=mem_limit,
            mount_tmp_dir=False,  # a folder of the worker is none of the daemon's
            auto_remove="force",
            # It would be the last line of the log, whichever that is: results are in the bucket.
            do_xcom_push=False,
            **kwargs,
        )
        self.store_conn_id = store_conn_id
        self.bucket = bucket

    def execute(self, context: Context) -> None:
        """Runs the container to its end, its log in the task's."""
        self.image: str = os.environ.get("LANDFALL_TRAINING_IMAGE") or self.image
        self.network_mode = os.environ.get("LANDFALL_DOCKER_NETWORK") or "host"
        self.labels = labels_of(context)
        self.container_name = container_name(self.labels)
        with airflow_errors():
            self._private_environment = key_of(store_of(self.store_conn_id), self.bucket)
        self._must_answer()
        try:
            with self._docker_errors():
                self._must_have_image()
                self._remove_leftovers()
                super().execute(context)
        finally:
            self.cli.close()

    def _must_answer(self) -> None:
        """Asked first, because the provider's own message leaves out what the daemon said."""
        client = None
        try:
            client = APIClient(base_url=self.docker_url, timeout=10)
            client.ping()
        except (DockerException, RequestException) as error:
            raise verdict(
                "Docker cannot be used, and this task runs a container\n"
                f"  found: {self.docker_url}: {error}\n"
                "  expected: a Docker daemon whose socket this process may open\n"
                "  what to do: start Docker; for a worker in a container, mount the socket and give"
                " it the socket's group (include/training/README.md)",
                retryable=False,
            ) from None
        finally:
            if client is not None:
                client.close()

    def _must_have_image(self) -> None:
        """An image of this machine's own is never looked for in a public registry."""
        if self.image.endswith(":local") and not self.cli.images(name=self.image):
            raise self._no_image("it is not among this machine's images")

    def _no_image(self, found: str) -> AirflowException:
        return verdict(
            f"there is no image {self.image}\n"
            f"  found: {found}\n"
            f"  what to do: {BUILD}, or name another in LANDFALL_TRAINING_IMAGE",
            retryable=False,
        )

    def _remove_leftovers(self) -> None:
        """A killed worker leaves its container running: two would write the same results."""
        filters = {"label": [f"{name}={value}" for name, value in self.labels.items()]}
        for container in self.cli.containers(all=True, filters=filters):
            self.log.info("removing the container %s of an earlier try", container["Id"][:12])
            with suppress(NotFound):
                self.cli.remove_container(container["Id"], force=True)

    @contextmanager
    def _docker_errors(self) -> Iterator[None]:
        """One message for whatever ends the container, by whether a retry can help."""
        try:
            yield
        except DockerContainerFailedException as error:
            raise failure(self.image, str(error), str(self.mem_limit)) from None
        except ImageNotFound as error:
            raise self._no_image(str(error.explanation)) from None
        except APIError as error:
            raise verdict(
                f"Docker refuses the container\n  found: {error.explanation or error}\n"
                f"  with: image {self.image}, network {self.network_mode}",
                # Its own fault may pass; what it refuses it will refuse again.
                retryable=not error.is_client_error() or error.status_code == 409,
            ) from None
        except (DockerException, RequestException) as error:
            raise verdict(f"Docker went away: {error}", retryable=True) from None


def failure(image: str, said: str, mem_limit: str) -> AirflowException:
    """What a container's bad end is to Airflow; `said` is the provider's message about it."""
    found = re.search(r"'StatusCode': (\d+)", said)
    code = int(found[1]) if found else None
    why = TERMINAL.get(code or 0)
    if code == KILLED:
        why = f"it was killed: by somebody, or for more memory than {mem_limit}"
    words = why or "its last words are above in this log"
    return verdict(
        f"the container of {image} ended with exit code {code}: {words}",
        retryable=code not in TERMINAL,
    )


def labels_of(context: Mapping[str, Any]) -> dict[str, str]:
    """What a container is found by: the same for each try of a task instance."""
    ti = context["ti"]
    return {
        "landfall.dag": ti.dag_id,
        "landfall.run": ti.run_id,
        "landfall.task": ti.task_id,
        "landfall.map": str(ti.map_index),
    }


def container_name(labels: Mapping[str, str]) -> str:
    """A name that Docker takes, one for each task instance: the second of two is refused."""
    return safe_name("-".join(("landfall", *labels.values())))


def safe_name(text: str) -> str:
    """Letters, digits and .-_ only, for keys and names; different texts stay different."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", text)
    if safe == text and len(text) <= 120:
        return text
    return f"{safe[:110]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def key_of(store: Store, bucket: str) -> dict[str, str]:
    """The store as the container's environment has it. Raises ConnectionUnusable without a key."""
    if not (store.access_key and store.secret_key):
        raise ConnectionUnusable(
            "the connection has no key of its own to give to a container",
            expected="a login (the access key) and a password (the secret key)",
        )
    found = {
        "MINIO_ENDPOINT": store.endpoint_url or f"https://s3.{store.region}.amazonaws.com",
        "MINIO_ACCESS_KEY_ID": store.access_key,
        "MINIO_SECRET_ACCESS_KEY": store.secret_key,
        "MINIO_BUCKET_NAME": bucket,
        "MINIO_REGION": store.region,
        "MINIO_SESSION_TOKEN": store.session_token,
    }
    return {name: value for name, value in found.items() if value}


def results(
    prefix: str, etag: str, *, bucket: str = "landing", store_conn_id: str = "landing"
) -> dict[str, Any]:
    """Where model, metrics and plot are, and the metrics' main figures: what XCom may hold.

    Raises AirflowFailException unless all three are there and were made from the table `etag`.
    """
    with airflow_errors():
        return _results(store_of(store_conn_id), bucket, prefix, etag)


def _results(store: Store, bucket: str, prefix: str, etag: str) -> dict[str, Any]:
    # Imported here: every parse of a DAG file would pay for boto3.
    from include.landfall.s3.client import make_client
    from include.landfall.s3.errors import s3_errors
    from include.landfall.s3.listing import find_arrival

    client = make_client(store)
    found = {}
    for what, name in RESULTS.items():
        arrival = find_arrival(client, bucket, f"{prefix}/{name}")
        if not arrival.size:
            raise ObjectMissing("a result is empty").at(object=arrival.uri)
        found[what] = arrival.uri
    with s3_errors(bucket, f"{prefix}/{RESULTS['metrics']}"):
        body = client.get_object(Bucket=bucket, Key=f"{prefix}/{RESULTS['metrics']}")["Body"].read()
    metrics = json.loads(body)
    if metrics["input"]["etag"] != etag:
        raise DataError(
            "the metrics are of another table", found=metrics["input"]["etag"], expected=etag
        ).at(object=found["metrics"])
    return {**found, "rows": metrics["input"]["rows"], "rmse": metrics["model"]["rmse"],
            "rmse_of_the_mean": metrics["always_the_mean"]["rmse"]}  # fmt: skip
