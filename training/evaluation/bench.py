"""The engine, the suite, and the two things that are asked of every arm: what it makes of comments, and its own."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.domain.prompt import Message, parse_completion
from app.domain.snapshots import CommentRow
from training.config import TrainingConfig
from training.evaluation.engines import Answer, Engine, Told
from training.evaluation.measures import mean_figure, share_figure, style_figure
from training.evaluation.neighbours import read_comment
from training.evaluation.prompting import Prompt
from training.evaluation.sheet import Sheet, Written
from training.evaluation.suite import Suite
from training.process.progress import Progress
from training.rows.tokenising import Tokenizer


@dataclass(frozen=True)
class Bench:
    """Measures arms and writes them on the sheet."""

    engine: Engine
    suite: Suite
    train: tuple[CommentRow, ...]
    tokenizer: Tokenizer
    config: TrainingConfig
    progress: Progress
    sheet: Sheet = field(default_factory=Sheet)

    def losses(self, stage: str, rows: Sequence[CommentRow], prompts: Sequence[Prompt]) -> tuple[float, ...]:
        """Completion NLL per token (nats) of each row's comment under the prompt at its place."""
        encoded = [
            self.tokenizer.row(row.example, prompt, row.completion) for row, prompt in zip(rows, prompts, strict=True)
        ]
        values = self.engine.logprobs(encoded, tell(self.progress, f"evaluate:{stage}"))
        return tuple(round(-value, 6) for value in values)

    def score(self, arm: str, rows: Sequence[CommentRow], prompts: Sequence[Prompt]) -> None:
        """The arm's held-out NLL, on all rows of the suite or on some."""
        losses = self.losses(arm, rows, prompts)
        self.sheet.add(arm, nll=mean_figure(losses))
        self.sheet.paired[arm] = losses
        if len(losses) < len(self.suite.rows):
            self.sheet.scored[arm] = tuple(row.example for row in rows)

    def answer(self, arm: str, rows: Sequence[CommentRow], prompts: Sequence[Prompt]) -> None:
        """The arm's own comments, greedy and without a schema: what the weights do of themselves."""
        answers = self.ask(arm, prompts)
        self.sheet.add(
            arm,
            schema_valid=share_figure([parse_completion(answer.text) is not None for answer in answers]),
            stop=share_figure([answer.stopped for answer in answers]),
        )
        self.write(arm, rows, [read_answer(answer) for answer in answers])

    def ask(self, stage: str, prompts: Sequence[Prompt]) -> list[Answer]:
        return self.engine.answers(prompts, self.config.answer_tokens, tell(self.progress, f"answer:{stage}"))

    def write(self, arm: str, rows: Sequence[CommentRow], comments: Sequence[str]) -> None:
        """Comments of an arm, from weights or not, to be held against the team's."""
        self.sheet.written[arm] = Written(tuple(rows), tuple(comments))
        self.sheet.add(arm, style_distance=style_figure(comments, [read_comment(row) for row in rows]))

    def count(self, messages: Sequence[Message]) -> int:
        """Tokens of a conversation under the base's template."""
        return len(self.tokenizer.prompt(messages))


def read_answer(answer: Answer) -> str:
    """The comment in an answer, or all of it where it has not the agreed shape."""
    return parse_completion(answer.text) or answer.text


def tell(progress: Progress, stage: str) -> Told:
    started = time.monotonic()

    def told(done: int, total: int) -> None:
        seconds = time.monotonic() - started
        progress.report(stage, done, total, eta_seconds=seconds / done * (total - done))

    return told
