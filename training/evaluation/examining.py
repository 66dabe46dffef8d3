"""The held-out part, measured: base and nearest without an adapter; candidate and its control with one.

The control `other_hunk` scores the same comments under the hunk of another held-out row. An adapter that only learned
how this team sounds does as well there as under the right hunk; the difference is what it understood of the code.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from app.domain.adapters import AdapterManifest, BaseCheckpoint, check_base
from app.domain.base import content_hash
from app.domain.errors import Refused, UserError
from app.domain.evals import Arm, EvalReport
from app.domain.prompt import PROMPT_VERSION, parse_completion
from app.domain.snapshots import CommentRow
from training.base.precision import SERVED
from training.base.tokens import load_tokenizer
from training.config import TrainingConfig
from training.evaluation.measures import mean_figure, share_figure, style_figure
from training.evaluation.neighbours import judge_same_issue, pick_nearest, read_comment
from training.evaluation.places import Places, measure_places
from training.evaluation.scoring import Scorer, Told
from training.process.environment import read_code_commit, read_packages, use_threads
from training.process.files import load_record
from training.process.progress import Progress
from training.process.runkey import read_key
from training.rows.snapshot import Snapshot
from training.rows.tokenising import Tokenizer
from training.scores.locator import KIND, fit_locator, judge_lines, read_texts
from training.scores.text_scores import TextScores, load_scores

ArmName = Literal["candidate", "current"]


@dataclass(frozen=True)
class Suite:
    """The held-out rows and how they are measured; two reports compare only when this is equal."""

    id: str
    rows: tuple[CommentRow, ...]
    asked: tuple[CommentRow, ...]


@dataclass(frozen=True)
class Examination:
    """Everything an evaluation is made of. Without an adapter the base is measured."""

    snapshot: Snapshot
    base: Path
    checkpoint: BaseCheckpoint
    config: TrainingConfig
    adapter: Path | None = None
    arm: ArmName = "candidate"


def plan_suite(snapshot: Snapshot, config: TrainingConfig) -> Suite:
    """The held-out rows to score and the fewer ones to answer, spread evenly over time.

    Raises:
        UserError: when the snapshot holds nothing out.
    """
    heldout = sorted(snapshot.comments("heldout"), key=lambda row: (row.created_at, row.example))
    if not heldout:
        raise UserError(f"{snapshot.folder} holds out no comments; a snapshot needs some to prove anything")
    rows = _thin(heldout, config.heldout_rows)
    asked = _thin(rows, config.generated_rows) if config.generated_rows else []
    said = {
        "rows": [row.example for row in rows],
        "asked": [row.example for row in asked],
        "answer_tokens": config.answer_tokens,
        "snapshot": snapshot.id,
    }
    return Suite(content_hash("su1", said), tuple(rows), tuple(asked))


def evaluate(examination: Examination, progress: Progress) -> EvalReport:
    """Measure one side of the comparison.

    Raises:
        UserError: when the adapter folder is none, or nothing is held out.
        Refused: when the adapter was trained on another base; nothing is loaded then.
    """
    started = time.monotonic()
    use_threads(examination.config.threads)
    suite = plan_suite(examination.snapshot, examination.config)
    name = _check_adapter(examination)
    tokenizer = load_tokenizer(examination.base)
    scorer = Scorer(examination.base, examination.adapter, tokenizer)
    bench = _Bench(examination, suite, scorer, tokenizer, progress)
    arms, paired, notes = bench.measure_base() if examination.adapter is None else bench.measure_adapter()
    return EvalReport(
        suite=suite.id,
        prompt_version=PROMPT_VERSION,
        base=examination.checkpoint,
        adapter=name,
        precision=SERVED,
        arms=arms,
        rows=tuple(row.example for row in suite.rows),
        paired=paired,
        packages=read_packages(),
        code_commit=read_code_commit(),
        seconds=round(time.monotonic() - started, 2),
        created_at=datetime.now(UTC),
        notes=tuple(notes),
    )


Measured = tuple[dict[str, Arm], dict[str, tuple[float, ...]], list[str]]


@dataclass(frozen=True)
class _Bench:
    """The loaded weights and what is asked of them."""

    examination: Examination
    suite: Suite
    scorer: Scorer
    tokenizer: Tokenizer
    progress: Progress

    def measure_base(self) -> Measured:
        losses = self._losses("base", self.suite.rows)
        arms = {
            "base": self._answers("base").model_copy(update={"nll": mean_figure(losses)}),
            "nearest": self._nearest(),
        }
        return arms, {"base": losses}, []

    def measure_adapter(self) -> Measured:
        name = self.examination.arm
        losses = self._losses(name, self.suite.rows)
        places, note = _measure_locator(self.examination)
        found = {"nll": mean_figure(losses), "location_hit": places.hit, "false_alarm": places.alarm}
        arms: dict[str, Arm] = {
            name: self._answers(name).model_copy(update=found),
            "chance": Arm(location_hit=places.chance),
        }
        paired: dict[str, tuple[float, ...]] = {name: losses}
        if name == "candidate":
            paired["other_hunk"] = self._losses("other_hunk", pick_strangers(self.suite.rows))
            arms["other_hunk"] = Arm(nll=mean_figure(paired["other_hunk"]))
        return arms, paired, [note]

    @property
    def _train(self) -> list[CommentRow]:
        return self.examination.snapshot.comments("train")

    def _losses(self, name: str, asked: Sequence[CommentRow]) -> tuple[float, ...]:
        """Completion NLL per token (nats) of the suite's comments under the prompts of `asked`."""
        rows = [
            self.tokenizer.row(row.example, ask.prompt, row.completion)
            for ask, row in zip(asked, self.suite.rows, strict=True)
        ]
        values = self.scorer.logprobs(rows, _teller(self.progress, f"evaluate:{name}"))
        return tuple(round(-value, 6) for value in values)

    def _answers(self, name: str) -> Arm:
        """Greedy answers without a schema: what the weights do of themselves."""
        prompts = [row.prompt for row in self.suite.asked]
        told = _teller(self.progress, f"answer:{name}")
        answers = self.scorer.answers(prompts, self.examination.config.answer_tokens, told)
        written = [parse_completion(answer.text) or answer.text for answer in answers]
        return self._judge(written).model_copy(
            update={
                "schema_valid": share_figure([parse_completion(answer.text) is not None for answer in answers]),
                "stop": share_figure([answer.stopped for answer in answers]),
            }
        )

    def _nearest(self) -> Arm:
        train = self._train
        return self._judge(pick_nearest(train, self.suite.asked)) if train and self.suite.asked else Arm()

    def _judge(self, written: Sequence[str]) -> Arm:
        wanted = [read_comment(row) for row in self.suite.asked]
        return Arm(
            style_distance=style_figure(written, wanted),
            same_issue=share_figure(judge_same_issue(self._train, written, wanted)),
        )


def pick_strangers(rows: Sequence[CommentRow]) -> list[CommentRow]:
    """For each row another one whose comment differs, of another pull request where there is one. Deterministic."""
    picked = []
    for index, row in enumerate(rows):
        others = [rows[(index + len(rows) // 2 + step) % len(rows)] for step in range(len(rows))]
        differing = [other for other in others if other.completion != row.completion] or others
        distant = [other for other in differing if other.pull_request != row.pull_request] or differing
        picked.append(distant[0])
    return picked


def _measure_locator(examination: Examination) -> tuple[Places, str]:
    locator = _find_locator(examination)
    if locator.abstains:
        return Places(None, None, None), f"Locator {locator.sentence}"
    lines = judge_lines(examination.snapshot.hunks("heldout"))
    if not lines.sites:
        return Places(None, None, None), "no judged line is held out"
    scores = locator.score(read_texts(lines.sites), len(lines.sites))
    return measure_places(lines, scores, locator.threshold), f"Locator: {locator.sentence}"


def _find_locator(examination: Examination) -> TextScores:
    """The version's own; an adapter that comes without one is measured with one fitted on the same snapshot."""
    stored = examination.adapter / "locator.skops" if examination.adapter is not None else None
    if stored is not None and stored.is_file():
        return load_scores(stored, KIND)
    return fit_locator(examination.snapshot.hunks("train"), alarms=examination.config.alarms_per_clean_hunk)


def _check_adapter(examination: Examination) -> str | None:
    if examination.adapter is None:
        return None
    stated = examination.adapter / "manifest.json"
    if stated.is_file():
        manifest = load_record(stated, AdapterManifest, what="an adapter's manifest")
        check_base(manifest, examination.checkpoint)
        return manifest.name
    key = read_key(examination.adapter)
    if key is not None and key.base != examination.checkpoint:
        raise Refused(
            "other_base",
            f"the adapter in {examination.adapter} was trained on base {_spell(key.base)}, the base given is "
            f"{_spell(examination.checkpoint)}; name the one it was trained on",
        )
    return examination.adapter.name


def _spell(base: BaseCheckpoint) -> str:
    return f"{base.name} {base.revision} (weights {base.weights_hash[:12]})"


def _thin(rows: Sequence[CommentRow], count: int) -> list[CommentRow]:
    """At most `count` rows at even distances; 0 takes all."""
    if not count or count >= len(rows):
        return list(rows)
    return [rows[index * len(rows) // count] for index in range(count)]


def _teller(progress: Progress, stage: str) -> Told:
    started = time.monotonic()

    def told(done: int, total: int) -> None:
        seconds = time.monotonic() - started
        progress.report(stage, done, total, eta_seconds=seconds / done * (total - done))

    return told
