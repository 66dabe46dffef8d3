"""Puts questions to a judge over `/v1/messages`, cached, budgeted and in parallel. An answer is whole or there is none.

Not protected against: a judge that is talked into a verdict by the code it reads. It decides nothing but a figure.
"""

import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anthropic import Anthropic, APIError, APIStatusError, transform_schema
from anthropic.types import Message
from pydantic import ValidationError

from app.domain.base import Record, content_hash
from app.domain.errors import UserError
from training.evaluation.judging.questions import ANSWERS, Question, Ratings, SameIssue
from training.evaluation.judging.settings import JudgeSettings
from training.process.files import load_record, save_record

Answers = dict[str, SameIssue | Ratings]
#: Statuses that no second question can cure: a wrong key, a wrong name, a wrong address.
_FINAL = (401, 403, 404)
#: Failures in a row after which the judge is taken to be away.
_PATIENCE = 8


class KeptAnswer(Record):
    """An answer on disk. `example` says what it derives from, for an erasure; the question itself is not kept."""

    judge: str
    question: str
    example: str
    answer: dict[str, Any]


@dataclass
class Tally:
    """What one evaluation asked. `models`: the names that the endpoint said it answered under."""

    asked: int = 0
    from_cache: int = 0
    tokens: int = 0
    unanswered: int = 0
    failures_in_a_row: int = 0
    models: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)


def open_client(settings: JudgeSettings) -> Anthropic:
    """With the key the settings name and no other: given one, the SDK does not ask the environment."""
    key, anthropic = settings.read_key(), settings.endpoint == "anthropic"
    return Anthropic(
        api_key=key if anthropic else None,
        auth_token=None if anthropic else key,
        base_url=settings.address,
        max_retries=settings.retries,
        timeout=settings.timeout_seconds,
    )


class Asker:
    """One judge during one evaluation."""

    def __init__(self, settings: JudgeSettings, client: Anthropic) -> None:
        self._settings = settings
        self._client = client
        self._calls_left = settings.max_calls
        self.tally = Tally()

    def ask(self, questions: Iterable[Question]) -> Answers:
        """Answers by question id; what is missing was not answered in the agreed shape, or not at all.

        Equal questions are asked once. Those over the budget are not asked.

        Raises:
            UserError: when the endpoint refuses the key, or does not know the name.
        """
        wanted = {question.id: question for question in questions}
        found = {key: kept for key, question in wanted.items() if (kept := self._kept(question)) is not None}
        fresh = [question for key, question in wanted.items() if key not in found]
        affordable = fresh[: self._calls_left]
        self._calls_left -= len(affordable)
        answered = self._ask_all(affordable)
        self.tally.asked += len(wanted)
        self.tally.from_cache += len(found)
        self.tally.unanswered += len(fresh) - len(answered)
        return found | answered

    def _ask_all(self, questions: Sequence[Question]) -> Answers:
        answers: Answers = {}
        with ThreadPoolExecutor(self._settings.at_once) as pool:
            try:
                for question, answer in zip(questions, pool.map(self._ask_one, questions), strict=True):
                    if answer is not None:
                        answers[question.id] = answer
            except UserError:
                pool.shutdown(cancel_futures=True)
                raise
        return answers

    def _ask_one(self, question: Question) -> SameIssue | Ratings | None:
        if self.tally.tokens >= self._settings.max_tokens or self.tally.failures_in_a_row >= _PATIENCE:
            return None
        try:
            message = self._send(question)
        except APIStatusError as error:
            if error.status_code in _FINAL:
                raise UserError(
                    f"the judge at {self._settings.address} answered {error.status_code} for {self._settings.model}; "
                    "check its url, model and key_file"
                ) from error
            self._count_failure()
            return None
        except (APIError, ValidationError):
            self._count_failure()
            return None
        self._count(message)
        return self._read(question, message)

    def _send(self, question: Question) -> Message:
        """The reply, held against the SDK's own types, which it does not do by itself."""
        schema = transform_schema(ANSWERS[question.kind])
        # Anthropic's newer models take no temperature; elsewhere the likeliest answer is the repeatable one.
        extra = {"temperature": 0} if self._settings.endpoint == "local" else None
        reply = self._client.messages.with_raw_response.create(
            model=self._settings.model,
            max_tokens=self._settings.answer_tokens,
            system=question.system,
            messages=[{"role": "user", "content": question.user}],
            output_config={"format": {"type": "json_schema", "schema": schema}},
            extra_body=extra,
        )
        return Message.model_validate_json(reply.read())

    def _read(self, question: Question, message: Message) -> SameIssue | Ratings | None:
        text = "".join(block.text for block in message.content if block.type == "text")
        try:
            answer = ANSWERS[question.kind].model_validate_json(text)
        except ValidationError:
            return None
        self._keep(question, answer)
        return answer

    def _count(self, message: Message) -> None:
        with self.tally.lock:
            self.tally.failures_in_a_row = 0
            self.tally.tokens += message.usage.input_tokens + message.usage.output_tokens
            self.tally.models.add(message.model)

    def _count_failure(self) -> None:
        with self.tally.lock:
            self.tally.failures_in_a_row += 1

    def _place(self, question: Question) -> Path | None:
        if self._settings.cache is None:
            return None
        name = content_hash("ja1", [self._settings.address, self._settings.model, question.id])
        return self._settings.cache / f"{name.split(':')[1]}.json"

    def _kept(self, question: Question) -> SameIssue | Ratings | None:
        path = self._place(question)
        if path is None or not path.is_file():
            return None
        kept = load_record(path, KeptAnswer, what="a judge's answer")
        return ANSWERS[question.kind].model_validate(kept.answer)

    def _keep(self, question: Question, answer: SameIssue | Ratings) -> None:
        path = self._place(question)
        if path is not None:
            kept = KeptAnswer(
                judge=self._settings.model,
                question=question.id,
                example=question.example,
                answer=answer.model_dump(mode="json"),
            )
            save_record(path, kept)
