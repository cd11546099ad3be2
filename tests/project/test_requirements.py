"""Requirements, locks and tools agree with each other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]
# These are compared with the project's lock too: the tests run the training program with that.
TRAINING = "include/training/requirements"
DIRECT = [
    "requirements.txt",
    "requirements-dev.in",
    f"{TRAINING}.in",
    f"{TRAINING}.txt",
    ".ci/uv.txt",
]
LOCKED = ["requirements-dev.txt", f"{TRAINING}.txt", ".ci/uv.txt"]


def entries(name: str) -> list[str]:
    """Reads the requirements of a file: joins continued lines, drops comments and options."""
    text = (ROOT / name).read_text().replace("\\\n", " ")
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("-")]


def pins(name: str) -> dict[str, str]:
    """Reads the packages and versions of a file that pins every line."""
    requirements = [Requirement(re.sub(r"\s--hash=\S+", "", entry)) for entry in entries(name)]
    return {re.sub(r"[-_.]+", "-", each.name).lower(): str(each.specifier) for each in requirements}


@pytest.mark.parametrize("name", DIRECT + LOCKED)
def test_every_requirement_is_pinned(name):
    loose = [
        f"{package}{version}"
        for package, version in pins(name).items()
        if not re.fullmatch(r"==[\w.]+", version)
    ]
    assert pins(name)
    assert not loose


@pytest.mark.parametrize("name", DIRECT)
def test_the_lock_has_the_required_versions(name):
    lock = pins("requirements-dev.txt")
    different = {
        package: (version, lock.get(package))
        for package, version in pins(name).items()
        if lock.get(package) != version
    }
    assert not different, "run `make lock`"


def test_the_lock_covers_all_requirements():
    assert "-r requirements.txt" in (ROOT / "requirements-dev.in").read_text().splitlines()


def test_the_training_image_s_lock_has_the_required_versions():
    required, locked = pins(f"{TRAINING}.in"), pins(f"{TRAINING}.txt")
    assert required.items() <= locked.items(), "run `make lock`"


@pytest.mark.parametrize("name", LOCKED)
def test_every_locked_package_has_its_hashes(name):
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in entries(name))


@pytest.mark.parametrize("name", DIRECT + LOCKED)
def test_no_requirement_names_a_url(name):
    """A URL would make every machine use the registry of the author."""
    assert "://" not in (ROOT / name).read_text()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.in", f"{TRAINING}.in"])
def test_every_direct_requirement_has_a_comment_on_its_purpose(name):
    lines = [line for line in (ROOT / name).read_text().splitlines() if "==" in line]
    assert all("  # " in line for line in lines)


def image() -> tuple[str, str]:
    """Reads the minor versions of Airflow and Python from the tag of the image."""
    tag = re.search(r"^FROM \S+:(\d+\.\d+)-\d+-python-(\d+\.\d+)$", read("Dockerfile"), re.M)
    assert tag
    return tag[1], tag[2]


def read(name: str) -> str:
    """Reads a file of the project."""
    return (ROOT / name).read_text()


def test_the_image_has_the_airflow_of_the_lock():
    """Runtime has the number of its Airflow. requirements.txt must not install another one."""
    airflow, _ = image()
    assert pins("requirements-dev.txt")["apache-airflow"].startswith(f"=={airflow}.")
    assert "apache-airflow" not in pins("requirements.txt")


def test_the_lock_fits_the_python_of_the_image():
    _, python = image()
    oldest, first_unsupported = re.search(
        r'requires-python = ">=(\S+),<([^"]+)"', read("pyproject.toml")
    ).groups()
    assert Version(oldest) <= Version(python) < Version(first_unsupported)
    assert f"--universal --python-version {oldest} " in read("Makefile")


def test_system_packages_are_names_and_none_is_there_twice():
    """packages.txt has one name of apt in each line."""
    lines = read("packages.txt").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9][a-z0-9.+-]*(=\S+)?", line)] == []
    assert len(set(lines)) == len(lines)
