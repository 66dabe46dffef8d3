"""Every page of the dashboard says what it should, to those who may read it."""

import pytest

from tests.integration.web.conftest import Dashboard


def test_every_page_is_served(dashboard: Dashboard) -> None:
    client = dashboard.sign_in("root")
    for path in ("", "/examples", "/comments", "/runs", "/adapters", "/work", "/settings"):
        answer = client.get(dashboard.path(path))
        assert answer.status_code == 200, (path, answer.text)
