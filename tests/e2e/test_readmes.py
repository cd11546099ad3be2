"""Every command of the pages runs, here or in the test that is named, and prints what they show.

One shell runs the commands in the order of the pages, as for somebody who has just cloned the
project.
"""

from __future__ import annotations

import os
import re
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from include.landfall.feed.yaml_file import read_feed
from include.local.course.course import LESSONS
from include.local.services import control as services
from include.local.state import PROJECT
from tests.support.readmes import blocks, commands, only, pages

pytestmark = pytest.mark.timeout(600)

LESSON = "make lessons L="
GATE = ".github/workflows/pr.yml"
GATE_STEPS = ("lint", "audit", "test-unit", "test-integration", "test-e2e")
CELERY = "tests/containers/test_celery.py"
CUSTOM = "include/local/celery/custom.Dockerfile"
COURSE = "tests/e2e/test_lessons.py::test_the_lesson_passes"
ASTRO_SERVICES = (
    "tests/project/test_astro.py::test_a_service_is_a_pinned_image_that_airflow_can_reach"
)
ASTRO_DOWN = "tests/containers/test_astro_override.py::test_down_leaves_nothing"
ASTRO_VENV = (
    "tests/project/test_venv.py"
    "::test_an_environment_that_the_astro_cli_has_changed_is_made_again_with_a_word"
)
# Commands that take too long here, or need Docker: the test, or the step of the gate, that runs
# each of them.
ELSEWHERE = {
    "make demo": "tests/e2e/test_demo.py::test_the_demo_loads_everything_and_shows_it",
    "make airflow": "tests/e2e/test_airflow.py"
    "::test_the_feeds_run_green_in_airflow_and_load_as_in_the_demo",
    "make reports": "tests/integration/local/reports/test_run.py"
    "::test_the_service_runs_until_ctrl_c",
    ".venv/bin/python -m tests.bench.reports": "tests/unit/bench/test_reports.py"
    "::test_the_page_has_a_line_for_each_way",
    **{
        command: "tests/integration/reports/test_api.py::test_an_example_of_the_readme_works"
        for command in commands("docs/reports.md")
        if command.startswith("curl ")
    },
    **dict.fromkeys(
        commands("docs/rejects.md"),
        "tests/e2e/test_rejects_page.py::test_a_step_prints_what_the_page_shows",
    ),
    **dict.fromkeys(
        commands("docs/contracts.md"),
        "tests/e2e/test_contracts_page.py::test_a_day_ends_as_the_page_shows",
    ),
    **dict.fromkeys(
        (c for c in commands("docs/arrivals.md") if "--force" in c),
        "tests/integration/landfall/test_arrivals_cli.py"
        "::test_a_duplicate_is_told_by_load_plan_and_status_and_can_be_forced",
    ),
    # The reader's feed says nothing of loaded files.
    ".venv/bin/landfall tidy --feed include/feeds/orders.yaml --dry-run": (
        "tests/integration/landfall/test_tidy.py::test_the_command_says_what_became_of_each_file"
    ),
    ".venv/bin/landfall status --feed include/feeds/orders.yaml --late": (
        "tests/integration/landfall/test_late.py::test_a_silent_feed_is_late_until_a_file_comes"
    ),
    ".venv/bin/python -m include.local put FILE KEY": "tests/unit/local/test_main.py"
    "::test_put_names_a_file_that_is_not_there",
    "make screenshots": "tests/unit/local/airflow/test_screenshots.py"
    "::test_the_script_takes_exactly_the_pictures_that_are_shown",
    "make test": ".ci/run::suite test",
    **{f"make {step}": f"{GATE}::make {step}" for step in GATE_STEPS},
    "make format": "tests/project/test_make.py::test_format_formats_and_fixes",
    "make lock": "tests/project/test_requirements.py::test_the_lock_has_the_required_versions",
    "make docker": ".ci/run::make docker",
    "make docker-down": "tests/containers/test_engine.py::test_an_engine_is_started_once_and_ended",
    "make test-celery": f"{GATE}::make test-celery",
    "make test-containers": ".ci/run::suite test-containers",
    "make bench": "tests/unit/bench/test_page.py::test_only_what_is_between_the_markers_changes",
    ".venv/bin/python -m tests.support.parquet_types": "tests/unit/landfall/test_parquet_types.py"
    "::test_the_page_is_what_the_engine_takes",
    ".venv/bin/python -m tests.support.sdk_uses": "tests/unit/support/test_sdk_uses.py"
    "::test_the_page_has_each_use_and_each_difference",
    "make memory": "tests/unit/bench/test_memory.py::test_a_load_above_the_limit_is_marked",
    "make bench-plain": "tests/unit/bench/test_plain.py"
    "::test_a_plain_load_that_takes_much_more_than_a_feed_is_told",
    "make bench-merge": "tests/unit/bench/test_merge.py"
    "::test_an_upsert_that_takes_much_more_than_sql_by_hand_is_told",
    **dict.fromkeys(
        (c for c in commands("docs/merge.md") if c.startswith(".venv/bin/landfall forget")),
        "tests/integration/landfall/test_merge_undo.py"
        "::test_files_that_need_each_other_are_undone_together",
    ),
    "make bench-formats": "tests/unit/bench/test_formats.py"
    "::test_the_table_has_the_limit_of_duckdb_and_what_is_broken",
    "make bench-polluted": "tests/unit/landfall/test_polluted.py::test_the_page_has_these_counts",
    "make bench-dirty": "tests/unit/bench/test_dirty.py"
    "::test_as_many_rows_are_spoiled_as_the_table_says",
    "make bench-beside COMMIT=…": "tests/unit/bench/test_beside.py"
    "::test_a_share_is_that_of_the_medians",
    "make chaos": "tests/integration/landfall/test_guarantees.py"
    "::test_after_sigkill_a_rerun_is_right_and_no_reader_saw_a_part",
    "make clean": "tests/project/test_make.py::test_clean_leaves_the_files_of_git",
    ".venv/bin/python -m include.local compare": "tests/e2e/test_demo.py"
    "::test_the_comparison_is_a_command_too",
    "astro dev start": ASTRO_SERVICES,
    "astro dev start --wait 5m": ASTRO_SERVICES,
    **{f"astro dev {command}": ASTRO_DOWN for command in ("restart --wait 5m", "stop", "kill")},
    "astro dev start --standalone": "tests/unit/astro_sdk/test_patching.py"
    "::test_without_a_plugins_folder_the_projects_own_import_patches",
    "astro dev start --standalone --wait 5m": "tests/unit/astro_sdk/test_patching.py"
    "::test_the_settings_of_the_page_let_a_standalone_airflow_import_astro",
    "astro dev parse --standalone": "tests/e2e/test_astro_parse.py"
    "::test_every_dag_of_the_project_parses",
    "astro dev pytest --standalone": "tests/e2e/test_astro_pytest.py"
    "::test_all_tests_that_the_image_can_run_are_collected",
    **{f"astro dev {command} --standalone": ASTRO_VENV for command in ("stop", "kill")},
    "astro dev restart --standalone --wait 5m": ASTRO_VENV,
    "astro deploy": "tests/project/test_astro.py"
    "::test_the_image_is_one_pinned_runtime_with_a_python_for_astro_sdk",
    **dict.fromkeys(
        ("astro init", "astro local check", "astro local start --docker"),
        "tests/project/test_requirements.py"
        "::test_the_next_version_of_the_astro_cli_takes_the_project",
    ),
    "astro dev parse": f"{GATE}::astro dev parse",
    "astro dev pytest": f"{GATE}::astro dev pytest",
    "make celery": f"{CELERY}::test_make_celery_ends_with_a_green_run_and_says_where_to_look",
    "make celery-down": f"{CELERY}::test_make_celery_down_leaves_nothing",
    "make bench-celery": "tests/unit/bench/test_workers.py"
    "::test_only_what_is_between_the_markers_changes",
    f"docker build -t landfall/airflow:local -f {CUSTOM} .": (
        "tests/containers/test_celery_images.py::test_its_packages_are_the_lock_s"
    ),
    "make training-image": "tests/containers/test_training.py::image",
    "make lessons": COURSE,
    f"{LESSON}9": COURSE,
    **{f"{LESSON}{lesson.name}": COURSE for lesson in LESSONS},
}
NAMED = {command for page in pages() for command in commands(page)}
WALK = [
    (page, command)
    for page in pages()
    for command in commands(page)
    if command not in ELSEWHERE and not command.startswith(LESSON)
]
FEED = "include/feeds/orders.yaml"
ORDERS = "order_id,placed_at,amount,note"


@dataclass(frozen=True)
class Done:
    """The exit code of a command, and what it printed."""

    code: int
    printed: str


@dataclass(frozen=True)
class Shell:
    """A shell in the project's folder that keeps its variables from command to command."""

    program: subprocess.Popen[str]
    folder: Path

    @property
    def feed(self) -> Path:
        """The reader's feed, which stays out of the project's own."""
        return self.folder / "orders.yaml"

    @property
    def file(self) -> Path:
        """The reader's file."""
        return self.folder / "orders.csv"

    def edit_feed(self) -> None:
        """Keeps the proposed feed, and writes the feed of the README in its place."""
        self.feed.rename(self.folder / "proposed.yaml")
        self.feed.write_text(only("README.md", "yaml").text)

    def run(self, command: str) -> Done:
        end = f"ended {uuid.uuid4().hex}"
        typed = command.replace(FEED, str(self.feed)).replace("/tmp/orders.csv", str(self.file))
        assert self.program.stdin
        assert self.program.stdout
        self.program.stdin.write(f"{{ {typed}\n}} < /dev/null\necho {end} $?\n")
        self.program.stdin.flush()
        printed = ""
        for line in self.program.stdout:
            before, ended, code = line.partition(end)
            printed += before
            if ended:
                return Done(int(code), printed)
        pytest.fail(f"the shell ended at {command}:\n{printed}")


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    folder = tmp_path_factory.mktemp("reader")
    ours = ("AIRFLOW_", "MAKE", "MFLAGS", "PYTHON", "PYTEST")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    with subprocess.Popen(
        ["sh"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        cwd=PROJECT, env={**environ, "LANDFALL_LOCAL": str(folder)},
    ) as program:  # fmt: skip
        yield Shell(program, folder)
        assert program.stdin
        program.stdin.close()
    services.clean(folder)


@pytest.fixture(scope="module")
def walked(shell: Shell) -> dict[tuple[str, str], Done]:
    """The results of the commands that run here; a refused file comes after the first page."""
    done = {}
    for page, command in WALK:
        if page != "README.md" and ("refused", "load") not in done:
            done |= refused_and_corrected(shell)
        done[page, command] = shell.run(command)
        if "landfall sniff" in command:
            shell.edit_feed()
    return done


def refused_and_corrected(shell: Shell) -> dict[tuple[str, str], Done]:
    """Loads a file whose second row has a bad cell, and then the corrected file."""
    put, load = (
        next(c for c in commands("README.md") if word in c)
        for word in ("include.local put", f"load --feed {FEED}")
    )
    put = put.replace("2026-01.csv", "2026-02.csv")
    bad = f'{ORDERS}\n2,2026-02-28 10:00Z,1,"two\nlines"\n3,2026-02-30,1,\n'
    shell.file.write_text(bad)
    refused = {
        ("refused", "put"): shell.run(put),
        ("refused", "load"): shell.run(load),
        ("refused", "ledger"): shell.run(
            "psql -Atc \"SELECT error FROM landfall.ledger WHERE status = 'failed'\""
        ),
    }
    shell.file.write_text(bad.replace("02-30", "02-27"))
    return refused | {
        ("corrected", "put"): shell.run(put),
        ("corrected", "load"): shell.run(load),
        ("corrected", "rows"): shell.run("psql -Atc 'SELECT count(*) FROM raw.orders'"),
    }


# ---- the list of commands ------------------------------------------------------------------------


def test_no_readme_is_without_a_command_or_an_example():
    """A page without any means that its text was not understood."""
    assert len(pages()) >= 6
    assert [page for page in pages() if not (commands(page) or blocks(page))] == []


def test_what_runs_elsewhere_is_named_by_a_readme():
    """The command of a lesson is in the table of the course."""
    assert set(ELSEWHERE) - NAMED == set()


@pytest.mark.parametrize("command", [c for c in sorted(NAMED) if c.startswith(LESSON)])
def test_a_lesson_that_a_readme_names_is_one(command):
    assert command in ELSEWHERE


@pytest.mark.parametrize("where", sorted(set(ELSEWHERE.values())))
def test_what_runs_a_command_elsewhere_is_there(where):
    path, _, what = where.partition("::")
    text = (PROJECT / path).read_text()
    pattern = rf"^def {what}\(" if path.endswith(".py") else rf"^ *(- run: |run: )?{what}\b"
    assert re.search(pattern, text, re.MULTILINE)


@pytest.mark.parametrize(
    ("target", "program"),
    [
        ("demo", "include.local demo"), ("airflow", "include.local airflow"),
        ("lessons L=xcom", "include.local lessons xcom"), ("bench", "tests.bench"),
        ("chaos", "tests.chaos"),
    ],
)  # fmt: skip
def test_a_target_that_runs_elsewhere_is_the_program_that_is_tested(shell, target, program):
    last_line = shell.run(f"make -n {target}").printed.splitlines()[-1]
    assert last_line == f".venv/bin/python -m {program}"


# ---- their results -------------------------------------------------------------------------------


@pytest.mark.parametrize(("page", "command"), WALK)
def test_a_command_ends_well(walked, page, command):
    done = walked[page, command]
    assert done.code == 0, done.printed
    assert "Traceback" not in done.printed


@pytest.mark.parametrize(
    ("page", "command", "words"),
    [
        ("README.md", "make", "make demo "),
        ("README.md", "make up", "postgres      answers"),
        ("README.md", ".venv/bin/landfall check", "ok "),
        ("docs/astro-cli.md", ".venv/bin/python -m include.local seed",
         "18 files in s3://landing, 18"),
        ("README.md", f".venv/bin/landfall load --feed {FEED}", "1 row in"),
        ("docs/operations.md", f".venv/bin/landfall status --feed {FEED}",
         "orders/2026-01.csv"),
        ("docs/operations.md", f".venv/bin/landfall load --feed {FEED}"
         " --key orders/2026-01.csv --force", "loaded "),
        ("include/landfall/README.md", ".venv/bin/landfall --help", "75 "),
        ("include/landfall/README.md",
         ".venv/bin/landfall load --feed include/feeds/flights.yaml",
         "flights/2013-12.csv.zst"),
        ("include/landfall/README.md",
         ".venv/bin/landfall status --feed include/feeds/flights.yaml",
         "nothing new"),
        ("include/landfall/README.md", ".venv/bin/landfall check", "ok "),
        ("include/local/README.md", ".venv/bin/python -m include.local status", "answers at"),
        ("include/local/README.md", "make down", "stopped postgres and object_store"),
    ],
)  # fmt: skip
def test_a_command_does_what_its_readme_says(walked, page, command, words):
    assert words in walked[page, command].printed


def test_the_proposed_feed_is_one(walked, shell):
    feed = read_feed(shell.folder / "proposed.yaml")
    assert (feed.name, ",".join(feed.columns)) == ("orders", ORDERS)


def test_nothing_is_left_after_clean(walked, shell):
    assert {path.name for path in shell.folder.iterdir()} <= {
        "orders.yaml", "orders.csv", "proposed.yaml", "lock",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("page", "block"),
    [
        (page, block)
        for page in pages()
        for block in blocks(page)
        if block.shown and (page, block.commands[-1]) in WALK
    ],
)
def test_what_a_block_shows_is_what_its_last_command_says(walked, page, block):
    printed = walked[page, block.commands[-1]].printed
    assert [line.rstrip() for line in printed.strip("\n").splitlines()] == block.shown.splitlines()


# ---- a refused file ------------------------------------------------------------------------------


def test_a_refusal_is_what_the_readme_shows(walked):
    shown = only("docs/operations.md", "", "refuses a cell: date/time").text.strip()
    refused = walked["refused", "load"]
    assert (refused.code, refused.printed.strip()) == (5, shown)
    assert walked["refused", "ledger"].printed.strip() == shown


def test_the_corrected_file_is_taken_by_the_next_run(walked):
    assert walked["corrected", "load"].code == 0
    assert walked["corrected", "rows"].printed == "3\n"
