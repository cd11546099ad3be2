"""The gate of a pull request runs all checks, with no more rights than it needs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / ".github/workflows/pr.yml"
TEXT = WORKFLOW.read_text()
JOBS = yaml.safe_load(TEXT)["jobs"]
STEPS = [step for job in JOBS.values() for step in job["steps"]]


def test_every_action_is_pinned_by_commit_with_its_version_in_a_comment():
    uses = re.findall(r"uses: (.+)", TEXT)
    assert uses
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each) for each in uses)


def test_jobs_may_only_read():
    assert yaml.safe_load(TEXT)["permissions"] == {}
    assert all(job["permissions"] == {"contents": "read"} for job in JOBS.values())


def test_no_checkout_stores_the_token():
    checkouts = [step for step in STEPS if step.get("uses", "").startswith("actions/checkout@")]
    assert len(checkouts) == len(JOBS)
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_only_a_pull_request_cancels_its_earlier_run():
    """Of two commits on main the first would have no verdict."""
    rule = yaml.safe_load(TEXT)["concurrency"]["cancel-in-progress"]
    assert rule == "${{ github.event_name == 'pull_request' }}"


def test_every_job_has_a_timeout():
    assert all(job["timeout-minutes"] <= 30 for job in JOBS.values())


@pytest.mark.parametrize(
    "command",
    [
        "make lint",
        "make audit",
        "make test-unit",
        "make test-integration",
        "make test-e2e",
        "make docker",
        "make test-celery",
        "make test-containers",
        "astro dev parse",
        "astro dev pytest",
    ],
)
def test_the_gate_runs(command):
    assert command in [step.get("run") for step in STEPS]


def test_the_tests_run_on_both_pythons():
    assert JOBS["test"]["strategy"]["matrix"]["python"] == ["3.11", "3.12"]


def test_both_object_stores_and_both_sorts_of_servers_are_tested():
    assert JOBS["test"]["env"] == {"LANDFALL_TEST_SERVICES": "embedded"}
    (other,) = [step["env"] for step in JOBS["seaweedfs"]["steps"] if "env" in step]
    assert other == {"LANDFALL_TEST_SERVICES": "containers", "LANDFALL_TEST_STORE": "seaweedfs"}


def test_the_layers_together_are_the_whole_of_make_test():
    """The gate would miss a folder that only `make test` runs."""
    makefile = (ROOT / "Makefile").read_text()
    recipes = re.findall(r"^(test\S*): .*\n\t@\$\(RUN\) pytest (.+)$", makefile, re.MULTILINE)
    folders = {target: set(re.findall(r"tests/\S+", recipe)) for target, recipe in recipes}
    assert folders.keys() == {"test", "test-unit", "test-integration", "test-e2e"}
    assert folders.pop("test") == set.union(*folders.values())


def test_the_astro_job_does_no_more_than_a_user_of_the_cli():
    """A gate that changes the image first is green where `astro dev pytest` fails (7.1)."""
    commands = [step["run"] for step in JOBS["astro"]["steps"] if "run" in step]
    assert commands == ["astro dev parse", "astro dev pytest"]


def test_the_astro_job_ends_well_under_its_limit():
    """The whole suite took 35 minutes there. What runs without tools takes three."""
    assert JOBS["astro"]["timeout-minutes"] <= 15
