"""The page shows the numbers of the code and the settings of the local Airflow."""

from __future__ import annotations

import json
import re

import pytest

from include.landfall.connections import Warehouse
from include.local.airflow.home import local_settings
from tests.support.lesson_module import load


@pytest.fixture(scope="module")
def lesson():
    return load("xcom")


@pytest.fixture
def settings(tmp_path):
    """The environment of the developer's Airflow."""
    return local_settings(tmp_path, Warehouse())


def in_json(size: int) -> int:
    return len(json.dumps("x" * size))


def test_the_page_s_sizes_are_the_code_s(lesson):
    for key, size in lesson.SIZES.items():
        assert re.search(rf"^\| `{key}` \| {in_json(size):,} \|", lesson.__doc__, re.M), key
    assert re.search(rf"^\| `reference` \| {in_json(len(lesson.KEY))} \|", lesson.__doc__, re.M)


def test_only_the_big_value_reaches_the_threshold(lesson, settings):
    threshold = int(settings["AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_THRESHOLD"])
    big = [key for key, size in lesson.SIZES.items() if in_json(size) >= threshold]
    assert big == ["big"]
    assert in_json(lesson.SIZES["beyond_48_kb"]) > 49_344


def test_the_answer_s_size_is_the_biggest_that_stays_in_the_database(lesson, settings):
    threshold = int(settings["AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_THRESHOLD"])
    (size,) = re.findall(r"a size of (\d+_\d+) in", lesson.__doc__)
    assert in_json(int(size)) < threshold <= in_json(int(size) + 1)


def test_the_page_s_settings_are_the_local_airflow_s(lesson, settings):
    shown = dict(re.findall(r"^(AIRFLOW__\w+)=(\S+)$", lesson.__doc__, re.M))
    assert {"XCOM" in name for name in shown} == {True}
    assert len(shown) == 3
    assert shown == {name: settings[name] for name in shown}


def test_the_backend_can_be_imported_and_its_store_too(settings):
    """Both come with other packages. Without them only the first XCom would fail."""
    from airflow.providers.amazon.aws.fs.s3 import get_fs
    from airflow.sdk.bases.xcom import BaseXCom
    from airflow.sdk.module_loading import import_string

    assert issubclass(import_string(settings["AIRFLOW__CORE__XCOM_BACKEND"]), BaseXCom)
    assert callable(get_fs)
    import s3fs

    assert s3fs.S3FileSystem
