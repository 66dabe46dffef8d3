"""What strangers wrote is not read on the loop that answers webhooks."""

import asyncio
import threading
from typing import Any, cast

import pytest

from app.domain.attributes import Attributes, parse_attributes
from app.github.client import GitHubClient
from app.workflows import review_sources


class OneFile:
    """GitHub's edge: every file holds the same text."""

    async def fetch_text(self, repository: str, ref: str, path: str) -> str:
        return "*.c linguist-generated\n"


def test_attributes_are_read_in_another_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []

    def parse(text: str) -> Attributes:
        threads.append(threading.current_thread())
        return parse_attributes(text)

    def no_words(installation_id: int, repository: str) -> frozenset[str]:
        return frozenset()

    monkeypatch.setattr(review_sources, "parse_attributes", parse)
    monkeypatch.setattr(review_sources, "_load_vocabulary", no_words)
    found: dict[str, Any] = asyncio.run(review_sources.fetch_customs(1, cast("GitHubClient", OneFile()), "a/b"))
    assert found["attributes"].decide("x/a.c") == "generated"
    assert threads
    assert threading.main_thread() not in threads
