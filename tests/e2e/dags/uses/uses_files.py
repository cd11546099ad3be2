"""The files of the examples, in the bucket and in the folder."""

import io
import os

import pandas as pd

FOLDER = os.environ.get("USES_FOLDER", "/tmp")

HOMES = "sell,list,living,agent\n142,160,28,Ann\n175,180,18,\n129,132,13,Bo\n"
FILES = {
    "homes.csv": HOMES,
    "homes2.csv": "sell,list,living,agent\n1,2,3,Cy\n",
    "part/one.csv": "a,b\n1,x\n",
    "part/two.csv": "a,b\n2,y\n",
    "homes.psv": HOMES.replace(",", "|"),
    "no_ending": HOMES,
    "latin.csv": "name\nJos\u00e9\n".encode("latin-1"),
    "rows.json": '[{"a": 1, "b": {"c": "x"}}, {"a": 2, "b": {"c": "y"}}]',
    "rows.ndjson": '{"a": 1, "b": {"c": "x"}}\n{"a": 2, "b": {"c": "y"}}\n',
    "capitals.csv": "Sell,AGENT\n1,Ann\n",
    "skip.csv": "a comment\na,b\n1,x\n",
    "header.csv": "a,b\n",
    "null.csv": "a,b\n1,NA\n2,-\n",
}


def bodies():
    """Every file's name and bytes."""
    for name, body in FILES.items():
        yield name, body if isinstance(body, bytes) else body.encode()
    frame = pd.read_csv(io.StringIO(HOMES))
    for name, write in (("homes.parquet", frame.to_parquet), ("homes.xlsx", frame.to_excel)):
        buffer = io.BytesIO()
        write(buffer, index=False)
        yield name, buffer.getvalue()


def put_all(client=None):
    """Writes all files."""
    if client is None:
        import boto3
        import json

        connection = json.loads(os.environ["AIRFLOW_CONN_LANDING"])
        client = boto3.client("s3", endpoint_url=connection["extra"]["endpoint_url"], region_name="us-east-1",
                              aws_access_key_id=connection["login"], aws_secret_access_key=connection["password"])
    for listed in client.list_buckets()["Buckets"]:
        if listed["Name"] == "uses":
            for each in client.list_objects_v2(Bucket="uses").get("Contents", []):
                client.delete_object(Bucket="uses", Key=each["Key"])
            break
    else:
        client.create_bucket(Bucket="uses")
    for name, body in bodies():
        client.put_object(Bucket="uses", Key=name, Body=body)
        path = os.path.join(FOLDER, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(body)
