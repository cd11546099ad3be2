"""The training program accepts the lesson's table, and learns its pattern."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pandas as pd
import pytest

from include.training.train import train
from tests.support.lesson_module import load


@pytest.fixture
def table(mocker):
    hook = mocker.patch("airflow.providers.amazon.aws.hooks.s3.S3Hook").return_value
    hook.head_object.return_value = {"ETag": '"e"'}
    lesson = load("docker_operator")
    make_table = next(task for task in lesson.train.dag.tasks if task.task_id == "make_table")
    assert make_table.python_callable()["etag"] == "e"
    return pd.read_csv(io.StringIO(hook.load_string.call_args.args[0]))


def test_the_model_learns_the_pattern_in_the_lesson_s_table(table):
    metrics = train(table, "arr_delay", "flight_date").metrics
    assert len(table) == 20 * 16 * 3
    assert metrics["model"]["rmse"] < metrics["always_the_mean"]["rmse"] / 2


def test_no_key_is_in_the_lesson(table):
    lesson = load("docker_operator")
    rendered = {name: getattr(lesson.train, name) for name in lesson.train.template_fields}
    assert "MINIO" not in str(rendered)
    assert SimpleNamespace(**rendered).environment == {}
