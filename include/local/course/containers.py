"""The walk of the container lesson, and whether this machine can run it."""

from __future__ import annotations

import gc
import subprocess
import warnings
from contextlib import closing

from include.local.course.classroom import Classroom, Seen, expect
from include.local.demo.seed import BUCKET
from include.local.state import PROJECT

DAG_ID, PREFIX = "lesson_18_docker_operator", "lessons/docker_operator/"
RESULTS = ["metrics.json", "model.joblib", "plot.png"]


def needs_docker() -> str | None:
    """Returns what a lesson that needs Docker asks the reader to do; None where Docker runs."""
    import docker
    from docker.errors import DockerException

    # The client leaves its socket open when nobody answers.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            with closing(docker.from_env(timeout=5)) as client:
                client.ping()
        except DockerException:
            return "start Docker (docker.com/get-started), then: make lessons L=docker_operator"
        finally:
            gc.collect()
    return None


def docker_operator(room: Classroom) -> Seen:
    """Checks that a container trains on the table, and that a second run adds no results.

    Both runs have the same three results.
    """
    _build()
    _clean(room)
    run = room.run(DAG_ID)
    metrics = room.xcom(run, "look")
    log = room.log(run, "train")
    expect("written to s3://" in log, f"expected the container's output in the log, seen: {log}")
    expect(
        metrics["rmse"] < metrics["rmse_of_the_mean"] / 2,
        f"expected less than half the error of the mean, seen: {metrics}",
    )
    secret = room.services.object_store.store.secret_key
    expect(not secret or secret not in log + str(metrics), "expected no secret in log or XCom")
    room.run(DAG_ID)
    listed = room.client.list_objects_v2(Bucket=BUCKET, Prefix=PREFIX)["Contents"]
    names = sorted(entry["Key"].removeprefix(PREFIX) for entry in listed)
    expect(names == ["flights.csv", *RESULTS], f"expected one of each result, seen: {names}")
    left = _containers()
    expect(not left, f"expected no container to be left, seen: {left}")
    return Seen(
        f"model, metrics and plot in the bucket, off by {metrics['rmse']:.1f} minutes;"
        f" the mean alone: {metrics['rmse_of_the_mean']:.1f}",
        {"metrics": metrics, "names": names, "log": log, "left": left},
    )


def _build() -> None:
    result = _run("make", "training-image")
    end = "\n".join((result.stdout + result.stderr).splitlines()[-5:])
    expect(result.returncode == 0, f"`make training-image` ended with {result.returncode}: {end}")


def _containers() -> list[str]:
    return _run("docker", "ps", "-aq", "--filter", f"label=landfall.dag={DAG_ID}").stdout.split()


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT)


def _clean(room: Classroom) -> None:
    client = room.client
    for entry in client.list_objects_v2(Bucket=BUCKET, Prefix=PREFIX).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=entry["Key"])
