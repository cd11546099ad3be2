"""A link leads to where its reader reaches the store, and expires when the settings say."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from include.landfall.connections import Store, Warehouse
from include.local.services.environ import connections
from include.reports.links import Links
from include.reports.settings import from_environ


@pytest.fixture
def link(monkeypatch):
    store = Store("http://object-store:9000", "landfall", "the secret key")
    for name, value in connections(Warehouse(), store).items():
        monkeypatch.setenv(name, value)

    def make(**more):
        environ = {f"LANDFALL_REPORTS_{name}": value for name, value in more.items()}
        settings = from_environ({"LANDFALL_REPORTS_BROKER": "redis://:x@127.0.0.1/1", **environ})
        return urlsplit(Links(settings).to("reports/flights/7.csv")["link"])

    return make


def test_a_link_leads_to_the_store_of_the_connection(link):
    found = link()
    assert (found.netloc, found.path) == ("object-store:9000", "/landing/reports/flights/7.csv")


def test_a_link_leads_to_the_public_endpoint_where_there_is_one(link):
    assert link(PUBLIC_ENDPOINT="http://127.0.0.1:9000").netloc == "127.0.0.1:9000"


def test_a_link_expires_when_the_settings_say_and_holds_no_secret(link):
    found = link(LINK_SECONDS="77")
    assert parse_qs(found.query)["X-Amz-Expires"] == ["77"]
    assert "secret" not in found.geturl()
