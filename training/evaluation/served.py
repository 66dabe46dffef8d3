"""The same questions as `scoring.Scorer` asks, put to the running server: figures about what is served.

Prompts go as the token ids that training encodes, so a difference between two engines is the engine's. The server's own
rendering of messages is proven elsewhere, by the template's hash.
"""

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from app.domain.adapters import AdapterManifest, BaseCheckpoint
from app.domain.errors import Refused, RetryLater, UserError
from app.domain.loopback import is_loopback
from app.domain.prompt import Message
from app.domain.serving import BASE_NAME, EngineCard
from training.evaluation.engines import Answer, Told
from training.process.files import load_record
from training.rows.tokenising import Tokenizer, TokenRow

#: Requests in flight; vLLM batches them, and as many sequences are what `serving run` lets it hold.
_AT_ONCE = 8
#: Seconds for one answer: a CPU that trains at the same time is slow.
_ANSWER_LIMIT_SECONDS = 300.0
#: Seconds between tries while the server is away or starting; after the last the work is put off.
_PAUSES = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Served:
    """Where the front of `python -m serving run` listens, its read key, and the name to ask (the base, or an adapter).

    `pauses`: seconds between tries.
    """

    url: str
    key: str
    name: str = BASE_NAME
    pauses: tuple[float, ...] = _PAUSES


def open_served(url: str, key_file: Path, name: str | None, adapter: Path | None) -> Served:
    """What to ask: the name given, else the adapter's own, else the base.

    Raises:
        UserError: when the key can't be read, or the adapter has no manifest to be named by.
    """
    try:
        key = key_file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UserError(f"expected the server's read key in {key_file}, got {error.strerror!r}") from error
    if name is None and adapter is not None:
        name = load_record(adapter / "manifest.json", AdapterManifest, what="the manifest of a served adapter").name
    return Served(url=url.rstrip("/"), key=key, name=name or BASE_NAME)


def check_served(served: Served, adapter: str | None) -> None:
    """An adapter's name says its content, so figures are about the weights they are headed with.

    Raises:
        Refused: when another name would be asked than the one measured (None: the base).
    """
    expected = adapter or BASE_NAME
    if served.name != expected:
        raise Refused(
            "other_name",
            f"expected the server to be asked for {expected}, got {served.name}; its figures would be headed with "
            "another's name. Give the adapter's folder with --adapter, or none for the base",
        )


class ServedScorer:
    """An `Engine` over HTTP. Close it."""

    def __init__(self, served: Served, checkpoint: BaseCheckpoint, tokenizer: Tokenizer) -> None:
        """Ask the server who it is.

        Raises:
            UserError: when the name is not served.
            Refused: when another base is served, or the server does not answer as our front does.
            RetryLater: when it is away.
        """
        self._served = served
        self._tokenizer = tokenizer
        self._http = httpx.Client(
            base_url=served.url,
            headers={"authorization": f"Bearer {served.key}"},
            timeout=_ANSWER_LIMIT_SECONDS,
            trust_env=not is_loopback(httpx.URL(served.url).host),
        )
        with ExitStack() as undo:
            undo.callback(self.close)
            self._card = EngineCard.model_validate(self._ask("GET", "/v1/engine"))
            self._check(checkpoint)
            undo.pop_all()

    def _check(self, checkpoint: BaseCheckpoint) -> None:
        if self._card.base != checkpoint:
            raise Refused(
                "other_base",
                f"the server holds base {_spell(self._card.base)}, the base given is {_spell(checkpoint)}; name the "
                "one that is served",
            )
        names = [card["id"] for card in self._ask("GET", "/v1/models")["data"]]
        if self._served.name not in names:
            raise UserError(
                f"expected {self._served.name} to be served at {self._served.url}, found {', '.join(names)}; load it "
                "first"
            )

    @property
    def name(self) -> str:
        return self._card.engine

    @property
    def precision(self) -> str:
        return self._card.precision

    def logprobs(self, rows: Sequence[TokenRow], told: Told | None = None) -> list[float]:
        return self._each(rows, self._logprob, told)

    def answers(self, prompts: Sequence[Sequence[Message]], limit: int, told: Told | None = None) -> list[Answer]:
        return self._each(prompts, lambda prompt: self._answer(prompt, limit), told)

    @contextmanager
    def without_adapter(self) -> Iterator[None]:
        """Within: the base's name is asked."""
        adapted = self._served
        self._served = dataclasses.replace(adapted, name=BASE_NAME)
        try:
            yield
        finally:
            self._served = adapted

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _each(self, items: Sequence[ItemT], ask: Callable[[ItemT], ResultT], told: Told | None) -> list[ResultT]:
        results = []
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            try:
                for result in pool.map(ask, items):
                    results.append(result)
                    if told is not None:
                        told(len(results), len(items))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        return results

    def _logprob(self, row: TokenRow) -> float:
        scored = self._complete(row.tokens, max_tokens=1, prompt_logprobs=0)["prompt_logprobs"]
        wanted = [
            float(entry[str(token)]["logprob"])
            for entry, token in zip(scored[row.prompt_tokens :], row.tokens[row.prompt_tokens :], strict=True)
        ]
        return sum(wanted) / len(wanted)

    def _answer(self, prompt: Sequence[Message], limit: int) -> Answer:
        choice = self._complete(self._tokenizer.prompt(prompt), max_tokens=limit)
        return Answer(text=choice["text"], stopped=choice["finish_reason"] == "stop")

    def _complete(self, tokens: Sequence[int], **options: int) -> dict[str, Any]:
        answer = self._ask("POST", "/v1/completions", {"model": self._served.name, "prompt": list(tokens), **options})
        choice: dict[str, Any] = answer["choices"][0]
        return choice

    def _ask(self, method: str, route: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        for pause in self._served.pauses:
            try:
                return self._try(method, route, body)
            except RetryLater:
                time.sleep(pause)
        return self._try(method, route, body)

    def _try(self, method: str, route: str, body: dict[str, Any] | None) -> dict[str, Any]:
        try:
            answer = self._http.request(method, route, json=body)
        except httpx.TransportError as error:
            raise RetryLater(f"no answer from {self._served.url} ({type(error).__name__})", _PAUSES[-1]) from error
        if answer.status_code in (502, 503, 504):
            raise RetryLater(f"{self._served.url} answered {answer.status_code}: it is starting, or busy", _PAUSES[-1])
        if answer.is_error:
            # The front's own words never repeat content, vLLM's name lengths and limits.
            raise Refused("endpoint", f"{self._served.url}{route} answered {answer.status_code}: {answer.text[:300]}")
        found: dict[str, Any] = answer.json()
        return found


def _spell(base: BaseCheckpoint) -> str:
    return f"{base.name} {base.revision} (weights {base.weights_hash[:12]})"
