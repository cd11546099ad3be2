"""Prints the lessons that run now, and the table of all results at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich import box
from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table

from include.local.course.course import Lesson, Result

WIDTH = 120  # where the output goes to a file or a pipe, which has no width


class Notify(Protocol):
    """Is called when a lesson begins, with no result, and when it ends."""

    def __call__(self, lesson: Lesson, result: Result | None) -> None: ...  # noqa: D102


def console() -> Console:
    """Returns a console as wide as its window, or at least WIDTH wide where there is none."""
    made = Console(highlight=False)
    return made if made.is_terminal else Console(highlight=False, width=max(WIDTH, made.width))


@contextmanager
def progress(console: Console) -> Iterator[Notify]:
    """Shows which lessons run now, and prints the result of each when it ends."""
    running: dict[str, Lesson] = {}
    spinner = Spinner("dots")
    with Live(spinner, console=console, transient=True, auto_refresh=console.is_terminal) as live:

        def notify(lesson: Lesson, result: Result | None) -> None:
            if result is None:
                running[lesson.name] = lesson
            else:
                running.pop(lesson.name, None)
                live.console.print(
                    f"{_mark(result)} {lesson.section:>2} {lesson.name:19} {result.seconds:>6.1f} s"
                )
            spinner.update(text=", ".join(running))

        yield notify


def table(console: Console, results: Sequence[Result], seconds: float) -> None:
    """Prints for each section its runs, the states of its tasks, its seconds and its result."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, justify in (
        ("§", "right"), ("lesson", "left"), ("runs", "right"), ("states seen", "left"),
        ("s", "right"), ("", "left"), ("what was seen", "left"),
    ):  # fmt: skip
        shown.add_column(name, justify=justify)  # type: ignore[arg-type]
    for result in results:
        states = ", ".join(f"{count} {state}" for state, count in sorted(result.states.items()))
        shown.add_row(
            str(result.section), result.name, str(result.runs), states, f"{result.seconds:.1f}",
            _mark(result), result.summary or _first_line(result.error),
        )  # fmt: skip
    console.print(shown)
    failed = [result for result in results if result.failed]
    for result in failed:
        console.print(f"[red]lesson {result.section}, {result.name}, failed[/]")
        console.print(f"  {result.error}", markup=False, soft_wrap=True)
    passed = sum(result.passed for result in results)
    not_run = [f"{result.name} needs {result.missing}" for result in results if result.missing]
    left_out = f", {len(not_run)} not run: {', '.join(not_run)};" if not_run else ""
    console.print(
        f"[bold]{passed} of {len(results)} lessons passed[/]{left_out} in {seconds:.0f} s"
    )


def _mark(result: Result) -> str:
    if result.missing:
        return "[yellow]----[/]"
    return "[green]pass[/]" if result.passed else "[red]FAIL[/]"


def _first_line(text: str | None) -> str:
    return (text or "").partition("\n")[0]
