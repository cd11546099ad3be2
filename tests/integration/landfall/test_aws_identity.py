"""Fault 6.2: a load is to AWS who its connection says, to the end of the file.

The server is moto's, and refuses every key of S3 that its STS did not give out or that has ended.
"""

from __future__ import annotations

import io
import json
import time
from contextlib import closing
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.airflow_bridge.connections import store_of
from include.landfall.check import Bucket, check
from include.landfall.cli.main import main
from include.landfall.connections import Store, store_from_environ
from include.landfall.errors import ConnectionUnusable, ServerUnavailable
from include.landfall.s3.client import make_client, region_of
from plugins.training.container import environment_of
from tests.support.aws_server import aws_server
from tests.support.engine import Engine

ROLE = "arn:aws:iam::123456789012:role/loader"
ROWS = 200_000


@pytest.fixture(scope="module")
def running():
    """The server of moto, with a bucket."""
    with aws_server() as server, closing(make_client(Store(server.endpoint, "k", "s"))) as client:
        server.asks_for_role = False
        client.create_bucket(Bucket="landing")
        yield server


@pytest.fixture
def aws(running, monkeypatch):
    """The server, as it is at the start, and no settings of AWS on this machine."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    running.forget()
    return running


def extra(aws, **more):
    services = {"sts": {"endpoint_url": aws.endpoint}}
    return {"endpoint_url": aws.endpoint, "role_arn": ROLE, "service_config": services, **more}


def store(aws, **more) -> Store:
    extras = extra(aws, **more)
    return Store.from_fields(login="k", password="s", extra=extras, conn_id="landing")


@pytest.fixture
def engine(aws, warehouse):
    """An engine whose files lie there: only the key that puts them needs no role."""
    with closing(make_client(Store(aws.endpoint, "k", "s"))) as client:
        yield Engine(warehouse, store(aws), client, "landing")


def put(engine, aws, body, key="a.csv"):
    aws.asks_for_role = False
    arrival = engine.put(body, key)
    aws.asks_for_role = True
    aws.s3_requests.clear()
    return arrival


def large_parquet() -> bytes:
    """A file of more than 8 MiB in many row groups, which a process of its own reads in steps."""
    sink = io.BytesIO()
    names = [f"{i * 7919 % 1_000_003:050}{i:x}" for i in range(ROWS)]
    table = pa.table({"id": pa.array(range(ROWS), pa.int32()), "name": names})
    pq.write_table(table, sink, row_group_size=20_000, compression="none", use_dictionary=False)
    return sink.getvalue()


# ---- the role ------------------------------------------------------------------------------------


def test_6_2_the_key_that_reaches_s3_is_that_of_the_role(engine, aws):
    arrival = put(engine, aws, "id,name\n1,a\n")
    more = {"external_id": "x-1", "assume_role_kwargs": {"DurationSeconds": 1200}}
    assert engine.load(arrival, store=store(aws, **more)).rows == 1
    request = aws.sts_requests[0]
    assert (request["RoleArn"], request["ExternalId"]) == (ROLE, "x-1")
    assert request["DurationSeconds"] == "1200"
    assert request["RoleSessionName"] == "airflow_landing"  # what Airflow's own hook writes
    assert {key for key, _ in aws.s3_requests} == set(aws.keys)


def by_json(extras):
    return json.dumps({"conn_type": "aws", "login": "k", "password": "s", "extra": extras})


def by_uri(extras):
    return f"aws://k:s@/?__extra__={quote(json.dumps(extras))}"


@pytest.mark.parametrize("spelling", [by_json, by_uri])
@pytest.mark.parametrize("read", [store_of, store_from_environ])
def test_6_2_airflow_and_the_command_line_take_on_the_same_role(aws, monkeypatch, spelling, read):
    monkeypatch.setenv("AIRFLOW_CONN_LANDING", spelling(extra(aws, external_id="x-1")))
    with closing(make_client(read("landing"))) as client:
        client.list_objects_v2(Bucket="landing")
    assert [key for key, _ in aws.s3_requests] == list(aws.keys)
    assert aws.sts_requests[0]["ExternalId"] == "x-1"


def test_6_2_a_role_whose_key_ends_in_mid_load_is_taken_on_again(engine, aws):
    """The reading process has no Airflow and no parent to ask: it renews the key itself."""
    arrival = put(engine.be(format="parquet"), aws, large_parquet(), "a.parquet")
    assert arrival.size > 8 << 20
    aws.key_seconds, aws.s3_seconds = 0.5, 0.2
    assert engine.load(arrival).rows == ROWS
    first, last = aws.s3_requests[0], aws.s3_requests[-1]
    assert last[1] > aws.keys[first[0]], "the load was over before the first key ended"
    assert len({key for key, _ in aws.s3_requests}) > 1


def test_6_2_a_session_token_that_ends_is_told_and_not_retried(engine, aws):
    arrival = put(engine, aws, "id,name\n1,a\n")
    aws.keys["ASIAENDED"] = time.time() - 1
    ended = Store(aws.endpoint, "ASIAENDED", "s", "token")
    with pytest.raises(ConnectionUnusable, match="ExpiredToken"):
        engine.load(arrival, store=ended)


def test_6_2_a_web_identity_is_a_token_s_and_needs_no_key(engine, aws, tmp_path):
    arrival = put(engine, aws, "id,name\n1,a\n")
    token = tmp_path / "token"
    token.write_text("signed-by-the-cluster")
    more = {
        "assume_role_method": "assume_role_with_web_identity",
        "assume_role_with_web_identity_federation": "file",
        "assume_role_with_web_identity_token_file": str(token),
    }
    web = Store.from_fields(login=None, password=None, extra=extra(aws, **more), conn_id="landing")
    assert engine.load(arrival, store=web).rows == 1
    assert aws.sts_requests[0]["Action"] == "AssumeRoleWithWebIdentity"
    assert aws.sts_requests[0]["WebIdentityToken"] == "signed-by-the-cluster"
    token.unlink()
    with pytest.raises(ConnectionUnusable, match="cannot be taken on"):
        engine.load(arrival, store=web, force=True)


@pytest.mark.parametrize(
    ("answer", "error"),
    [((403, "AccessDenied"), ConnectionUnusable), ((400, "Throttling"), ServerUnavailable),
     ((503, "ServiceUnavailable"), ServerUnavailable)],
)  # fmt: skip
def test_6_2_a_role_that_is_refused_is_named(engine, aws, answer, error):
    arrival = put(engine, aws, "id,name\n1,a\n")
    aws.sts_answer = answer
    patient = store(aws, config_kwargs={"retries": {"total_max_attempts": 1}})
    with pytest.raises(error, match=f"the role {ROLE} cannot be taken on") as refused:
        engine.load(arrival, store=patient)
    assert answer[1] in refused.value.found


def test_6_2_a_role_without_any_key_is_named(aws, monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    nobody = Store.from_fields(login=None, password=None, extra=extra(aws))
    with closing(make_client(nobody)) as client, pytest.raises(ConnectionUnusable, match=ROLE):
        client.list_buckets()


# ---- profile, region, endpoint -------------------------------------------------------------------


def test_6_2_a_profile_s_key_takes_on_the_role_and_its_region_counts(aws, monkeypatch, tmp_path):
    files = {"config": "[profile p]\nregion = eu-west-3\n",
             "credentials": "[p]\naws_access_key_id = k\naws_secret_access_key = s\n"}  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    extras = extra(aws, profile_name="p")
    of_profile = Store.from_fields(login=None, password=None, extra=extras)
    with closing(make_client(of_profile)) as client:
        client.list_objects_v2(Bucket="landing")
        assert client.meta.region_name == "eu-west-3"
    with pytest.raises(ConnectionUnusable, match="profile") as refused:
        make_client(Store(profile="missing"))
    assert "missing" in refused.value.found


def test_6_2_the_region_is_the_connection_s_then_the_environment_s(aws, monkeypatch):
    assert region_of(Store()) == "us-east-1"
    monkeypatch.setenv("AWS_REGION", "eu-west-2")
    assert region_of(Store()) == "eu-west-2"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert region_of(Store()) == "eu-west-1"
    assert region_of(Store(region="eu-north-1")) == "eu-north-1"


def test_6_2_a_container_gets_the_key_of_the_role_and_not_that_of_the_connection(aws):
    environment = environment_of(store(aws), "landing")
    assert environment["MINIO_ACCESS_KEY_ID"] in aws.keys
    assert environment["MINIO_SESSION_TOKEN"]


def test_6_2_check_says_as_whom_it_came(aws):
    (finding,) = check([Bucket("landing", "landing")], store_of=lambda _: store(aws))
    assert finding.reachable
    assert finding.address == f"s3://landing at {aws.endpoint} as {ROLE}"


# ---- certificates --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def encrypted(certificate):
    """The server with a certificate that no authority knows, and its file."""
    with aws_server(certificate) as server:
        server.asks_for_role = False
        yield server, certificate[0]


def test_6_2_verify_names_the_certificates_that_are_trusted(encrypted):
    server, path = encrypted
    fields = {"login": "k", "password": "s"}

    def listed(verify):
        extras = {"endpoint_url": server.endpoint, "verify": verify}
        return check(
            [Bucket("x", "x")], store_of=lambda _: Store.from_fields(**fields, extra=extras)
        )

    trusted, unknown, missing = listed(path)[0], listed(True)[0], listed("/nonexistent.pem")[0]
    assert "NoSuchBucket" in trusted.answer
    assert "no encrypted connection" in unknown.answer
    assert "names no file of certificates" in missing.answer


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
@pytest.mark.parametrize("verify", [False, "false"])
def test_6_2_verify_may_be_switched_off(encrypted, verify):
    server, _ = encrypted
    extras = {"endpoint_url": server.endpoint, "verify": verify}
    careless = Store.from_fields(login="k", password="s", extra=extras)
    with closing(make_client(careless)) as client:
        client.list_buckets()


def test_6_2_the_command_line_names_an_extra_that_it_does_not_know(monkeypatch, capsys):
    monkeypatch.setenv("AIRFLOW_CONN_LANDING", by_json({"role": ROLE}))
    assert main(["check"]) == 3
    assert "does not know: 'role'; what to do: did you mean 'role_arn'?" in capsys.readouterr().out
