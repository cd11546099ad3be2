"""Airflow's REST API, as far as the local commands and the lessons call it."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

# A proxy of the environment could not reach this machine's localhost.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
PARTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")


@dataclass(frozen=True)
class Api:
    """The API server at an address, and a token for it."""

    address: str
    token: str

    @classmethod
    def login(cls, address: str, user: str, password: str) -> Api:
        """Logs in with the simple auth manager.

        Raises: urllib.error.URLError when the server refuses or cannot be reached.
        """
        answer = _call("POST", f"{address}/auth/token", {"username": user, "password": password})
        return cls(address, answer["access_token"])

    def get(self, path: str, **query: Any) -> Any:
        """Returns the API's answer; `path` is below /api/v2.

        Raises: urllib.error.HTTPError when the API refuses, as every other method does.
        """
        pairs = urllib.parse.urlencode(query, doseq=True)
        return self._call("GET", f"{path}?{pairs}" if pairs else path)

    def post(self, path: str, body: Any) -> Any:
        """Creates or starts something."""
        return self._call("POST", path, body)

    def patch(self, path: str, body: Any, **query: Any) -> Any:
        """Changes something."""
        pairs = urllib.parse.urlencode(query, doseq=True)
        return self._call("PATCH", f"{path}?{pairs}" if pairs else path, body)

    def delete(self, path: str) -> None:
        """Removes something."""
        self._call("DELETE", path)

    def dags(self) -> dict[str, bool]:
        """Returns the DAGs that Airflow has read, and whether each is paused."""
        answer = self.get("dags", limit=1000)
        return {dag["dag_id"]: bool(dag["is_paused"]) for dag in answer["dags"]}

    def import_errors(self) -> list[str]:
        """Returns why DAG files could not be read: file and last line of each traceback."""
        errors = self.get("importErrors")["import_errors"]
        return [f"{e['filename']}: {e['stack_trace'].strip().splitlines()[-1]}" for e in errors]

    def unpause(self, dag_id: str) -> None:
        """Lets the DAG's schedule and assets start runs."""
        self.patch(f"dags/{urllib.parse.quote(dag_id)}", {"is_paused": False})

    def pause(self, dag_id: str) -> None:
        """Lets nobody but a user start runs of the DAG."""
        self.patch(f"dags/{urllib.parse.quote(dag_id)}", {"is_paused": True})

    def trigger(self, dag_id: str) -> None:
        """Starts a run now."""
        self.post(f"dags/{urllib.parse.quote(dag_id)}/dagRuns", {"logical_date": None})

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        return _call(method, f"{self.address}/api/v2/{path}", body, self.token)


def unhealthy(address: str) -> list[str]:
    """Returns the parts of Airflow that are not healthy; all parts when nothing answers there."""
    try:
        answer = _call("GET", f"{address}/api/v2/monitor/health")
    except (OSError, ValueError):
        return list(PARTS)
    return [part for part in PARTS if (answer.get(part) or {}).get("status") != "healthy"]


def _call(method: str, url: str, body: Any = None, token: str | None = None) -> Any:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - http only
    try:
        with OPENER.open(request, timeout=60) as response:
            return json.loads(response.read() or "null")
    except urllib.error.HTTPError as error:
        # The body says what was wrong with the request; the reason alone is "Bad Request".
        error.msg = f"{error.msg}: {method} {url}: {error.read().decode(errors='replace')[:500]}"
        raise
