"""Airflow around the plugins, as far as its connections go."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from plugins.arrivals.waiting import Wait
from tests.support.sensor_runs import FEED


@pytest.fixture
def airflow_connections(monkeypatch) -> None:
    """Airflow's connections of the feed: a store and a warehouse that nothing reaches."""
    landing = {"conn_type": "aws", "login": "key", "password": "s3cr3t"}
    warehouse = {"conn_type": "postgres", "host": "nowhere", "schema": "w"}
    monkeypatch.setenv("AIRFLOW_CONN_LANDING", json.dumps(landing))
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(warehouse))


@pytest.fixture
def looks(airflow_connections, monkeypatch):
    """The outcomes of the looks in turn (an error is raised), and the watches that they got."""
    outcomes, watches = [], []

    def look(feed, watch, store, warehouse):
        assert (feed, store.secret_key, warehouse.host) == (FEED, "s3cr3t", "nowhere")
        watches.append(watch)
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return Wait(replace(watch, next_look=time.time())) if outcome is Wait else outcome

    monkeypatch.setattr("plugins.arrivals.sensor.look", look)
    monkeypatch.setattr("plugins.arrivals.trigger.look", look)
    return outcomes, watches
