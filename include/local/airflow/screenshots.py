"""The pictures of Airflow's UI that the pages show, taken again: a browser looks at real runs."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from PIL import Image
from rich.console import Console

from include.local.airflow.run import MARTS, put_files, start_feeds
from include.local.course import show
from include.local.course.classroom import ENDED, Classroom
from include.local.course.course import choose
from include.local.course.run import run_lessons
from include.local.course.school import open_classroom
from include.local.state import PROJECT, LocalError

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

BROWSER = "chromium"
# Without these a browser looks for updates and the like; root can have no sandbox.
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
COLOURS = 128
SETTLE_SECONDS = 2.5
RUN_SECONDS = 300
VIEW = {"default_dag_view": "grid"}
TABLE = {"dags_list_display": "table"}


@dataclass(frozen=True)
class Picture:
    """A picture file of the project, and the page of the UI that it shows."""

    file: str
    page: str  # {run} stands for the last run of the lesson
    shows: str  # a text of the page: when it is there, the page is complete
    lesson: str | None = None
    settings: Mapping[str, str] = field(default_factory=lambda: VIEW)  # names and values of the UI
    size: tuple[int, int] = (1280, 720)


PICTURES = (
    Picture("docs/pictures/airflow.png", "dags?tags=feed", "feed_weather", size=(1280, 1110)),
    Picture(
        "docs/pictures/lessons.png", "dags?tags=lesson", "lesson_19", settings=TABLE,
        size=(1280, 1080),
    ),
    Picture(
        "docs/pictures/core_concepts.png", "dags/lesson_04_core_concepts/runs/{run}", "Success",
        "core_concepts", settings={"default_dag_view": "graph"},
    ),
    Picture(
        "docs/pictures/life_cycle.png", "dags/lesson_05_life_cycle/runs/{run}", "Removed",
        "life_cycle", size=(1280, 1040),
    ),
    Picture(
        "docs/pictures/backfill.png", "dags/lesson_11_backfill/backfills", "Missing Runs",
        "backfill", size=(1280, 500),
    ),
    Picture(
        "docs/pictures/s3_sensor.png", "dags/lesson_16_s3_sensor/runs/{run}/tasks/load",
        "woken by", "s3_sensor", size=(1280, 460),
    ),
)  # fmt: skip


def run(home: Path) -> int:
    """Runs the feeds and the lessons, and takes all pictures.

    Raises: LocalError without a browser, or when a lesson fails.
    """
    program = shutil.which(BROWSER)
    if program is None:
        raise LocalError(
            "there is no browser to take pictures with",
            do=f"install it: apt-get install -y --no-install-recommends {BROWSER}",
        )
    console = Console(highlight=False)
    with open_classroom(home, console) as (room, programs):
        with console.status("running the feeds"):
            put_files(room.services)
            _wait_for(room, [*start_feeds(room.api), MARTS])
        with show.progress(console) as report:
            results = run_lessons(choose(()), room, programs, report)
        if failed := [result.name for result in results if result.failed]:
            raise LocalError(f"no picture of what failed: {', '.join(failed)}")
        for picture, size in _take(room, program):
            console.print(f"{picture.file}: {size // 1024} KB")
    return 0


def _wait_for(room: Classroom, dag_ids: list[str]) -> None:
    """Waits until the last run of each DAG has ended."""
    for dag_id in dag_ids:
        room.until(f"{dag_id} runs", lambda dag_id=dag_id: room.runs(dag_id), RUN_SECONDS)  # type: ignore[misc]
        room.until(
            f"{dag_id} ends",
            lambda dag_id=dag_id: room.runs(dag_id)[0].state in ENDED,  # type: ignore[misc]
            RUN_SECONDS,
        )


def _take(room: Classroom, program: str) -> Iterator[tuple[Picture, int]]:
    """Takes each picture; returns the picture and its size in bytes once it is written."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        for picture in PICTURES:
            context = browser.new_context(
                viewport={"width": picture.size[0], "height": picture.size[1]},
                color_scheme="light", locale="en-GB", timezone_id="UTC",
            )  # fmt: skip
            # The login of the API's user, and the view that the picture is of.
            cookie = {"name": "_token", "value": room.api.token, "url": room.api.address}
            context.add_cookies([cookie])  # type: ignore[list-item]
            for name, value in picture.settings.items():
                context.add_init_script(f"localStorage.setItem('{name}', '\"{value}\"')")
            shot = shoot(context, _address(room, picture), picture.shows)
            context.close()
            path = PROJECT / picture.file
            small(shot).save(path, optimize=True)
            yield picture, path.stat().st_size
        browser.close()


def _address(room: Classroom, picture: Picture) -> str:
    page = picture.page
    if picture.lesson and "{run}" in page:
        (lesson,) = choose([picture.lesson])
        page = page.replace("{run}", quote(room.runs(lesson.dag_id)[0].run_id, safe=""))
    return f"{room.api.address}/{page}"


def shoot(context: BrowserContext, address: str, shows: str) -> bytes:
    """Takes a PNG of the page once it shows the text `shows` and nothing moves any more."""
    page = context.new_page()
    page.goto(address)
    page.get_by_text(shows).first.wait_for(timeout=60_000)
    page.wait_for_timeout(SETTLE_SECONDS * 1000)
    return page.screenshot(animations="disabled")


def small(shot: bytes) -> Image.Image:
    """Reduces the colours of a picture: it has a fifth of the bytes and looks the same."""
    return Image.open(io.BytesIO(shot)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
