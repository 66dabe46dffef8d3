"""Texts as vectors: by the static embeddings that the package `wordllama` carries, or by an endpoint that speaks
OpenAI's `/v1/embeddings`. Rows have length 1, or 0 for a text without words.

Of `wordllama` only two files are used, its weights and its tokenizer: its own loader looks for the latter elsewhere and
would fetch it. A text's vector is the mean of its tokens' vectors, as that package makes it.
"""

import asyncio
import importlib.util
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import httpx
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from app.domain.errors import Refused, UserError
from app.domain.explaining import show_given
from app.domain.loopback import is_loopback
from app.inference.wire import FrontClient, send

Vectors = NDArray[np.float32]

#: Tokens and characters of a text that are read.
_TOKENS = 512
_CHARACTERS = 4_000
#: Texts of one request, or of one batch.
_BATCH = 64
#: Numbers in one vector: more than any model in use makes.
_LONGEST = 8_192
_LIMIT_SECONDS = 60.0


class Embedder(Protocol):
    """`name` tells vectors of one model from those of another."""

    @property
    def name(self) -> str: ...

    async def embed(self, texts: Sequence[str]) -> Vectors: ...


class StaticEmbedder:
    """Works offline; 256 numbers a text. Loaded on first use, once per process, in 16 MB."""

    name = "wordllama/l2_supercat_256"

    async def embed(self, texts: Sequence[str]) -> Vectors:
        return await asyncio.to_thread(embed_static, texts)


def embed_static(texts: Sequence[str]) -> Vectors:
    model = _load_static()
    rows = [_pool(model, batch) for batch in _batches(texts)]
    return _normalise(np.concatenate(rows)) if rows else np.zeros((0, model.weights.shape[1]), dtype=np.float32)


class _Static(NamedTuple):
    weights: NDArray[np.float16]
    tokenizer: Tokenizer


@cache
def _load_static() -> _Static:
    """Raises:
    UserError: when the package is not there, or holds other files.
    """
    found = importlib.util.find_spec("wordllama")
    folder = Path((found.submodule_search_locations or [""])[0]) if found is not None else Path()
    try:
        weights = load_file(folder / "weights/l2_supercat_256.safetensors")["embedding.weight"]
        tokenizer = Tokenizer.from_file(str(folder / "tokenizers/l2_supercat_tokenizer_config.json"))
    except Exception as error:  # the tokenizer's loader raises nothing narrower
        raise UserError(
            f"expected the weights of wordllama's l2_supercat_256 in {folder}, could not read them ({error}); install "
            "requirements.txt, or set UNDERSTUDY_EMBEDDING=none"
        ) from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(_TOKENS)
    return _Static(weights, tokenizer)


def _pool(model: _Static, texts: Sequence[str]) -> Vectors:
    encoded = model.tokenizer.encode_batch([text[:_CHARACTERS] for text in texts], add_special_tokens=False)
    width = model.weights.shape[1]
    rows = [model.weights[one.ids].mean(axis=0, dtype=np.float32) if one.ids else np.zeros(width) for one in encoded]
    return np.asarray(rows, dtype=np.float32)


class EmbeddingPlace(NamedTuple):
    """What the operator said: `kind` is `static`, `none`, or an address such as http://127.0.0.1:8001/v1. Another
    machine is asked only when `agreed_host` names it once more, for what teams wrote goes there."""

    kind: str = "static"
    model: str | None = None
    key_file: Path | None = None
    agreed_host: str | None = None


def make_embedder(place: EmbeddingPlace) -> Embedder | None:
    """None where names alone are to be compared.

    Raises:
        UserError: for anything but what EmbeddingPlace says, naming the variable to set.
    """
    if place.kind in ("static", "none"):
        return StaticEmbedder() if place.kind == "static" else None
    url = _parse_url(place.kind)
    if not place.model:
        raise UserError(f"expected UNDERSTUDY_EMBEDDING_MODEL to name the model that {url.host} serves, got nothing")
    if not is_loopback(url.host) and place.agreed_host != url.host:
        raise UserError(
            f"expected UNDERSTUDY_EMBEDDING_HOST={url.host}, got {place.agreed_host or 'nothing'}: what teams wrote "
            "would go to that host, and nothing leaves this machine without your naming it"
        )
    return EndpointEmbedder(place.kind, place.model, _read_key(place.key_file))


def _parse_url(address: str) -> httpx.URL:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        raise UserError(
            "expected UNDERSTUDY_EMBEDDING to be static, none or an address such as http://127.0.0.1:8001/v1"
            f"{show_given(address)}; name one of them"
        )
    return url


def _read_key(file: Path | None) -> str:
    try:
        return "" if file is None else file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"expected a key in {file} (UNDERSTUDY_EMBEDDING_KEY_FILE), could not read it") from error


class EndpointEmbedder:
    """Any server with `/embeddings` under `url`, such as http://127.0.0.1:8001/v1. What is asked is sent there."""

    def __init__(self, url: str, model: str, key: str = "") -> None:
        self._url, self._model, self._key = url, model, key

    @property
    def name(self) -> str:
        return f"{httpx.URL(self._url).host}/{self._model}"

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Raises:
        RetryLater: while the server is away or overloaded.
        Refused: when it will not, or answers in another shape.
        """
        rows = []
        async with FrontClient(self._url, self._key, limit_seconds=_LIMIT_SECONDS) as client:
            for batch in _batches(texts):
                body = {"model": self._model, "input": [text[:_CHARACTERS] or " " for text in batch]}
                rows.append(_parse(await send(client.http, "POST", "embeddings", body), len(batch)))
        return _normalise(np.concatenate(rows)) if rows else np.zeros((0, 1), dtype=np.float32)


def _parse(answer: httpx.Response, wanted: int) -> Vectors:
    try:
        listed: list[dict[str, Any]] = sorted(answer.json()["data"], key=lambda item: int(item["index"]))
        rows = np.asarray([item["embedding"] for item in listed], dtype=np.float32)
    except (ValueError, KeyError, TypeError) as error:
        raise Refused("answer", "expected embeddings in OpenAI's shape, got another") from error
    if rows.ndim != 2 or len(rows) != wanted or rows.shape[1] > _LONGEST or not np.isfinite(rows).all():
        raise Refused(
            "answer", f"expected {wanted} vectors of one length, {_LONGEST} numbers at most, got shape {rows.shape}"
        )
    return rows


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    return (texts[start : start + _BATCH] for start in range(0, len(texts), _BATCH))


def _normalise(rows: Vectors) -> Vectors:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1), dtype=np.float32)
