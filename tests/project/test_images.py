"""Every image has one pin, and a stand-in that any Docker can build."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.container_servers import PINS, STAND_IN, pinned_images

ROOT = Path(__file__).parents[2]
IMAGES = pinned_images()
FOLDER = PINS.parent
DOCKERFILES = sorted(FOLDER.glob("*/Dockerfile"))
BASE = "debian:bookworm-slim"  # the base image of the stand-ins


def named_in_compose() -> list[str]:
    """Lists the images of every compose file, without the prefix that Docker adds by itself."""
    files = [yaml.safe_load(file.read_text()) for file in ROOT.glob("docker-compose*.yml")]
    services = [service for file in files for service in file["services"].values()]
    return [
        each["image"].removeprefix("docker.io/library/") for each in services if "image" in each
    ]


def named_in_dockerfiles(files: list[Path]) -> set[str]:
    """Lists the base images, without stages of the same file."""
    text = "\n".join(file.read_text() for file in files)
    stages = set(re.findall(r"^FROM .+ AS (\S+)", text, re.MULTILINE))
    return set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) - stages


def test_compose_files_name_only_pinned_images():
    own = {image for image in named_in_compose() if image.startswith("landfall/")}
    assert set(named_in_compose()) - own <= set(IMAGES.values())


def test_dockerfiles_of_the_project_build_on_pinned_images():
    files = [*ROOT.glob("include/**/*Dockerfile"), *DOCKERFILES]
    assert named_in_dockerfiles(files) <= {*IMAGES.values(), BASE}


def test_every_pin_has_a_stand_in_and_every_stand_in_a_pin():
    assert sorted(IMAGES) == [file.parent.name for file in DOCKERFILES]


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.parent.name)
def test_a_stand_in_has_its_label_and_needs_no_newer_builder(file):
    text = file.read_text()
    assert f"LABEL {STAND_IN}=" in text
    assert "--mount" not in text
    assert not re.search(r"^#\s*syntax=", text, re.MULTILINE)


@pytest.mark.parametrize("file", [*FOLDER.rglob("*")], ids=lambda path: path.name)
def test_no_stand_in_names_a_source_of_packages(file):
    """Each machine has its own mirrors, which are in the settings of apt, pip and go."""
    if file.is_file():
        hosts = set(re.findall(r"https?://([\w.-]+)", file.read_text()))
        # Documentation for a reader, and the container itself.
        assert hosts <= {"docs.docker.com", "go.dev", "127.0.0.1"}


@pytest.fixture
def docker_up(tmp_path):
    """Runs tests/images/docker-up with a fake `docker`, which notes its arguments."""
    calls = tmp_path / "calls"

    def run(answers: str, **environ: str) -> subprocess.CompletedProcess:
        program = tmp_path / "bin/docker"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\necho "$@" >>{calls}\ncase "$*" in {answers} esac\n')
        program.chmod(0o755)
        return subprocess.run(
            [FOLDER / "docker-up"], capture_output=True, text=True, check=False,
            env={"PATH": f"{program.parent}:/usr/bin:/bin", "LANDFALL_LOCAL": str(tmp_path)}
            | environ,
        )  # fmt: skip

    run.calls = calls
    return run


def test_existing_images_are_not_pulled_or_built(docker_up):
    result = docker_up("*) exit 0;;")
    assert result.returncode == 0, result.stderr
    assert not re.search(r"^(pull|build|import)", docker_up.calls.read_text(), re.MULTILINE)


def test_images_are_pulled_where_a_registry_answers(docker_up):
    result = docker_up("'image inspect '*) exit 1;; *) exit 0;;")
    assert result.returncode == 0, result.stderr
    calls = docker_up.calls.read_text()
    assert {f"pull --quiet {image}" for image in IMAGES.values()} <= set(calls.splitlines())
    assert not re.search(r"^(build|import)", calls, re.MULTILINE)


def test_an_image_that_no_registry_has_is_built(docker_up):
    result = docker_up(
        "'image inspect '*) exit 1;; *pull*redis*) exit 1;; 'build '*) cat >/dev/null;; esac; "
        "case x in x) exit 0;;"
    )
    assert result.returncode == 0, result.stderr
    calls = docker_up.calls.read_text()
    assert re.findall(r"^build --tag (\S+)", calls, re.MULTILINE) == [IMAGES["redis"]]
    assert "import" not in calls


def test_an_error_says_what_to_do_where_docker_cannot_be_installed(docker_up):
    result = docker_up("*) exit 1;;", OS_RELEASE="/dev/null")
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "this is not Debian" in result.stderr
    assert "then run make docker again" in result.stderr


def test_docker_down_ends_only_an_engine_that_docker_up_has_started(tmp_path):
    """The process id in the file may now belong to another program, as it does here."""
    (tmp_path / "docker").mkdir()
    other = subprocess.Popen(["sleep", "60"])
    try:
        (tmp_path / "docker/dockerd.pid").write_text(f"{other.pid}\n")
        down = [FOLDER / "docker-down"]
        environ = {"PATH": "/usr/bin:/bin", "LANDFALL_LOCAL": str(tmp_path)}
        subprocess.run(down, env=environ, capture_output=True, check=True)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()
