"""A bucket, key, connection or server that cannot be used gives one clear message."""

from __future__ import annotations

GOOD = b"id,day\n1,2013-01-01\n2,\n"


def test_no_such_bucket(shell):
    shell.feed["source"]["bucket"] = "nowhere-at-all"
    shell.write_feed()
    shell.fails(4, "there is no bucket 'nowhere-at-all'")
    assert shell.left() == (None, [])


def test_no_such_key(shell):
    code, _, err = shell.run("--key", "things/none.csv")
    assert (code, "no such object" in err) == (4, True)
    assert f"s3://{shell.bucket}/things/none.csv" in err


def test_a_wrong_key(shell, wrong):
    wrong(store={"secret_key": "not-the-secret"})
    err = shell.fails(3, "the object store refused the key")
    assert "not-the-secret" not in err
    assert shell.left() == (None, [])


def test_a_refused_password(shell, wrong):
    shell.put(GOOD)
    wrong(database={"password": "not-the-password"})
    err = shell.fails(3, "the database refused the connection")
    assert "not-the-password" not in err
    assert shell.left() == (None, [])


def test_a_database_that_does_not_exist(shell, wrong):
    shell.put(GOOD)
    wrong(database={"dbname": "nowhere"})
    shell.fails(3, "the database refused the connection", "nowhere")


def test_a_database_that_is_down(shell, wrong):
    shell.put(GOOD)
    wrong(database={"port": 1})
    shell.fails(75, "the database cannot be reached at 127.0.0.1:1", "retry")
    assert shell.left() == (None, [])


def test_an_object_store_that_is_down(shell, wrong):
    wrong(store={"endpoint_url": "http://127.0.0.1:1"})
    shell.fails(75, "the object store cannot be reached", "127.0.0.1:1")


def test_a_connection_that_is_not_in_the_environment(shell, monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_LANDING")
    shell.fails(3, "'landing' is not in the environment", "AIRFLOW_CONN_LANDING")
