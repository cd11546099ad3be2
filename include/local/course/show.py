"""What a person sees of the lessons: which run now, and the table at the end."""

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

WIDTH = 120  # where nobody watches, and so nothing says how wide the window is


class Tell(Protocol):
    """Called when a lesson begins, with no result, and when it ends."""

    def __call__(self, lesson: Lesson, result: Result | None) -> None: ...  # noqa: D102


def console() -> Console:
    """A console as wide as its window."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=max(WIDTH, found.width))


@contextmanager
def progress(console: Console) -> Iterator[Tell]:
    """Shows which lessons run and how each ended, as it happens."""
    under_way: dict[str, Lesson] = {}
    spinner = Spinner("dots")
    with Live(spinner, console=console, transient=True, auto_refresh=console.is_terminal) as live:

        def tell(lesson: Lesson, result: Result | None) -> None:
            if result is None:
                under_way[lesson.name] = lesson
            else:
                under_way.pop(lesson.name, None)
                live.console.print(
                    f"{_mark(result)} {lesson.section:>2} {lesson.name:20}{result.seconds:>6.1f} s"
                )
            spinner.update(text=", ".join(under_way))

        yield tell


def table(console: Console, results: Sequence[Result], seconds: float) -> None:
    """Section by section: what ran, states seen, seconds, whether it is as its page says."""
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
            _mark(result), result.words or _first_line(result.error),
        )  # fmt: skip
    console.print(shown)
    failed = [result for result in results if not result.passed and not result.missing]
    for result in failed:
        console.print(f"[red]lesson {result.section}, {result.name}, failed[/]")
        console.print(f"  {result.error}", markup=False, soft_wrap=True)
    passed = sum(result.passed for result in results)
    not_run = [f"{result.name} needs {result.missing}" for result in results if result.missing]
    told = f", {len(not_run)} not run: {', '.join(not_run)};" if not_run else ""
    console.print(f"[bold]{passed} of {len(results)} lessons passed[/]{told} in {seconds:.0f} s")


def _mark(result: Result) -> str:
    if result.missing:
        return "[yellow]----[/]"
    return "[green]pass[/]" if result.passed else "[red]FAIL[/]"


def _first_line(text: str | None) -> str:
    return (text or "").partition("\n")[0]
