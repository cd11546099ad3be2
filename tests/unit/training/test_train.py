"""The program of the training image, on small tables with a known pattern."""

from __future__ import annotations

import hashlib
import io
import json
import runpy
import sys
from datetime import date, timedelta
from decimal import Decimal

import boto3
import joblib
import numpy as np
import pandas as pd
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from PIL import Image
from threadpoolctl import threadpool_limits

from include.training import store
from include.training.store import Bucket, TrainingError
from include.training.table import sort_columns, split
from include.training.train import main, make_model, train

BUCKET, SECRET = "landing", "a-secret-that-nobody-may-read"
ENVIRON = {
    "MINIO_ENDPOINT": "https://s3.us-east-1.amazonaws.com",
    "MINIO_ACCESS_KEY_ID": "who",
    "MINIO_SECRET_ACCESS_KEY": SECRET,
    "MINIO_BUCKET_NAME": BUCKET,
}
ARGUMENTS = ["--input", "in/table.parquet", "--output", "out/run-1/"]


def flights(rows: int = 1000, days: int = 20) -> pd.DataFrame:
    """Delays of 40 minutes in the evening, less 20 for one airline, and noise around them."""
    chance = np.random.default_rng(1)
    hour = chance.integers(6, 22, rows)
    carrier = chance.choice(["AA", "UA"], rows)
    delay = 40 * (hour >= 17) - 20 * (carrier == "UA") + chance.normal(0, 5, rows)
    first = date(2026, 1, 1)
    return pd.DataFrame({
        "flight_date": [first + timedelta(days=row * days // rows) for row in range(rows)],
        "carrier": carrier, "hour": hour, "noise": chance.normal(0, 1, rows),
        "arr_delay": delay.round(),
    })  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """One thread, because on a busy machine several threads take ten times as long."""
    with threadpool_limits(1):
        yield


@pytest.fixture
def client():
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="a",
                              aws_secret_access_key="b")  # fmt: skip
        client.create_bucket(Bucket=BUCKET)
        yield client
        client.close()


@pytest.fixture
def put(client):
    def put(table: pd.DataFrame, key: str = "in/table.parquet") -> None:
        kept = io.BytesIO()
        table.to_csv(kept, index=False) if key.endswith(".csv") else table.to_parquet(kept)
        client.put_object(Bucket=BUCKET, Key=key, Body=kept.getvalue())

    return put


def body(client, name: str) -> bytes:
    return client.get_object(Bucket=BUCKET, Key=f"out/run-1/{name}")["Body"].read()


def keys(client) -> list[str]:
    objects = client.list_objects_v2(Bucket=BUCKET, Prefix="out/").get("Contents", [])
    return [entry["Key"] for entry in objects]


# ---- what it learns ------------------------------------------------------------------------------


def test_it_learns_the_pattern_and_reports_the_important_features():
    trained = train(flights(), "arr_delay", "flight_date")
    metrics = trained.metrics
    assert metrics["model"]["rmse"] < 6.5  # the noise alone is 5
    assert metrics["always_the_mean"]["rmse"] > 20
    assert list(metrics["importance"])[:2] == ["hour", "carrier"]
    assert metrics["importance"]["noise"] < 1


def test_it_learns_nothing_from_noise_and_reports_so():
    table = flights()
    table["arr_delay"] = np.random.default_rng(2).normal(0, 30, len(table))
    assert train(table, "arr_delay", "flight_date").metrics["model"]["r2"] < 0.1


def test_the_constant_predictions_use_only_the_earlier_days():
    table = flights()
    later = table["flight_date"] >= date(2026, 1, 17)
    table.loc[later, "arr_delay"] = 100.0
    metrics = train(table, "arr_delay", "flight_date").metrics
    mean = table.loc[~later, "arr_delay"].mean()
    assert metrics["always_the_mean"]["mae"] == pytest.approx(100 - mean, abs=0.001)
    assert metrics["always_the_median"]["mae"] != metrics["always_the_mean"]["mae"]


def test_the_split_is_by_whole_days_and_the_latest_are_for_the_test():
    table, _ = sort_columns(flights().sample(frac=1, random_state=3), "arr_delay", "flight_date")
    earlier, later = split(table, "flight_date")
    assert earlier["flight_date"].max() < later["flight_date"].min()
    assert later["flight_date"].nunique() == 4  # of 20
    assert len(earlier) + len(later) == len(table)


def test_the_same_table_gives_the_same_model_and_metrics():
    first, second = (train(flights(), "arr_delay", "flight_date") for _ in range(2))
    assert first.metrics == second.metrics
    assert (first.predicted == second.predicted).all()


def test_rows_with_missing_values_and_new_categories_get_a_prediction():
    table = flights()
    table.loc[::7, "noise"] = np.nan
    table.loc[::5, "carrier"] = None
    table.loc[table["flight_date"] >= date(2026, 1, 18), "carrier"] = "ZZ"
    assert np.isfinite(train(table, "arr_delay", "flight_date").predicted).all()


def test_more_categories_than_the_trees_accept_are_no_error():
    table = flights()
    table["dest"] = [f"D{row % 400}" for row in range(len(table))]
    assert train(table, "arr_delay", "flight_date").metrics["model"]["rmse"] < 8


def test_decimals_and_booleans_are_numbers():
    table = flights()
    table["noise"] = [Decimal(row) / 3 for row in range(len(table))]
    table["late"] = table["hour"] > 12
    _, columns = sort_columns(table, "arr_delay", "flight_date")
    assert (columns.text, columns.numbers) == (["carrier"], ["hour", "noise", "late"])


def test_a_table_without_text_is_enough():
    table = flights().drop(columns="carrier")
    _, columns = sort_columns(table, "arr_delay", "flight_date")
    assert make_model(columns, 100).fit(table[columns.features], table["arr_delay"])


# ---- what it leaves in the bucket ----------------------------------------------------------------


def test_it_leaves_a_model_that_predicts_its_metrics_and_a_plot(client, put, capsys):
    put(flights())
    assert main(ARGUMENTS, ENVIRON) == 0
    assert keys(client) == [f"out/run-1/{name}" for name in
                            ("metrics.json", "model.joblib", "plot.png")]  # fmt: skip
    metrics = json.loads(body(client, "metrics.json"))
    model = body(client, "model.joblib")
    assert metrics["object"]["sha256"] == hashlib.sha256(model).hexdigest()
    new_flights = pd.DataFrame({"carrier": ["AA", "UA"], "hour": [18.0, 9.0], "noise": [0.0, 0.0]})
    evening, morning = joblib.load(io.BytesIO(model)).predict(new_flights)
    assert 30 < evening < 50
    assert -30 < morning < -10
    assert Image.open(io.BytesIO(body(client, "plot.png"))).size[0] > 1000
    assert "RMSE" in capsys.readouterr().out


def test_the_metrics_name_the_version_of_their_table(client, put):
    put(flights())
    assert main(ARGUMENTS, ENVIRON) == 0
    head = client.head_object(Bucket=BUCKET, Key="in/table.parquet")
    source = json.loads(body(client, "metrics.json"))["input"]
    assert source == {"bucket": BUCKET, "key": "in/table.parquet", "rows": 1000,
                      "etag": head["ETag"].strip('"')}  # fmt: skip


def test_a_second_try_replaces_the_results_of_the_first(client, put):
    put(flights())
    assert main(ARGUMENTS, ENVIRON) == 0
    before = body(client, "metrics.json")
    put(flights(rows=1200))
    assert main(ARGUMENTS, ENVIRON) == 0
    assert len(keys(client)) == 3
    assert json.loads(body(client, "metrics.json"))["input"]["rows"] == 1200
    assert body(client, "metrics.json") != before


def test_metrics_of_an_earlier_try_never_stay_beside_a_later_model(client, put, monkeypatch):
    put(flights())
    assert main(ARGUMENTS, ENVIRON) == 0

    def broken(*_):
        raise RuntimeError("while it draws")

    monkeypatch.setattr("include.training.train.draw", broken)
    with pytest.raises(RuntimeError, match="while it draws"):  # the log has the traceback
        main(ARGUMENTS, ENVIRON)
    assert "out/run-1/metrics.json" not in keys(client)


def test_a_csv_is_read_as_well(client, put):
    put(flights(), "in/table.csv")
    assert main(["--input", "in/table.csv", "--output", "out/run-1"], ENVIRON) == 0
    assert len(keys(client)) == 3


# ---- what it refuses -----------------------------------------------------------------------------

WRONG = {
    "no target": (lambda t: t.drop(columns="arr_delay"), "no column arr_delay"),
    "no day": (lambda t: t.drop(columns="flight_date"), "no column flight_date"),
    "nothing to learn from": (lambda t: t[["arr_delay", "flight_date"]], "no column to learn"),
    "a target with gaps": (
        lambda t: t.assign(arr_delay=t.arr_delay.where(t.hour > 9)),
        "are empty",
    ),
    "a target of text": (lambda t: t.assign(arr_delay="late"), "not a number in every row"),
    "a column of dates": (lambda t: t.assign(other=t.flight_date), "from the column other"),
    "an empty column": (lambda t: t.assign(other=np.nan), "from the column other"),
    "a day that is not a date": (lambda t: t.assign(flight_date="soon"), "not a day"),
    "too few rows": (lambda t: t.head(60), "too few rows"),
    "one day": (lambda t: t.assign(flight_date=date(2026, 1, 1)), "too few rows"),
    "no row": (lambda t: t.head(0), "cannot learn"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_table_is_refused_in_one_message(client, put, capsys, case):
    change, message = WRONG[case]
    put(change(flights()))
    assert main(ARGUMENTS, ENVIRON) == 5
    output = capsys.readouterr()
    assert message in output.err
    assert "expected" in output.err
    assert "Traceback" not in output.err
    assert output.out == ""
    assert keys(client) == []


def test_a_file_that_is_not_a_table_is_refused(client, capsys):
    client.put_object(Bucket=BUCKET, Key="in/table.parquet", Body=b"PAR1 or not")
    assert main(ARGUMENTS, ENVIRON) == 5
    assert "s3://landing/in/table.parquet cannot be read" in capsys.readouterr().err


def test_a_missing_table_is_named(client, capsys):
    assert main(ARGUMENTS, ENVIRON) == 4
    assert "there is no s3://landing/in/table.parquet" in capsys.readouterr().err


def test_a_store_that_is_away_is_worth_a_retry(capsys, monkeypatch):
    monkeypatch.setattr(store, "TRIES", 1)
    away = ENVIRON | {"MINIO_ENDPOINT": "http://user:word@127.0.0.1:9"}
    assert main(ARGUMENTS, away) == 75
    message = capsys.readouterr().err
    assert "cannot be reached" in message
    assert "user" not in message


@pytest.mark.parametrize("name", ENVIRON)
def test_a_variable_that_the_environment_lacks_is_named(capsys, name):
    assert main(ARGUMENTS, {other: text for other, text in ENVIRON.items() if other != name}) == 2
    assert f"lacks {name}" in capsys.readouterr().err


def test_an_endpoint_that_is_not_an_address_is_refused(capsys):
    assert main(ARGUMENTS, ENVIRON | {"MINIO_ENDPOINT": "minio:9000"}) == 2
    assert "MINIO_ENDPOINT is not an address" in capsys.readouterr().err


# ---- secrets and the program ---------------------------------------------------------------------


def test_no_output_and_no_object_contains_a_secret(client, put, capsys):
    put(flights())
    assert main(ARGUMENTS, ENVIRON) == 0
    assert SECRET not in repr(Bucket.from_environ(ENVIRON | {"MINIO_SESSION_TOKEN": SECRET}))
    output = capsys.readouterr()
    assert SECRET not in output.out + output.err
    assert not [key for key in keys(client) if SECRET.encode() in
                client.get_object(Bucket=BUCKET, Key=key)["Body"].read()]  # fmt: skip


def test_the_error_for_a_refused_key_does_not_show_the_key():
    answer = {"Error": {"Code": "SignatureDoesNotMatch", "Message": SECRET}}
    with pytest.raises(TrainingError) as refused, store.store_errors(BUCKET, "k"):
        raise ClientError(answer, "GetObject")
    assert refused.value.exit_code == 3
    assert SECRET not in str(refused.value)


def test_the_program_ends_with_its_code(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["train.py", *ARGUMENTS])
    for name in ENVIRON:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delitem(sys.modules, "include.training.train")
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("include.training.train", run_name="__main__")
    assert ended.value.code == 2
