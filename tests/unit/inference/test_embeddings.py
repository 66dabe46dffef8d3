"""Vectors without a network, and from any server that speaks OpenAI's embeddings."""

import asyncio
import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from app.domain.errors import Refused, RetryLater, UserError
from app.inference import embeddings
from app.inference.embeddings import (
    EmbeddingPlace,
    EndpointEmbedder,
    StaticEmbedder,
    embed_static,
    make_embedder,
)
from app.inference.wire import FrontClient

URL = "http://127.0.0.1:1/v1"


def test_the_model_that_comes_along_needs_no_network_and_no_learning_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("somebody asked the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    near, same, far = embed_static(["money as a float", "a float for currency", "close the file"])
    assert near @ same > near @ far
    assert [float(np.linalg.norm(row)) for row in (near, same, far)] == pytest.approx([1, 1, 1], abs=1e-5)
    code = "import sys; from app.inference.embeddings import embed_static as e; e(['a']); print('torch' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"


def test_texts_without_words_and_none_at_all_have_vectors_too() -> None:
    assert embed_static([]).shape == (0, 256)
    rows = asyncio.run(StaticEmbedder().embed(["", *["x"] * 100, "word " * 100_000]))
    assert rows.shape == (102, 256)
    assert float(np.linalg.norm(rows[0])) == 0
    assert np.isfinite(rows).all()


def ask(monkeypatch: pytest.MonkeyPatch, answer: httpx.Response, texts: list[str]) -> Any:
    asked: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answer

    class Client(FrontClient):
        def __init__(self, url: str, key: str, *, limit_seconds: float) -> None:
            headers = {"authorization": f"Bearer {key}"}
            self._http = httpx.AsyncClient(base_url=url, headers=headers, transport=httpx.MockTransport(handle))

    monkeypatch.setattr(embeddings, "FrontClient", Client)
    found = asyncio.run(EndpointEmbedder(URL, "m", "k").embed(texts))
    return asked, found


def test_a_server_is_asked_as_openai_is_and_its_order_is_its_index(monkeypatch: pytest.MonkeyPatch) -> None:
    data = [{"index": 1, "embedding": [0, 2]}, {"index": 0, "embedding": [3, 4]}]
    (request,), found = ask(monkeypatch, httpx.Response(200, json={"data": data}), ["a", ""])
    assert str(request.url) == f"{URL}/embeddings"
    assert request.headers["authorization"] == "Bearer k"
    assert json.loads(request.content) == {"model": "m", "input": ["a", " "]}
    assert found.tolist() == [pytest.approx([0.6, 0.8]), [0, 1]]
    assert EndpointEmbedder(URL, "m").name == "127.0.0.1/m"


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"data": [{"index": 0, "embedding": [1]}]},
        {"data": [{"index": 0, "embedding": [1]}, {"index": 1, "embedding": [1, 2]}]},
        {"data": [{"index": 0, "embedding": ["x"]}, {"index": 1, "embedding": [1]}]},
        {"data": [{"index": 0, "embedding": [None]}, {"index": 1, "embedding": [1]}]},
        [],
    ],
)
def test_another_shape_is_refused(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    with pytest.raises(Refused, match="expected"):
        ask(monkeypatch, httpx.Response(200, json=answer), ["a", "b"])


def test_a_server_that_is_away_or_busy_is_asked_later(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RetryLater):
        asyncio.run(EndpointEmbedder(URL, "m").embed(["a"]))
    with pytest.raises(RetryLater):
        ask(monkeypatch, httpx.Response(503, json={}), ["a"])


def test_nothing_goes_to_another_machine_that_was_not_named_twice(tmp_path: Path) -> None:
    far = "https://api.example.com/v1"
    for agreed in (None, "example.com"):
        with pytest.raises(UserError, match=r"UNDERSTUDY_EMBEDDING_HOST=api\.example\.com"):
            make_embedder(EmbeddingPlace(far, "m", agreed_host=agreed))
    key = tmp_path / "key"
    key.write_text("secret\n")
    made = make_embedder(EmbeddingPlace(far, "m", key, "api.example.com"))
    assert isinstance(made, EndpointEmbedder)
    assert made.name == "api.example.com/m"
    for here in ("http://localhost:1/v1", "http://[::1]:1/v1", URL):
        assert isinstance(make_embedder(EmbeddingPlace(here, "m")), EndpointEmbedder)


@pytest.mark.parametrize(
    ("place", "named"),
    [
        (
            EmbeddingPlace("yes"),
            "UNDERSTUDY_EMBEDDING to be static, none or an address such as http://127.0.0.1:8001/v1, got 'yes'",
        ),
        (EmbeddingPlace("https//someone:canary@host"), "an address such as http://127.0.0.1:8001/v1; name"),
        (EmbeddingPlace("http://"), "UNDERSTUDY_EMBEDDING to be static, none or an address"),
        (EmbeddingPlace(URL), "UNDERSTUDY_EMBEDDING_MODEL"),
        (EmbeddingPlace(URL, "m", Path("nowhere")), "UNDERSTUDY_EMBEDDING_KEY_FILE"),
    ],
)
def test_what_is_set_wrongly_is_named(place: EmbeddingPlace, named: str) -> None:
    with pytest.raises(UserError, match=named):
        make_embedder(place)


def test_without_a_model_there_are_no_vectors() -> None:
    assert make_embedder(EmbeddingPlace("none")) is None
    assert isinstance(make_embedder(EmbeddingPlace()), StaticEmbedder)
