"""Seeding against a real store: its ETags decide what is new to the feeds."""

from __future__ import annotations

from include.local.demo.seed import files, seed


def test_all_eighteen_files_arrive_whole_and_a_reseed_writes_nothing(client, bucket):
    first = seed(client, bucket)
    assert [file.outcome for file in first] == ["written"] * 18
    sent = dict(files())
    for key, body in sent.items():
        assert client.get_object(Bucket=bucket, Key=key)["Body"].read() == body
    times = listing(client, bucket)
    assert [file.outcome for file in seed(client, bucket)] == ["unchanged"] * 18
    assert listing(client, bucket) == times


def listing(client, bucket):
    return {e["Key"]: e["LastModified"] for e in client.list_objects_v2(Bucket=bucket)["Contents"]}
