"""What is installed is what was resolved: requirements, lock and tools cannot drift apart."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]
# Held against the project's lock too: the tests run the training program with the latter.
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
    """The requirements of a file, continued lines joined, comments and options left out."""
    text = (ROOT / name).read_text().replace("\\\n", " ")
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("-")]


def pins(name: str) -> dict[str, str]:
    """Package -> version, of a file that pins every line."""
    found = [Requirement(re.sub(r"\s--hash=\S+", "", entry)) for entry in entries(name)]
    return {re.sub(r"[-_.]+", "-", each.name).lower(): str(each.specifier) for each in found}


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
def test_the_lock_has_exactly_what_is_asked_for(name):
    lock = pins("requirements-dev.txt")
    drifted = {
        package: (version, lock.get(package))
        for package, version in pins(name).items()
        if lock.get(package) != version
    }
    assert not drifted, "run `make lock`"


def test_the_lock_is_of_all_the_requirements():
    assert "-r requirements.txt" in (ROOT / "requirements-dev.in").read_text().splitlines()


def test_the_training_image_s_lock_has_what_it_asks_for():
    asked, locked = pins(f"{TRAINING}.in"), pins(f"{TRAINING}.txt")
    assert asked.items() <= locked.items(), "run `make lock`"


@pytest.mark.parametrize("name", LOCKED)
def test_every_locked_package_has_its_hashes(name):
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in entries(name))


@pytest.mark.parametrize("name", DIRECT + LOCKED)
def test_no_requirement_names_an_address(name):
    """An address would tie every machine to the registry that the author has."""
    assert "://" not in (ROOT / name).read_text()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.in", f"{TRAINING}.in"])
def test_every_direct_requirement_says_what_it_is_for(name):
    lines = [line for line in (ROOT / name).read_text().splitlines() if "==" in line]
    assert all("  # " in line for line in lines)


def image() -> tuple[str, str]:
    """Airflow's minor version and Python's, as the tag of the image names them."""
    tag = re.search(r"^FROM \S+:(\d+\.\d+)-\d+-python-(\d+\.\d+)$", read("Dockerfile"), re.M)
    assert tag
    return tag[1], tag[2]


def read(name: str) -> str:
    """The text of a file of the project."""
    return (ROOT / name).read_text()


def test_the_image_has_the_airflow_that_the_lock_has():
    """Runtime is numbered as the Airflow in it; requirements.txt must not bring another."""
    airflow, _ = image()
    assert pins("requirements-dev.txt")["apache-airflow"].startswith(f"=={airflow}.")
    assert "apache-airflow" not in pins("requirements.txt")


def test_the_image_has_a_python_that_the_lock_was_made_for():
    _, python = image()
    oldest, beyond = re.search(
        r'requires-python = ">=(\S+),<([^"]+)"', read("pyproject.toml")
    ).groups()
    assert Version(oldest) <= Version(python) < Version(beyond)
    assert f"--universal --python-version {oldest} " in read("Makefile")


def test_system_packages_are_names_and_each_is_asked_for_once():
    """One a line, as apt calls it: two in one line, or one twice, is a slip."""
    lines = read("packages.txt").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9][a-z0-9.+-]*(=\S+)?", line)] == []
    assert len(set(lines)) == len(lines)
