"""Requirements, locks and tools agree with each other."""

from __future__ import annotations

import re
import runpy
import tomllib
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


def test_the_lock_is_made_of_all_requirements():
    assert "requirements-dev.txt requirements-dev.in pyproject.toml\n" in read(".ci/lock")


# ---- pyproject.toml is the one source (7.9) ------------------------------------------------------

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
WRITER = runpy.run_path(str(ROOT / ".ci/requirements.py"))


def test_requirements_txt_is_made_of_the_dependencies_of_pyproject_toml():
    assert read("requirements.txt") == WRITER["requirements"](read("pyproject.toml")), (
        "change the dependencies in pyproject.toml, and run `make lock`"
    )


def test_every_dependency_is_in_the_lock_with_its_version():
    dependencies = [Requirement(each) for each in PROJECT["project"]["dependencies"]]
    lock = pins("requirements-dev.txt")
    names = {re.sub(r"[-_.]+", "-", each.name).lower(): each for each in dependencies}
    assert {name: lock.get(name) for name in names} == {
        name: str(each.specifier) for name, each in names.items()
    }, "run `make lock`"


def test_the_next_version_of_the_astro_cli_takes_the_project():
    """It asks for [tool.astro], refuses keys that it does not know, and one Airflow must be pinned.

    The Dockerfile must be named: without the key the CLI makes an image of its own.
    """
    assert PROJECT["tool"]["astro"] == {"dockerfile": "Dockerfile"}
    pinned = [each for each in PROJECT["project"]["dependencies"] if "airflow==" in each]
    assert len(pinned) == 1
    assert re.fullmatch(rf"apache-airflow=={re.escape(image()[0])}\.\d+", pinned[0])


@pytest.mark.parametrize(
    "line",
    ['    "boto3==1.0",', '    "boto3==1.0", "numpy==2.0",  # S3', "    # a comment alone"],
)
def test_a_dependency_without_a_line_and_a_purpose_of_its_own_is_refused(line):
    text = f'[project]\ndependencies = [\n    "numpy==1.0",  # tables\n{line}\n]\n'
    with pytest.raises(SystemExit, match="each dependency needs a line"):
        WRITER["requirements"](text)


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
    assert f"--universal --python-version {oldest} " in read(".ci/lock")


def test_system_packages_are_names_and_none_is_there_twice():
    """packages.txt has one name of apt in each line."""
    lines = read("packages.txt").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9][a-z0-9.+-]*(=\S+)?", line)] == []
    assert len(set(lines)) == len(lines)
