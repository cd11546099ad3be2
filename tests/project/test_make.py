"""The targets of make, their environment, and a gate that is never green by mistake."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TARGETS = """
demo test airflow lessons reports celery celery-down bench memory bench-celery lint chaos up down
env clean lock audit docker docker-down test-celery test-containers
""".split()
MAKEFILE = (ROOT / "Makefile").read_text()


def run(*command, cwd=ROOT, **environ):
    """Runs a command without the variables of make, since make may run these tests."""
    of_make = ("MAKE", "MFLAGS", "PYTHON")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(of_make)}
    return subprocess.run(
        command, cwd=cwd, env=inherited | environ, capture_output=True, text=True, check=False
    )


def test_make_alone_prints_a_line_for_every_target():
    printed = run("make").stdout
    listed = dict(re.findall(r"^  make ([a-z0-9-]+) +(\S.+)$", printed, re.MULTILINE))
    assert set(TARGETS) <= set(listed)
    assert printed.splitlines()[0] == "Run it"  # headings are lines without a margin
    assert sum(line.startswith(" ") for line in printed.splitlines()) == len(listed)


@pytest.mark.parametrize("target", TARGETS)
def test_the_recipe_of_a_target_is_one_line(target):
    recipe = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    assert recipe is not None
    assert len(recipe[1].splitlines()) == 1


@pytest.mark.parametrize("target", sorted(set(TARGETS) - {"clean", "docker", "docker-down"}))
def test_a_target_makes_its_environment_first(target):
    assert re.search(rf"^{target}: \.venv", MAKEFILE, re.MULTILINE)


@pytest.mark.parametrize("target", TARGETS)
def test_a_file_named_like_a_target_does_not_hide_it(target):
    assert target in re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)[1].split()


def test_python_may_write_bytecode_whatever_the_machine_s_settings(tmp_path):
    """Without bytecode Airflow's programs start in 4 s instead of 2."""
    (tmp_path / "Makefile").write_text(f"include {ROOT}/Makefile\nenvironment:; @env\n")
    result = run("make", "-f", tmp_path / "Makefile", "environment", PYTHONDONTWRITEBYTECODE="1")
    assert result.returncode == 0
    assert "PATH=" in result.stdout
    assert "PYTHONDONTWRITEBYTECODE" not in result.stdout


def fake_python(folder: Path, name: str, version: str) -> None:
    """Makes a Python that prints its version; without one, a version manager's shim that fails."""
    program = folder / name
    program.write_text(f"#!/bin/sh\necho {version}\n" if version else "#!/bin/sh\nexit 127\n")
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("installed", "chosen"),
    [
        ({"python3.12": "3.12", "python3.11": "3.11", "python3": "3.13"}, "python3.12"),
        ({"python3.12": "", "python3.11": "3.11"}, "python3.11"),
        ({"python3": "3.12"}, "python3"),
    ],
)
def test_the_newest_python_that_works_is_chosen(tmp_path, installed, chosen):
    for name, version in installed.items():
        fake_python(tmp_path, name, version)
    assert run("/bin/sh", ".ci/python", PATH=str(tmp_path)).stdout.strip() == str(tmp_path / chosen)


def test_an_unsuitable_python_is_refused_with_what_to_do(tmp_path):
    fake_python(tmp_path, "python3", "3.13")
    result = run("/bin/sh", ".ci/python", PATH=str(tmp_path))
    assert result.returncode == 1
    assert "python3 is 3.13" in result.stderr
    assert "make PYTHON=" in result.stderr


@pytest.fixture
def lint(tmp_path):
    """Runs the real .ci/lint with tools that find nothing, except the one that is named."""

    def run_lint(broken: str):
        tool = f'#!/bin/sh\ncase "$0 $*" in *{broken}*) echo what it is; exit 1 ;; esac\n'
        for folder in (".ci", ".venv/bin"):
            (tmp_path / folder).mkdir(parents=True)
        shutil.copy(ROOT / ".ci/lint", tmp_path / ".ci/lint")
        for name in ("python", "lint-imports", "check-jsonschema", "zizmor"):
            (tmp_path / ".venv/bin" / name).write_text(tool)
            (tmp_path / ".venv/bin" / name).chmod(0o755)
        return run(".ci/lint", cwd=tmp_path)

    return run_lint


@pytest.mark.parametrize(
    "broken", ["mypy", "ruff.format", "ruff.check", "pytest", "lint-imports", "compose-", "zizmor"]
)
def test_the_lint_shows_what_one_check_says_and_runs_the_others(lint, broken):
    result = lint(broken.replace(".", "?"))
    assert result.returncode == 1
    (failed,) = re.findall(r"^FAILED .*\n.*", result.stdout, re.MULTILINE)
    assert re.search(broken, failed)
    assert failed.endswith("\nwhat it is")
    assert len(re.findall(r"^ok  ", result.stdout, re.MULTILINE)) == 8


def test_the_lint_passes_when_every_check_does(lint):
    result = lint("no?tool")
    assert (result.returncode, result.stdout.count("ok  ")) == (0, 9)


@pytest.fixture
def gate(tmp_path):
    """Runs the real .ci/run in a project with these targets."""

    def make(**recipes: str):
        suites = dict.fromkeys(("test", "test-celery", "test-containers"), PASSED)
        targets = {"lint": "true", "docker": "true"} | suites
        targets |= {target.replace("_", "-"): recipe for target, recipe in recipes.items()}
        (tmp_path / ".ci").mkdir()
        shutil.copy(ROOT / ".ci/run", tmp_path / ".ci/run")
        shutil.copy(ROOT / ".ci/pgbouncer", tmp_path / ".ci/pgbouncer")
        text = "\n\n".join(f"{target}:\n\t@{recipe}" for target, recipe in targets.items())
        (tmp_path / "Makefile").write_text(f"{text}\n")
        return run(".ci/run", cwd=tmp_path)

    return make


PASSED = "echo '=== 3 passed in 1.00s ==='"


@pytest.mark.parametrize("suite", ["test", "test_celery", "test-containers"])
@pytest.mark.parametrize(
    ("recipe", "code", "last"),
    [
        (PASSED, 0, "=== 3 passed in 1.00s ==="),
        ("echo '=== 1 failed in 1.00s ==='; exit 1", 2, "=== 1 failed in 1.00s ==="),
        ("echo '= 3 passed, 1 skipped in 1.00s ='", 1, "= 3 passed, 1 skipped in 1.00s ="),
    ],
)
def test_the_gate_ends_with_the_last_line_and_the_verdict_of_pytest(
    gate, suite, recipe, code, last
):
    result = gate(**{suite: recipe})
    assert result.returncode == code
    assert result.stdout.splitlines()[-1] == last
    assert not result.stderr


@pytest.mark.parametrize(
    ("target", "not_reached"),
    [
        ("lint", "tested"),
        ("test", "contained"),
        ("docker", "contained"),
        ("test-celery", "contained"),
    ],
)
def test_the_gate_stops_at_the_first_that_fails(gate, target, not_reached):
    recipes = {"test": "echo tested", "test-containers": "echo contained"}
    result = gate(**(recipes | {target: "echo broken; exit 1"}))
    assert result.returncode != 0
    assert "broken" in result.stdout
    assert not_reached not in result.stdout


def test_the_gate_needs_no_docker_for_the_first_suite(gate):
    """Users without Docker run `make test`, so the gate runs it without Docker too."""
    result = gate(test="echo on $$LANDFALL_TEST_SERVICES, $$DOCKER_HOST", docker="echo engine")
    first, second, *_ = result.stdout.splitlines()
    assert (first, second) == ("on embedded, unix:///no-docker-here", "engine")


def test_the_gate_makes_the_images_while_the_first_suite_runs(gate, tmp_path):
    """One after the other, the gate would wait for downloads for minutes."""
    wait = "for n in $$(seq 100); do test -f {} && exit; sleep 0.1; done; false"
    result = gate(
        test=f"touch tests-run; {wait.format('images-come')}",
        docker=f"touch images-come; {wait.format('tests-run')}",
    )
    assert result.returncode == 0, result.stdout


def test_the_gate_leaves_no_build_behind_when_the_first_suite_fails(gate, tmp_path):
    result = gate(test="exit 1", docker="sleep 3; touch left-behind")
    assert result.returncode != 0
    time.sleep(3.5)
    assert not (tmp_path / "left-behind").exists()


def test_the_gate_runs_the_tests_of_the_stack_beside_the_others_that_need_docker(gate):
    wait = "for n in $$(seq 100); do test -f {} && exit; sleep 0.1; done; false"
    result = gate(
        docker="touch images",
        test_celery=f"test -f images && touch stack-runs && {wait.format('others-run')}",
        test_containers=f"touch others-run; {wait.format('stack-runs')}",
    )
    assert result.returncode == 0, result.stdout


def test_the_gate_interrupts_the_others_when_the_tests_of_the_stack_fail(gate, tmp_path):
    """Pytest must be able to remove its containers."""
    program = (
        "import time\ntry: open('up', 'w').close(); time.sleep(60)\nfinally: open('down', 'w')"
    )
    (tmp_path / "others.py").write_text(program)
    wait_for_others = "for n in $$(seq 100); do test -f up && break; sleep 0.1; done; exit 1"
    result = gate(test_celery=wait_for_others, test_containers=f"{sys.executable} others.py")
    assert result.returncode != 0
    assert (tmp_path / "down").exists()


def test_these_tests_run_on_a_supported_python():
    assert sys.version_info[:2] in {(3, 11), (3, 12)}


def test_format_formats_and_fixes(tmp_path):
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci/venv").write_text("#!/bin/sh\n")
    (tmp_path / ".ci/venv").chmod(0o755)
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "module.py").write_text('"""A module."""\nimport os\nSIX=2*3\n')
    result = run("make", "format", cwd=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    fixed = '"""A module."""\n\nfrom __future__ import annotations\n\nSIX = 2 * 3\n'
    assert (tmp_path / "module.py").read_text() == fixed


def test_clean_leaves_the_files_of_git(tmp_path):
    made = [".venv/bin", ".local/demo", ".mypy_cache", ".ruff_cache", ".pytest_cache",
            ".import_linter_cache", ".hypothesis", "dags/__pycache__"]  # fmt: skip
    for name in [*made, ".ci", "include/feeds"]:
        (tmp_path / name).mkdir(parents=True)
    for name in ("clean", "astro-airflow"):
        shutil.copy(ROOT / ".ci" / name, tmp_path / ".ci")
    result = run(".ci/clean", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    remaining = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}
    assert remaining == {
        ".ci",
        ".ci/astro-airflow",
        ".ci/clean",
        "dags",
        "include",
        "include/feeds",
    }
