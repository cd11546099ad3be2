"""Takes the picture of Flower that the documentation shows, from the stack that runs.

Start it with `python -m include.local.celery.picture`.
"""

from __future__ import annotations

import shutil
import sys

from include.local.airflow.screenshots import BROWSER, FLAGS, shoot, small
from include.local.celery.stack import Stack
from include.local.services.process import LOCALHOST
from include.local.state import PROJECT, LocalError

FILE = PROJECT / "docs/pictures/flower.png"
SIZE = (1280, 640)


def main() -> int:
    """Takes the picture, with both workers in it.

    Raises: LocalError without a browser.
    """
    from playwright.sync_api import sync_playwright

    program = shutil.which(BROWSER)
    if program is None:
        raise LocalError("there is no browser to take a picture with", do=f"install {BROWSER}")
    stack = Stack.of()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        context = browser.new_context(
            viewport={"width": SIZE[0], "height": SIZE[1]},
            http_credentials={
                "username": "admin",
                "password": stack.env["LANDFALL_FLOWER_PASSWORD"],
            },
        )
        address = f"http://{LOCALHOST}:{stack.env['LANDFALL_FLOWER_PORT']}/workers"
        small(shoot(context, address, "celery@airflow-worker-2")).save(FILE, optimize=True)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
