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
from include.local.services import control as services
from include.local.state import PROJECT
from tests.support.readme_elsewhere import ELSEWHERE, LESSON
from tests.support.readmes import blocks, commands, only, pages

pytestmark = pytest.mark.timeout(600)

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
