"""Writes requirements.txt from pyproject.toml: its dependencies without Airflow, with comments.

`make lock` runs it, and the lint compares the file. Airflow is left out, because the Astro image
has it already.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
AIRFLOW = "apache-airflow=="
HEADER = """\
# The packages that the image adds to Astro Runtime, which already has Airflow. `make lock` writes
# this file from the dependencies of pyproject.toml: change them there.
"""
ENTRY = re.compile(r'^    "(?P<requirement>[^"]+)",  # (?P<purpose>.+)$')


def requirements(text: str) -> str:
    """Returns requirements.txt for the text of a pyproject.toml.

    Raises: SystemExit when a dependency has no line of its own with a comment on its purpose.
    """
    block = re.search(r"^dependencies = \[\n(.*?)^\]$", text, re.MULTILINE | re.DOTALL)
    lines = [ENTRY.match(line) for line in block[1].splitlines()] if block else []
    entries = [(line["requirement"], line["purpose"]) for line in lines if line]
    dependencies = tomllib.loads(text)["project"]["dependencies"]
    if [requirement for requirement, _ in entries] != dependencies or len(entries) != len(lines):
        sys.exit('each dependency needs a line of its own: `    "name==1.0",  # its purpose`')
    return HEADER + "".join(
        f"{requirement}  # {purpose}\n"
        for requirement, purpose in entries
        if not requirement.startswith(AIRFLOW)
    )


if __name__ == "__main__":
    project = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    (PROJECT / "requirements.txt").write_text(requirements(project), encoding="utf-8")
