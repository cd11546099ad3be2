"""The training container's labels, its name, and its environment."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from include.landfall.connections import Store
from include.landfall.errors import ConnectionUnusable

KEY_VARIABLES = ("MINIO_ACCESS_KEY_ID", "MINIO_SECRET_ACCESS_KEY", "MINIO_SESSION_TOKEN")


def labels_of(context: Mapping[str, Any]) -> dict[str, str]:
    """Returns the labels of a task instance's container: the same for each of its tries."""
    ti = context["ti"]
    return {
        "landfall.dag": ti.dag_id,
        "landfall.run": ti.run_id,
        "landfall.task": ti.task_id,
        "landfall.map": str(ti.map_index),
    }


def container_name(labels: Mapping[str, str]) -> str:
    """Returns a name that Docker takes, one for each task instance, so it refuses a second one."""
    return safe_name("-".join(("landfall", *labels.values())))


def safe_name(text: str) -> str:
    """Returns a name of letters, digits and .-_ only; different texts get different names."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", text)
    if safe == text and len(text) <= 120:
        return text
    return f"{safe[:110]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def environment_of(store: Store, bucket: str) -> dict[str, str]:
    """Returns the store in the variables of the container's environment, its key included.

    The container cannot renew the key of a role: it ends after an hour, unless DurationSeconds in
    assume_role_kwargs says otherwise.

    Raises: ConnectionUnusable when the store has no key.
    """
    # Imported here, because every parse of a DAG file would pay for boto3.
    from include.landfall.s3.client import keys_of, region_of

    has_identity = store.role or store.profile or (store.access_key and store.secret_key)
    keys = keys_of(store) if has_identity else None
    if keys is None:
        raise ConnectionUnusable(
            "the connection has no key of its own to give to a container",
            expected="a login (the access key) and a password (the secret key), or a role",
        )
    region = region_of(store)
    environment = {
        "MINIO_ENDPOINT": store.endpoint_url or f"https://s3.{region}.amazonaws.com",
        "MINIO_BUCKET_NAME": bucket,
        "MINIO_REGION": region,
        **dict(zip(KEY_VARIABLES, keys, strict=True)),
    }
    return {name: value for name, value in environment.items() if value}
