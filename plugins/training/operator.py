"""The operator that trains a model in a container, and its verdict on how the container ended."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from airflow.providers.docker.exceptions import DockerContainerFailedException
from airflow.providers.docker.operators.docker import DockerOperator
from airflow.sdk.exceptions import AirflowException
from docker import APIClient
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from requests.exceptions import RequestException

from include.airflow_bridge.connections import store_of
from include.airflow_bridge.errors import airflow_errors, verdict
from plugins.training.container import container_name, environment_of, labels_of

if TYPE_CHECKING:
    from airflow.sdk import Context

IMAGE = "landfall/training:local"
BUILD = "make training-image"
# The exit codes of the program in the image with which no retry can help; the engine's command
# line has the same ones.
TERMINAL = {
    2: "it was started wrongly",
    3: "the store refused its key",
    4: "its table, or the bucket, is not there",
    5: "its table is wrong",
}
KILLED = 137


class TrainingOperator(DockerOperator):  # type: ignore[misc]
    """Runs the training image on a table in the bucket; the results are in the bucket too.

    The container gets the store of the Airflow connection `store_conn_id` as MINIO_ENDPOINT,
    MINIO_ACCESS_KEY_ID, MINIO_SECRET_ACCESS_KEY and MINIO_BUCKET_NAME. These are looked up when the
    task runs, and are in no template, log or XCom. The worker's environment may name the network
    (LANDFALL_DOCKER_NETWORK, else `host`) and the image (LANDFALL_TRAINING_IMAGE). A container that
    a killed worker left running for the same task is removed first.

    Raises: AirflowFailException where no retry can help: no Docker, no image, a wrong table.
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
            mount_tmp_dir=False,  # the daemon cannot see a folder of the worker
            auto_remove="force",
            # XCom would get the last line of the log, whichever that is: the results are in the
            # bucket.
            do_xcom_push=False,
            **kwargs,
        )
        self.store_conn_id = store_conn_id
        self.bucket = bucket

    def execute(self, context: Context) -> None:
        """Runs the container to its end, and writes its log into the task's."""
        self.image: str = os.environ.get("LANDFALL_TRAINING_IMAGE") or self.image
        self.network_mode = os.environ.get("LANDFALL_DOCKER_NETWORK") or "host"
        self.labels = labels_of(context)
        self.container_name = container_name(self.labels)
        with airflow_errors():
            self._private_environment = environment_of(store_of(self.store_conn_id), self.bucket)
        self._require_docker()
        try:
            with self._docker_errors():
                self._require_image()
                self._remove_leftovers()
                super().execute(context)
        finally:
            self.cli.close()

    def _require_docker(self) -> None:
        """Asks Docker first, because the provider's message leaves out what the daemon answered."""
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

    def _require_image(self) -> None:
        """Refuses a missing local image, which Docker would look for in a public registry."""
        if self.image.endswith(":local") and not self.cli.images(name=self.image):
            raise self._no_image("it is not among this machine's images")

    def _no_image(self, reason: str) -> AirflowException:
        return verdict(
            f"there is no image {self.image}\n"
            f"  found: {reason}\n"
            f"  what to do: {BUILD}, or name another in LANDFALL_TRAINING_IMAGE",
            retryable=False,
        )

    def _remove_leftovers(self) -> None:
        """Removes what a killed worker left running: two containers would write the same keys."""
        filters = {"label": [f"{name}={value}" for name, value in self.labels.items()]}
        for container in self.cli.containers(all=True, filters=filters):
            self.log.info("removing the container %s of an earlier try", container["Id"][:12])
            with suppress(NotFound):
                self.cli.remove_container(container["Id"], force=True)

    @contextmanager
    def _docker_errors(self) -> Iterator[None]:
        """Turns whatever ends the container into one message, by whether a retry can help."""
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
                # A fault of the server may pass; a refused request is refused again.
                retryable=not error.is_client_error() or error.status_code == 409,
            ) from None
        except (DockerException, RequestException) as error:
            raise verdict(f"Docker went away: {error}", retryable=True) from None


def failure(image: str, message: str, mem_limit: str) -> AirflowException:
    """Returns the verdict on a container that failed; `message` is the provider's about it."""
    match = re.search(r"'StatusCode': (\d+)", message)
    code = int(match[1]) if match else None
    reason = TERMINAL.get(code or 0) or "its last lines are above in this log"
    if code == KILLED:
        reason = f"it was killed: by somebody, or for more memory than {mem_limit}"
    return verdict(
        f"the container of {image} ended with exit code {code}: {reason}",
        retryable=code not in TERMINAL,
    )
