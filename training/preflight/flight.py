"""The pre-flight: the advisor, every check, the estimate and one pass of the longest batch, before an hour is spent."""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.domain.adapters import BaseCheckpoint
from app.domain.advice import AdviceCounts, MethodAdvice, MethodFacts, advise, advise_method
from app.domain.errors import UserError
from app.domain.estimates import Device, Estimate, Price, gib
from app.domain.goldens import Goldens
from app.domain.preflight import Finding, PreflightReport
from app.domain.snapshots import CommentRow
from training.base.goldens import check_goldens, load_goldens
from training.base.tokens import load_tokenizer
from training.config import TrainingConfig
from training.preflight import checks
from training.preflight.actual import read_resident
from training.preflight.device import read_device
from training.preflight.estimate import ModelShape, estimate_memory, estimate_seconds, make_setting, read_shape
from training.preflight.longest_batch import LoraTrainee, split_plan, try_batches
from training.preflight.planned import Planned, plan_training
from training.preflight.rows_check import Preflight, preflight
from training.preflight.tokens_histogram import decide_answer_tokens, measure_rows, render_bars
from training.process.environment import use_threads
from training.process.files import is_json, load_record, save_record
from training.recipes.method import read_parameters
from training.recipes.task import Task
from training.rows.snapshot import Snapshot
from training.rows.tokenising import Tokenizer

FILE = "preflight.json"
#: The largest rank of the servers, unless they are started with another (`serving run --max-rank`).
MAX_RANK = 16


@dataclass(frozen=True)
class Flight:
    """What is about to be trained. `despite`: train even where the advice is not to."""

    snapshot: Snapshot
    base: Path
    checkpoint: BaseCheckpoint
    config: TrainingConfig
    max_rank: int = MAX_RANK
    despite: bool = False
    price: Price | None = None
    #: what the passes are timed by; processor time where other work on the machine would hide what is asked
    clock: Callable[[], float] = time.perf_counter


def ensure_preflight(flight: Flight, out: Path) -> PreflightReport:
    """`preflight.json` of the run folder: made now or, in a folder that goes on, read and the tokens compared anew."""
    path = out / FILE
    if is_json(path):
        found = load_record(path, PreflightReport, what="a pre-flight")
        findings = check_tokens(flight.base, flight.checkpoint, load_tokenizer(flight.base))
        return found.model_copy(update={"findings": (*found.findings, *findings)})
    report = run_preflight(flight)
    save_record(path, report)
    return report


def require_sound(report: PreflightReport) -> None:
    """Raises: UserError with every refusal."""
    if report.refusals:
        said = "\n".join(f"  {finding.check}: {finding.text}" for finding in report.refusals)
        raise UserError(f"the pre-flight refuses to train:\n{said}")


def run_preflight(flight: Flight) -> PreflightReport:
    """Everything that can be known before the first step.

    Raises:
        UserError: when no row is left to look at, or the template can't render rows at all.
    """
    config, tokenizer = flight.config, load_tokenizer(flight.base)
    comments = flight.snapshot.comments("train")
    checked = preflight(comments, tokenizer, config)
    histogram = measure_rows(checked.encoded, max_length=config.max_length)
    answer_tokens = decide_answer_tokens(histogram)
    counts = count_rows(comments, flight.snapshot.comments("heldout"))
    device, shape = read_device(), read_shape(_read_config(flight.base))
    method = advise_method(_method_facts(flight.base, shape, device, counts.examples))
    task = Task(flight.snapshot, flight.base, flight.checkpoint, config, flight.base, None)
    planned = plan_training(task, checked, tokenizer)
    advice = advise(counts)
    findings = [
        *checks.check_advice(advice, despite=flight.despite),
        *checks.check_method(method, chosen=planned.method, rank=config.rank),
        *checks.check_rank(config.rank, max_rank=flight.max_rank),
        *checks.check_lengths(histogram, max_length=config.max_length),
        *checks.check_answers(histogram, config, answer_tokens=answer_tokens),
        *checks.check_labels([row.accepted for row in flight.snapshot.outcomes("train")], needed=False),
        *check_tokens(flight.base, flight.checkpoint, tokenizer),
        *check_rows(checked, tokenizer, shape),
    ]
    estimate, tried = _estimate(flight, planned, shape, device, tokenizer, sound=not _refused(findings))
    return PreflightReport(
        snapshot=flight.snapshot.id,
        base=flight.checkpoint.name,
        advice=advice,
        method=method,
        histogram=histogram,
        estimate=estimate,
        answer_tokens=answer_tokens,
        findings=(*findings, *tried),
        created_at=datetime.now(UTC),
    )


def count_rows(train: Sequence[CommentRow], heldout: Sequence[CommentRow]) -> AdviceCounts:
    """The counts the advice rests on. Every row was approved, so every row counts; contradictions are one prompt with
    different words.
    """
    top = Counter(row.reviewer for row in train).most_common(1)
    said: dict[tuple[object, ...], set[tuple[object, ...]]] = defaultdict(set)
    for row in train:
        said[row.prompt].add(row.completion)
    words = Counter(row.completion for row in train)
    return AdviceCounts(
        examples=len(train) + len(heldout),
        heldout=len(heldout),
        top_reviewer=top[0][0] if top else None,
        top_reviewer_share=top[0][1] / len(train) if top else None,
        contradictions=sum(len(answers) > 1 for answers in said.values()),
        repeated=len(train) - len(words),
    )


def check_rows(checked: Preflight, tokenizer: Tokenizer, shape: ModelShape | None) -> list[Finding]:
    rows, beginning = checked.encoded, tokenizer.beginning
    return [
        *checks.check_endings(rows, end=tokenizer.end),
        *checks.check_turn_end(rows, turn_end=tokenizer.turn_end(), end=tokenizer.end),
        *checks.check_trained_share(rows),
        *checks.check_openings(rows, beginning=beginning, opens_turns=tokenizer.turn_start() == beginning),
        *([] if shape is None else checks.check_vocabulary(tokens=len(tokenizer.raw), rows=shape.vocabulary)),
    ]


def check_tokens(base: Path, checkpoint: BaseCheckpoint, tokenizer: Tokenizer) -> list[Finding]:
    """The tokenizer and template against the base's golden tokens; that there are none is said."""
    stored: Goldens | None = load_goldens(base, name=checkpoint.name)
    if stored is None:
        text = f"{base} has no golden tokens (it is older than they are); a changed tokenizer would go unnoticed"
        return [Finding(check="goldens", severity="note", text=text, mode=17)]
    try:
        check_goldens(stored, tokenizer)
    except UserError as error:
        return [Finding(check="goldens", severity="refuse", text=str(error), mode=17)]
    return []


def _estimate(
    flight: Flight, planned: Planned, shape: ModelShape | None, device: Device, tokenizer: Tokenizer, *, sound: bool
) -> tuple[Estimate | None, tuple[Finding, ...]]:
    """Memory from the shape; time from real passes, unless something refuses or it would not fit."""
    if shape is None:
        text = "this architecture is described in words this program does not know; memory and time are not estimated"
        return None, (Finding(check="estimate", severity="note", text=text),)
    batches = split_plan(planned.plan, flight.config.batch_rows)
    shapes = [planned.shape(batch) for batch in batches]
    setting = make_setting(
        flight.config,
        method=planned.method,
        precision=planned.precision,
        attention=planned.attention,
        fused=planned.fused,
    )
    _import_trainer()
    memory = estimate_memory(shape, setting, shapes, device, libraries=read_resident())
    estimate = Estimate(
        method=planned.method,
        rank=flight.config.rank,
        device=device,
        memory=memory,
        steps=-(-len(batches) // flight.config.accumulate),
        positions=sum(batch.positions for batch in shapes),
        seconds=None,
        basis=None,
        price=flight.price,
    )
    tight = checks.check_memory(estimate)
    if tight or not sound:
        return estimate, tuple(tight)
    use_threads(flight.config.threads)
    passes = try_batches(
        lambda: LoraTrainee(planned.attach(), precision=planned.precision, pad=tokenizer.pad),
        batches,
        shape=planned.shape,
        clock=flight.clock,
    )
    seconds = estimate_seconds(passes.timings, shapes, setup=passes.setup, looked_at=planned.looked_at)
    basis = None if seconds is None else "measured"
    return estimate.model_copy(update={"seconds": seconds, "basis": basis}), passes.findings


def _method_facts(base: Path, shape: ModelShape | None, device: Device, examples: int) -> MethodFacts:
    return MethodFacts(
        parameters=read_parameters(base) if shape is None else shape.parameters,
        accelerator=device.memory if device.kind == "cuda" else None,
        examples=examples,
    )


def _read_config(base: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((base / "config.json").read_bytes())
    return found


def _import_trainer() -> None:
    """The libraries that a training holds anyway are in memory before memory is read."""
    import trl.trainer.sft_trainer  # noqa: F401


def _refused(findings: Sequence[Finding]) -> bool:
    return any(finding.severity == "refuse" for finding in findings)


def render_report(report: PreflightReport) -> list[str]:
    """A few lines for a person: advice, method, lengths, what it takes, and what was found."""
    lines = [f"advice: {report.advice.sentence}", f"method: {_method_line(report.method)}"]
    histogram = report.histogram
    lines.append(
        f"rows: {histogram.rows}, median {histogram.median} tokens, p99 {histogram.p99}, longest {histogram.longest}; "
        f"{histogram.over_length:.1%} over length; {histogram.trained:.0%} of the tokens trained "
        f"({histogram.trained_least:.0%} to {histogram.trained_most:.0%} of a row); answers up to "
        f"{report.answer_tokens} tokens"
    )
    lines += render_bars(histogram)
    if report.estimate is not None:
        lines.append(_estimate_line(report.estimate))
    lines += [f"{finding.severity}: {finding.check}: {finding.text}" for finding in report.findings]
    return lines


def _method_line(method: MethodAdvice) -> str:
    why = "; ".join(f"{fired.rule}: {fired.says} ({fired.figure})" for fired in method.fired)
    return f"{method.method}, rank {method.rank} [{why}]"


def _estimate_line(estimate: Estimate) -> str:
    said = f"estimate: {estimate.method} at rank {estimate.rank} on {estimate.device.name}: "
    said += f"{gib(estimate.memory.total)} of memory ({gib(estimate.device.free)} free), {estimate.steps} steps"
    if estimate.seconds is not None:
        said += f", about {estimate.seconds / 60:.1f} minutes"
    if estimate.money is not None and estimate.price is not None:
        said += f", {estimate.money:.2f} {estimate.price.currency}"
    return said
