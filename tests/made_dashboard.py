"""A database as a year of reviews leaves it, made from figures and words of our own: for tests and timings of pages."""

import hashlib
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from app.dataset.building import build_snapshot
from app.domain.adapters import AdapterManifest, AdapterState
from app.domain.diff import DiffLine, Hunk
from app.domain.evals import Arm, EvalReport, Figure, GateDecision, GatePolicy, Reason
from app.domain.examples import Evidence, Example, ExampleKind, Fix
from app.domain.findings import Finding, finding_fingerprint
from app.domain.prompt import PROMPT_VERSION
from app.domain.verdicts import Feedback, decide_verdict
from app.review.coverage import Coverage, FileCoverage
from app.store.database import reading, writing
from app.store.deliveries import save_deliveries, save_installation
from app.store.feedback import save_ask, save_feedback
from app.store.learning import append_approval, append_audit, save_examples, select_approved_examples
from app.store.repositories import ensure_repository
from app.store.reviews import save_findings, save_posted_comments, save_review
from app.store.rounds import move_pointer, save_adapter_version, save_snapshot, save_training_run
from app.store.tables import (
    AdapterVersionRow,
    ApprovalRow,
    DeliveryRow,
    FeedbackRow,
    InstallationRow,
    ReviewRow,
    SnapshotRow,
    TrainingRunRow,
)
from tests.made_run import BASE

#: Of the heads that shadow mode reviewed, which no other review numbers.
KEPT_HEADS = 900_000
BEGAN = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
_AREAS = ("billing", "harbour", "ledger", "manifest", "berth", "tide", "pilot", "cargo")
_THINGS = ("invoice", "vessel", "schedule", "container", "customs form", "crane", "mooring", "receipt")
_SAID = (
    "Please take the clock from the caller here, a frozen test cannot move {thing} otherwise.",
    "This rounds twice: keep {thing} in cents until it is printed.",
    "Name the unit in the parameter; {thing} came in metres last time and in feet the time before.",
    "A retry without jitter wakes every {thing} at once. Use our backoff helper.",
    "Return early when there is no {thing}, then the rest loses a level.",
    "Log the id of the {thing} and never its content.",
)


@dataclass(frozen=True)
class Size:
    examples: int = 60
    decided: int = 24
    reviews: int = 90
    pulls: int = 40


def make_example(number: int, repository: str, repository_id: int, chance: random.Random, *, pulls: int) -> Example:
    """One of many, no two alike. Every fifth is a hunk that was left alone."""
    area, thing = chance.choice(_AREAS), chance.choice(_THINGS)
    first = chance.randrange(10, 400)
    names = [f"{area}_{chance.choice(_THINGS).replace(' ', '_')}_{number % 997}" for _ in range(6)]
    texts = [f"    {name} = load_{area}({index}, path)" for index, name in enumerate(names)]
    lines = [DiffLine(kind="context", old=first, new=first, text=f"def settle_{area}_{number}(path):")]
    lines += [DiffLine(kind="removed", old=first + 1, new=None, text="    total = 0")]
    lines += [DiffLine(kind="added", old=None, new=first + 1 + at, text=text) for at, text in enumerate(texts)]
    lines += [DiffLine(kind="context", old=first + 2, new=first + 7, text=f"    return {names[0]}")]
    is_comment = number % 5 != 0
    evidence = chance.choice(tuple(Evidence)) if is_comment else None
    fix = f"@@ -{first + 2},1 +{first + 2},1 @@\n-{texts[1]}\n+{texts[1]}  # as agreed"
    return Example(
        kind=ExampleKind.REVIEW_COMMENT if is_comment else ExampleKind.CLEAN_HUNK,
        host="github.test",
        repository_id=repository_id,
        repository=repository,
        pull_request=1 + number % pulls,
        pull_request_created_at=BEGAN + timedelta(minutes=number),
        commit_sha=hashlib.sha1(str(number).encode()).hexdigest(),  # noqa: S324  looks like a commit, no secret
        path=f"src/{area}/{thing.replace(' ', '_')}_{number % 211}.py",
        hunk=Hunk(header=f"@@ -{first},3 +{first},8 @@ class {area.title()}", lines=tuple(lines)),
        commented_lines=(first + 2,) if is_comment else (),
        comment_id=1_000_000 + number if is_comment else None,
        reviewer=chance.choice(("mara", "max")) if is_comment else None,
        line=first + 2 if is_comment else None,
        body=f"{chance.choice(_SAID).format(thing=thing)} See case {number}." if is_comment else None,
        evidence=evidence,
        fix=Fix(commit="f" * 40, hunks=(fix,)) if evidence in (Evidence.LINE, Evidence.NEAR) else None,
    )


def fill(database: sa.Engine, data: Path, installation_id: int, repositories: dict[str, int], size: Size) -> None:
    """An installation with Examples, decisions, reviews with a control group, two adapters and their runs."""
    chance = random.Random(installation_id)  # noqa: S311  the same every time
    with writing(database) as session:
        account = next(iter(repositories)).split("/")[0]
        save_installation(session, InstallationRow(id=installation_id, host="127.0.0.1", account=account))
        for name, repository_id in repositories.items():
            ensure_repository(session, installation_id, repository_id, name)
    made = _examples(size, list(repositories.items()), chance)
    left = size.decided
    while batch := list(islice(made, 2_000)):
        with writing(database) as session:
            save_examples(session, installation_id, batch, "harvest")
            for example in batch[: max(0, left)]:
                append_approval(session, _approval(installation_id, example, chance))
        left -= len(batch)
    names = _learn(database, data, installation_id)
    _review(database, installation_id, next(iter(repositories)), names, size=size, chance=chance)
    _keep(database, installation_id, next(iter(repositories)), names[1], chance=chance)
    with writing(database) as session:
        save_deliveries(session, [_delivery(installation_id, number) for number in range(size.reviews)])


def _examples(size: Size, repositories: list[tuple[str, int]], chance: random.Random) -> Iterator[Example]:
    for number in range(1, size.examples + 1):
        repository, repository_id = repositories[number % len(repositories)]
        yield make_example(number, repository, repository_id, chance, pulls=size.pulls)


def _approval(installation_id: int, example: Example, chance: random.Random) -> ApprovalRow:
    return ApprovalRow(
        example_hash=example.hash,
        installation_id=installation_id,
        repository=example.repository,
        pull_request=example.pull_request,
        decision=chance.choices(("approve", "reject"), (9, 1))[0],
        actor="mara",
        actor_role="write",
        source="label:understudy:approve@2026-02-01T09:00:00+00:00",
        content_hash=example.hash,
        idempotency_key=f"{installation_id}:{example.hash}",
    )


def _delivery(installation_id: int, number: int) -> DeliveryRow:
    body = json.dumps({"number": number, "padding": "x" * 6_000}).encode()
    outcomes = ("enqueued: review", "ignored: own act", "enqueued: harvest")
    return DeliveryRow(
        guid=f"github.test:{installation_id}-{number}",
        event="pull_request",
        action="opened",
        installation_id=installation_id,
        body=body,
        received_at=BEGAN + timedelta(minutes=number),
        handled_at=BEGAN + timedelta(minutes=number),
        outcome=outcomes[number % len(outcomes)],
    )


def _learn(database: sa.Engine, data: Path, installation_id: int) -> list[str]:
    """Two rounds: one that was promoted, retired by one that was promoted after it, and one that was held."""
    with reading(database) as session:
        rows = select_approved_examples(session, installation_id)
    folder, manifest = build_snapshot(rows, installation_id, data / "snapshots")
    names = []
    with writing(database) as session:
        shown = manifest.model_dump(mode="json")
        save_snapshot(
            session, SnapshotRow(id=manifest.id, installation_id=installation_id, path=str(folder), manifest=shown)
        )
        for seed, (verdict, state) in enumerate(
            (("promote", "retired"), ("promote", "promoted"), ("hold", "candidate"))
        ):
            version = AdapterState(state)
            names.append(_round(session, data, installation_id, manifest.id, seed=seed, verdict=verdict, state=version))
        move_pointer(session, installation_id, names[0])
        move_pointer(session, installation_id, names[1])
    return names


def _round(
    session: Session, data: Path, installation_id: int, snapshot: str, *, seed: int, verdict: str, state: AdapterState
) -> str:
    at = BEGAN + timedelta(days=30 * (seed + 1))
    manifest = AdapterManifest(
        installation=str(installation_id),
        base=BASE,
        prompt_version=PROMPT_VERSION,
        snapshot=snapshot,
        rank=16,
        seed=seed,
        config={},
        packages={},
        files={},
        created_at=at,
    )
    name, run_id = manifest.name, f"learn:{installation_id}:{at.date().isoformat()}"
    run, adapter = data / "runs" / run_id.replace(":", "-"), data / "adapters" / name
    adapter.mkdir(parents=True, exist_ok=True)
    _write_run(run, name, seed)
    save_adapter_version(session, _version(manifest, adapter, verdict, state))
    training = TrainingRunRow(
        id=run_id,
        installation_id=installation_id,
        snapshot_id=snapshot,
        state="succeeded",
        path=str(run),
        started_at=at,
        ended_at=at + timedelta(hours=2),
        detail={"reason": "new_comments"},
    )
    save_training_run(session, training)
    append_audit(
        session,
        installation_id=installation_id,
        actor="gate",
        action=f"adapter.{verdict}",
        subject=name,
        idempotency_key=f"settle:{name}",
        detail={"verdict": verdict},
    )
    return name


def _write_run(run: Path, name: str, seed: int) -> None:
    (run / "reports").mkdir(parents=True, exist_ok=True)
    (run / "run.json").write_text(json.dumps({"adapter": name}))
    (run / "progress.jsonl").write_text("".join(_progress(seed)))
    for which in ("candidate", "baseline"):
        (run / "reports" / f"{which}.json").write_text(_report(name, which, seed).model_dump_json())


def _version(manifest: AdapterManifest, folder: Path, verdict: str, state: AdapterState) -> AdapterVersionRow:
    decision = GateDecision.model_validate(
        {
            "verdict": verdict,
            "reasons": _reasons(verdict),
            "policy": GatePolicy(),
            "adapter": manifest.name,
            "suite": "s1",
        }
    )
    return AdapterVersionRow(
        name=manifest.name,
        installation_id=int(manifest.installation),
        snapshot_id=manifest.snapshot,
        state=state.value,
        path=str(folder),
        manifest=manifest.model_dump(mode="json"),
        decision=decision.model_dump(mode="json"),
        created_at=manifest.created_at,
    )


def _progress(seed: int) -> Iterator[str]:
    chance = random.Random(seed)  # noqa: S311
    for step in range(1, 181):
        loss = 1.35 + 1.6 / (1 + step / 14) + chance.uniform(-0.05, 0.05)
        figures: dict[str, Any] = {"stage": "sft", "step": step, "total": 180, "loss": loss}
        yield json.dumps(figures | {"tokens_per_second": 4_100.0, "eta_seconds": 180.0 - step}) + "\n"


def _figure(value: float, reach: float, n: int = 96) -> Figure:
    return Figure(value=value, low=value - reach, high=value + reach, n=n)


def _report(name: str, which: str, seed: int) -> EvalReport:
    better = 0.02 * seed
    own = Arm(
        nll=_figure(1.42 - better, 0.06),
        same_issue=_figure(0.41 + better, 0.09),
        schema_valid=_figure(0.99, 0.01),
        stop=_figure(0.98, 0.02),
        line_auc=_figure(0.87, 0.03),
        top_precision=_figure(0.38, 0.05),
        false_alarm=_figure(0.06, 0.03),
    )
    base = Arm(nll=_figure(2.31, 0.08), same_issue=_figure(0.12, 0.06), schema_valid=_figure(0.71, 0.08))
    retrieval = Arm(nll=_figure(1.98, 0.07), same_issue=_figure(0.19, 0.07))
    arms = {"candidate": own} if which == "candidate" else {"base": base, "retrieval": retrieval}
    return EvalReport(
        suite="s1",
        prompt_version=PROMPT_VERSION,
        base=BASE,
        adapter=name if which == "candidate" else None,
        precision="float32",
        arms=arms,
        rows=tuple(f"ex1:{number:040d}" for number in range(96)),
        paired={"candidate": (1.0,) * 96} if which == "candidate" else {"base": (2.0,) * 96},
        packages={},
        code_commit="0" * 40,
        seconds=812.0,
        created_at=BEGAN,
    )


def _reasons(verdict: str) -> tuple[Reason, ...]:
    lift = "38.5 % less loss than the base with the same prompt (35.1 to 41.9 %), 15 % are asked for"
    few = "9 held-out rows, 12 are asked for"
    return (
        Reason(
            check="heldout_rows", passed=verdict == "promote", text="96 held-out rows" if verdict == "promote" else few
        ),
        Reason(check="nll_lift", passed=True, text=lift),
        Reason(check="retrieval", passed=True, text="0.56 nats per token better than retrieval alone (0.47 to 0.64)"),
        Reason(check="hunk_dependence", passed=True, text="1.1 nats per token worse under another row's hunk"),
        Reason(check="false_alarm", passed=True, text="6 % of clean hunks disturbed (3 to 9 %), at most 10 %"),
        Reason(check="humaneval", passed=False, measured=False, text="no jail on this machine, nothing was run"),
        Reason(check="adherence", passed=True, advisory=True, text="the judge finds conventions kept more often"),
    )


def _review(
    database: sa.Engine, installation_id: int, repository: str, names: list[str], *, size: Size, chance: random.Random
) -> None:
    """Every seventh pull request is held back; posted comments are addressed more often."""
    with writing(database) as session:
        for number in range(1, size.reviews + 1):
            held = number % 7 == 0
            at, adapter = BEGAN + timedelta(hours=2 * number), names[0] if number < size.reviews // 2 else names[1]
            review = _reviewed((repository, number), number, installation_id, at)
            review.state, review.adapter = "held_back" if held else "posted", adapter
            save_review(session, review)
            save_ask(session, review.id, installation_id, at - timedelta(seconds=number % 40))
            findings = [_finding(repository, number, index, adapter, chance) for index in range(2)]
            save_findings(session, review.id, findings)
            if not held:
                first = 5_000_000 + 10 * number
                ids: dict[str, int | None] = {one.fingerprint: first + at for at, one in enumerate(findings)}
                save_posted_comments(session, review.id, ids)
            save_feedback(session, (_feedback(review, finding, held, chance) for finding in findings))


def _keep(database: sa.Engine, installation_id: int, repository: str, adapter: str, *, chance: random.Random) -> None:
    """Two reviews of before the first, in shadow mode: of the seventh pull request, later a control, and another."""
    with writing(database) as session:
        for number in (7, 8):
            review = _reviewed(
                (repository, number), KEPT_HEADS + number, installation_id, BEGAN - timedelta(days=number)
            )
            review.state, review.adapter = "shadowed", adapter
            save_review(session, review)
            save_findings(session, review.id, [_finding(repository, KEPT_HEADS + number, 0, adapter, chance)])


def _reviewed(pull: tuple[str, int], head: int, installation_id: int, at: datetime) -> ReviewRow:
    return ReviewRow(
        id=f"github.test:{installation_id}:{pull[1]}:{head:040x}",
        installation_id=installation_id,
        repository=pull[0],
        pull_request=pull[1],
        head_sha=f"{head:040x}",
        state="planned",
        coverage=_coverage(pull[1]),
        created_at=at,
        finished_at=at + timedelta(seconds=70),
    )


def _coverage(number: int) -> dict[str, Any]:
    files = [FileCoverage(path=f"src/a{index}.py", outcome="reviewed", lines_read=20) for index in range(6)]
    files.append(FileCoverage(path="poetry.lock", outcome="skipped", reason="lockfile"))
    files += [FileCoverage(path="big.sql", outcome="skipped", reason="too_large")] * (number % 3 == 0)
    return Coverage(files=tuple(files), hunks_read=9, lines_read=120).model_dump(mode="json")


def _finding(repository: str, number: int, index: int, adapter: str, chance: random.Random) -> Finding:
    thing, area = chance.choice(_THINGS), chance.choice(_AREAS)
    body, path = f"{chance.choice(_SAID).format(thing=thing)} (review {number})", f"src/{area}/{index}.py"
    return Finding(
        repository=repository,
        pull_request=number,
        path=path,
        line=14 + index,
        body=body,
        severity="minor",
        fingerprint=finding_fingerprint(path, f"line {number}", body),
        locator_score=0.8,
        acceptance_score=0.7,
        adapter=adapter,
    )


def _feedback(review: ReviewRow, finding: Finding, held: bool, chance: random.Random) -> FeedbackRow:
    changed = chance.random() < (0.2 if held else 0.62)
    change = Evidence.LINE if changed else Evidence.UNCHANGED
    signs = Feedback(change=change, state="merged", thumbs_down=0 if held else int(chance.random() < 0.06))
    return FeedbackRow(
        review_id=review.id,
        fingerprint=finding.fingerprint,
        installation_id=review.installation_id,
        repository=review.repository,
        pull_request=review.pull_request,
        held_back=held,
        verdict=decide_verdict(signs).value,
        signs=signs.model_dump(mode="json"),
        head_sha=review.head_sha,
        line_text="total = 0",
        pull_request_created_at=review.created_at,
        consent="evidence",
    )
