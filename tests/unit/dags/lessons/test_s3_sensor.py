"""The lesson has its own feed, and its sensor waits without a worker."""

from __future__ import annotations

import pytest

from tests.support.lesson_module import load


@pytest.fixture(scope="module")
def lesson():
    return load("s3_sensor")


def test_the_feed_keeps_to_the_lesson_s_folder_and_schema(lesson):
    assert lesson.FEED.source.prefix == "lessons/s3_sensor/"
    assert lesson.FEED.source.matches("lessons/s3_sensor/monday.csv")
    assert lesson.FEED.target.table == "lessons.s3_sensor"


def test_the_sensor_waits_on_the_triggerer_and_longer_than_a_learner_needs(lesson):
    assert lesson.wait_for_file.deferrable
    assert lesson.wait_for_file.poke_interval <= 5
    assert lesson.wait_for_file.timeout >= 600
    assert not lesson.wait_for_file.soft_fail, "a run without a file would look like a success"


def test_the_feed_accepts_the_file_on_the_page(lesson):
    header = lesson.__doc__.split("<<END\n")[1].split("\n")[0]
    assert header.split(",") == list(lesson.FEED.columns)
