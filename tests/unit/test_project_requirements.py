"""What is installed is what was resolved: requirements, lock and tools cannot drift apart."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
DIRECT = ["requirements.txt", "requirements-dev.in", ".ci/uv.txt"]
LOCKED = ["requirements-dev.txt", ".ci/uv.txt"]


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


@pytest.mark.parametrize("name", LOCKED)
def test_every_locked_package_has_its_hashes(name):
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in entries(name))


@pytest.mark.parametrize("name", DIRECT + LOCKED)
def test_no_requirement_names_an_address(name):
    """An address would tie every machine to the registry that the author has."""
    assert "://" not in (ROOT / name).read_text()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.in"])
def test_every_direct_requirement_says_what_it_is_for(name):
    lines = [line for line in (ROOT / name).read_text().splitlines() if "==" in line]
    assert all("  # " in line for line in lines)
