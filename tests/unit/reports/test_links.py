"""A link leads to the store's address for its reader, and expires when the settings say so."""

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

    def sign(**values):
        environ = {f"LANDFALL_REPORTS_{name}": value for name, value in values.items()}
        settings = from_environ({"LANDFALL_REPORTS_BROKER": "redis://:x@127.0.0.1/1", **environ})
        links = Links(settings)
        signed = links.sign("reports/flights/7.csv")
        links.close()
        return urlsplit(signed["link"])

    return sign


def test_a_link_leads_to_the_store_of_the_connection(link):
    url = link()
    assert (url.netloc, url.path) == ("object-store:9000", "/landing/reports/flights/7.csv")


def test_a_link_leads_to_the_public_endpoint_where_there_is_one(link):
    assert link(PUBLIC_ENDPOINT="http://127.0.0.1:9000").netloc == "127.0.0.1:9000"


def test_a_link_expires_when_the_settings_say_so_and_contains_no_secret(link):
    url = link(LINK_SECONDS="77")
    assert parse_qs(url.query)["X-Amz-Expires"] == ["77"]
    assert "secret" not in url.geturl()
