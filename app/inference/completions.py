"""Asks the served adapter for a comment. The schema is enforced while decoding, so an answer has the agreed shape."""

import time
from collections.abc import Sequence
from typing import Any

import httpx

from app.domain.base import Record
from app.domain.errors import Refused
from app.domain.prompt import RESPONSE_SCHEMA, Message
from app.inference.wire import FrontClient, send
from app.watching.metrics import MODEL_CALLS, MODEL_SECONDS, MODEL_TOKENS
from app.watching.tracing import CLIENT, span

#: Seconds for one answer: a CPU that trains at the same time is slow.
ANSWER_LIMIT_SECONDS = 300.0


class Completion(Record):
    """`finish_reason` is `stop` for a whole answer and `length` for one that was cut."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float


class CompletionClient(FrontClient):
    """Needs the reading key."""

    def __init__(self, base_url: str, key: str, *, limit_seconds: float = ANSWER_LIMIT_SECONDS) -> None:
        super().__init__(base_url, key, limit_seconds=limit_seconds)

    async def complete(
        self,
        *,
        model: str,
        messages: Sequence[Message],
        max_tokens: int,
        cache_salt: str | None = None,
        schema: dict[str, Any] = RESPONSE_SCHEMA,
        temperature: float = 0,
        seed: int | None = None,
    ) -> Completion:
        """The likeliest answer (temperature 0), or with a seed a sample that comes again under the same seed.

        `cache_salt`, the installation, keeps tenants' caches apart.

        Raises:
            RetryLater: the server is away or starting.
            Refused: the server will not do it, for instance because `model` is not served (`unknown_name`) or the
                messages are longer than it takes (`too_long`).
        """
        body: dict[str, Any] = {
            "model": model,
            "messages": [message.model_dump() for message in messages],
            "max_tokens": max_tokens,
            "temperature": temperature,
            "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}},
        }
        if cache_salt is not None:
            body["cache_salt"] = cache_salt
        if seed is not None:
            body["seed"] = seed
        began, outcome = time.monotonic(), "failed"
        with span("ask model", CLIENT, model=model) as current:
            try:
                answer = await send(self._http, "POST", "/v1/chat/completions", body)
                completion = _parse(answer, seconds=time.monotonic() - began)
                outcome = completion.finish_reason if completion.finish_reason in ("stop", "length") else "other"
            finally:
                MODEL_CALLS.labels(outcome).inc()
                MODEL_SECONDS.observe(time.monotonic() - began)
            for kind, tokens in (("prompt", completion.prompt_tokens), ("completion", completion.completion_tokens)):
                MODEL_TOKENS.labels(kind).inc(tokens)
                current.set_attribute(f"understudy.{kind}_tokens", tokens)
        return completion


def _parse(answer: httpx.Response, *, seconds: float) -> Completion:
    try:
        found = answer.json()
        choice, usage = found["choices"][0], found["usage"]
        return Completion(
            text=choice["message"]["content"] or "",
            finish_reason=choice["finish_reason"],
            prompt_tokens=usage["prompt_tokens"],
            completion_tokens=usage["completion_tokens"],
            seconds=seconds,
        )
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise Refused("answer", "the model server answered in an unknown shape; is it OpenAI-compatible?") from error
