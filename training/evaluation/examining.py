"""The held-out part, measured: what needs no training without an adapter; an adapter and its control with one.

The control `other_hunk` scores the same comments under the hunk of another held-out row. An adapter that only learned
how this team sounds does as well there as under the right hunk; the difference is what it understood of the code.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

from app.domain.adapters import BaseCheckpoint
from app.domain.evals import AcceptanceRecord, CanaryRecord, EvalReport, Forgetting, RegressionRecord, Sample
from app.domain.prompt import PROMPT_VERSION
from app.domain.snapshots import CommentRow
from training.base.tokens import load_tokenizer
from training.config import TrainingConfig
from training.evaluation.baselines import measure_baselines
from training.evaluation.bench import Bench, read_answer
from training.evaluation.engines import Bare, Engine
from training.evaluation.judge import TEAM_EXAMPLES, Judge, ModelJudge, WordJudge, judge_sheet
from training.evaluation.judging.questions import Case
from training.evaluation.judging.settings import JudgeSettings, check_judge
from training.evaluation.naming import CONTROLS, ArmName, name_adapter
from training.evaluation.neighbours import read_comment
from training.evaluation.prompting import choose_shots
from training.evaluation.regression import FEW, ensure_pinned, record_regression
from training.evaluation.scoring import Scorer
from training.evaluation.served import Served, ServedScorer, check_served
from training.evaluation.sheet import Sheet
from training.evaluation.suite import pick_strangers, plan_suite
from training.evaluation.whether import measure_whether, open_filter
from training.evaluation.whole import Where, add_whole, measure_where, open_locator
from training.forgetting.canaries import measure_canaries
from training.forgetting.measuring import measure_forgetting
from training.process.environment import read_code_commit, read_packages, use_threads
from training.process.progress import Progress
from training.rows.snapshot import Snapshot
from training.rows.tokenising import Tokenizer


class Harm(TypedDict, total=False):
    """Fields of `EvalReport`."""

    forgetting: Forgetting
    canaries: CanaryRecord


#: Characters of the team's own comments that a judge sees, all together.
_TEAM_CHARACTERS = 3_000


@dataclass(frozen=True)
class Examination:
    """Everything an evaluation is made of. Without an adapter the base is measured.

    `served`: ask this server and not weights of our own. `judge`: who may judge, None for nobody. `pinned`: the file of
    the installation's regression set, which is asked of adapters only.
    """

    snapshot: Snapshot
    base: Path
    checkpoint: BaseCheckpoint
    config: TrainingConfig
    adapter: Path | None = None
    arm: ArmName = "candidate"
    served: Served | None = None
    judge: JudgeSettings | None = None
    pinned: Path | None = None


def evaluate(examination: Examination, progress: Progress) -> EvalReport:
    """Measure one side of the comparison.

    Raises:
        UserError: when the adapter folder is none, nothing is held out, or the judge or server can't be asked.
        Refused: when the adapter or the server is of another base, or the base would judge itself; nothing is loaded
            then.
        RetryLater: when the server is away.
    """
    started = time.monotonic()
    use_threads(examination.config.threads)
    suite = plan_suite(examination.snapshot, examination.config)
    adapter = name_adapter(examination.adapter, examination.checkpoint)
    if examination.served is not None:
        check_served(examination.served, adapter)
    tokenizer = load_tokenizer(examination.base)
    train = tuple(examination.snapshot.comments("train"))
    judge = _open_judge(examination, train)
    with _open_engine(examination, tokenizer) as engine:
        bench = Bench(engine, suite, train, tokenizer, examination.config, progress)
        where = _measure(examination, bench)
        judge_sheet(bench.sheet, judge)
        regression = _measure_regression(examination, bench, judge)
        harm = _measure_harm(examination, bench)
        heading = {"engine": engine.name, "precision": engine.precision}
    if where is not None:
        add_whole(bench.sheet, examination.arm, where, examination.snapshot.hunks("heldout"))
    return EvalReport(
        suite=suite.id,
        prompt_version=PROMPT_VERSION,
        base=examination.checkpoint,
        adapter=adapter,
        arms=bench.sheet.arms(),
        rows=tuple(row.example for row in suite.rows),
        pull_requests=tuple(f"{row.repository}#{row.pull_request}" for row in suite.rows),
        paired=bench.sheet.paired,
        packages=read_packages(),
        code_commit=read_code_commit(),
        seconds=round(time.monotonic() - started, 2),
        created_at=datetime.now(UTC),
        notes=(*bench.sheet.notes, *judge.notes()),
        scored=bench.sheet.scored,
        samples=tuple(_sample(row) for row in suite.asked),
        answers={arm: item.comments for arm, item in bench.sheet.written.items() if item.rows == suite.asked},
        judge=judge.record(),
        regression=regression,
        acceptance=_measure_acceptance(examination),
        **heading,
        **harm,
    )


def _measure(examination: Examination, bench: Bench) -> Where | None:
    if examination.adapter is None:
        measure_baselines(bench)
        return None
    arm, rows, asked = examination.arm, bench.suite.rows, bench.suite.asked
    where = None if arm in CONTROLS else _measure_where(examination, bench.sheet)
    bench.score(arm, rows, [row.prompt for row in rows])
    bench.answer(arm, asked, [row.prompt for row in asked])
    if arm == "candidate":
        bench.score("other_hunk", rows, [row.prompt for row in pick_strangers(rows)])
        bench.sheet.notes.append(
            f"not measured: {', '.join(CONTROLS)} (trained controls; `.venv/bin/python -m training controls` makes a "
            "report of each)"
        )
    return where


def _measure_where(examination: Examination, sheet: Sheet) -> Where:
    """The place for what is measured of where: the Locator's own figures, and baselines that need no adapter."""
    locator = open_locator(examination.snapshot, examination.adapter, alarms=examination.config.alarms_per_clean_hunk)
    where = measure_where(examination.snapshot, locator, baseline="tfidf" in examination.config.arms)
    sheet.add(examination.arm, location_hit=where.places.hit, false_alarm=where.places.alarm)
    for arm, ranking in ((examination.arm, where.ranking), ("tfidf", where.tfidf)):
        if ranking is not None:
            sheet.add(arm, **asdict(ranking))
    sheet.add("chance", location_hit=where.places.chance)
    sheet.notes.append(where.note)
    return where


def _measure_harm(examination: Examination, bench: Bench) -> Harm:
    """What was forgotten, asked of both sides; and what comes out that should not, asked of the candidate."""
    if examination.adapter is not None and examination.arm != "candidate":
        return {}
    harm: Harm = {"forgetting": measure_forgetting(bench.engine, bench.tokenizer, bench.config)}
    if examination.adapter is not None and bench.config.canaries:
        harm["canaries"] = measure_canaries(
            bench.engine,
            bench.train,
            count=bench.config.canaries,
            limit=bench.config.answer_tokens,
            bare=Bare(bench.engine),
        )
    return harm


def _sample(row: CommentRow) -> Sample:
    return Sample(example=row.example, prompt=row.prompt[-1].content, reference=read_comment(row))


def _measure_regression(examination: Examination, bench: Bench, judge: Judge) -> RegressionRecord | None:
    if examination.pinned is None or examination.adapter is None or examination.arm in CONTROLS:
        return None
    pinned = ensure_pinned(examination.pinned, examination.snapshot.comments("heldout"))
    answers = [read_answer(answer) for answer in bench.ask("pinned", [row.prompt for row in pinned.prompts])]
    cases = [
        Case(row.example, row.prompt[-1].content, row.reference, answer)
        for row, answer in zip(pinned.prompts, answers, strict=True)
    ]
    taught = {row.example for row in bench.train} & {row.example for row in pinned.prompts}
    if taught:
        bench.sheet.notes.append(
            f"regression: {len(taught)} of {len(pinned.prompts)} pinned prompts have come into the training part since"
        )
    if len(pinned.prompts) < FEW:
        bench.sheet.notes.append(f"regression: only {len(pinned.prompts)} pinned prompts; {FEW} to 50 are wanted")
    return record_regression(pinned, answers, [verdict.same for verdict in judge.decide(cases)])


def _measure_acceptance(examination: Examination) -> AcceptanceRecord | None:
    fitted = open_filter(examination.adapter) if examination.adapter is not None else None
    return None if fitted is None else measure_whether(examination.snapshot.outcomes("heldout"), fitted)


@contextmanager
def _open_engine(examination: Examination, tokenizer: Tokenizer) -> Iterator[Engine]:
    if examination.served is None:
        yield Scorer(examination.base, examination.adapter, tokenizer)
        return
    with ServedScorer(examination.served, examination.checkpoint, tokenizer) as scorer:
        yield scorer


def _open_judge(examination: Examination, train: Sequence[CommentRow]) -> Judge:
    settings = examination.judge
    if settings is None:
        return WordJudge(train)
    check_judge(settings, examination.checkpoint)
    from training.evaluation.judging.asking import Asker, open_client

    team = choose_shots(
        train, TEAM_EXAMPLES, _TEAM_CHARACTERS, lambda messages: sum(len(message.content) for message in messages)
    )
    return ModelJudge(settings, Asker(settings, open_client(settings)), [read_comment(row) for row in team])
