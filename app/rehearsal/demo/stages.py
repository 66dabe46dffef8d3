"""The stages of the demo, each doing one real thing and returning its figures. A stage that did nothing raises."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.domain.adapters import AdapterManifest
from app.domain.errors import UserError
from app.domain.evals import EvalReport, Figure
from app.rehearsal.demo.context import Demo
from app.rehearsal.learning_view import read_registry, read_reports
from app.rehearsal.organisation.play import label_history, play_history
from app.store.database import reading
from app.store.learning import select_approvals_in_force, select_audit, select_examples, select_rejections

_HARVEST_SECONDS = 300.0
_CURATION_SECONDS = 180.0
_LEARNING_SECONDS = 1_500.0
_SERVING_SECONDS = 300.0

Figures = dict[str, Any]


@dataclass(frozen=True)
class Stage:
    """A chapter: what is told before it, and the act that does it."""

    name: str
    title: str
    words: str
    act: Callable[[Demo], Figures]


def describe_organisation(demo: Demo) -> Figures:
    organisation = demo.organisation
    kinds = Counter(thread.kind for thread in organisation.threads)
    reviewers = sorted({thread.author for thread in organisation.threads if thread.kind == "rule"})
    demo.story.say(
        f"{len(organisation.repositories)} repositories, {len(organisation.merged)} merged pull requests, "
        f"{len(organisation.threads)} review threads by {len(reviewers)} reviewers ({', '.join(reviewers)})"
    )
    demo.story.say("threads: " + ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()))
    rules = sorted({thread.rule for thread in organisation.threads if thread.rule})
    return {
        "repositories": len(organisation.repositories),
        "merged_pull_requests": len(organisation.merged),
        "threads": len(organisation.threads),
        "thread_kinds": dict(kinds),
        "reviewers": reviewers,
        "rules": rules,
        "noise": demo.noise,
    }


def harvest(demo: Demo) -> Figures:
    """Replay the history: each merge is a signed webhook, and the service harvests it over HTTP and git."""
    pulls = len(demo.organisation.merged)
    play_history(
        demo.organisation,
        demo.standin,
        on_pull=lambda done, total: demo.story.progress(f"merged {done}/{total} pull requests"),
    )
    demo.server.drain(_HARVEST_SECONDS)
    demo.wait_idle(
        "harvest",
        lambda status: (
            f"{status.get('rows', {}).get('us_example', 0)} Examples, {len(status.get('running', []))} to go"
        ),
        timeout_seconds=_HARVEST_SECONDS,
    )
    installation = demo.standin.installation_id
    with reading(demo.database) as session:
        examples = select_examples(session, installation)
        rejections = select_rejections(session, installation)
    evidence = Counter(row.evidence or "left alone" for row in examples)
    reasons = Counter(row.reason for row in rejections)
    requests = [record for record in demo.standin.requests if record.route != "git"]
    if not evidence.total() - evidence["left alone"]:
        raise UserError("the harvest found no review comment; see app.log in the work folder")
    per_pull = len(requests) / pulls
    demo.story.say(f"{len(examples)} Examples by what git shows: {_counts(evidence)}")
    demo.story.say(f"{len(rejections)} Rejections, each with a reason: {_counts(reasons)}")
    demo.story.say(f"{per_pull:.1f} API requests per pull request")
    return {
        "examples": len(examples),
        "evidence": dict(evidence),
        "rejections": dict(reasons),
        "requests_per_pull_request": round(per_pull, 2),
    }


def curate(demo: Demo) -> Figures:
    """Maintainers label; whoever has no write access is refused, by what the API says at that moment."""
    label_history(demo.organisation, demo.standin)
    demo.server.drain(_CURATION_SECONDS)
    demo.wait_idle(
        "curation",
        lambda status: f"{status.get('rows', {}).get('us_approval', 0)} decisions",
        timeout_seconds=_CURATION_SECONDS,
    )
    with reading(demo.database) as session:
        approvals = select_approvals_in_force(session, demo.standin.installation_id)
        known = {row.hash for row in select_examples(session, demo.standin.installation_id)}
    decisions = Counter(row.decision for digest, row in approvals.items() if digest in known)
    refusals = Counter(_refused_labels(demo))
    if not decisions["approve"]:
        raise UserError("no Example was approved; the labels of the demo's maintainer had no effect")
    demo.story.say(f"{_counts(decisions)}; {len(known) - decisions.total()} Examples nobody decided about stay out")
    for who, count in refusals.items():
        demo.story.say(f"{count} label refused: {who}")
    return {"decisions": dict(decisions), "undecided": len(known) - decisions.total(), "refused": dict(refusals)}


def _refused_labels(demo: Demo) -> list[str]:
    """Labels put by people whose role the service did not accept, from the audit."""
    with reading(demo.database) as session:
        rows = select_audit(session, action="curation.refused")
    return [f"{row.actor} ({row.detail.get('role', 'unknown role')})" for row in rows]


def learn(demo: Demo) -> Figures:
    """One learning round, asked for as the schedule would."""
    demo.serving.program.wait_until(
        demo.serving.is_ready,
        timeout_seconds=_SERVING_SECONDS,
        tick=lambda: demo.story.progress("waiting for the model server, which has warmed up meanwhile"),
    )
    demo.app.train(demo.standin.installation_id)
    run = demo.wait_learning(timeout_seconds=_LEARNING_SECONDS)
    manifest = AdapterManifest.model_validate_json((run / "version" / "manifest.json").read_text())
    decision, candidate, baseline = read_reports(run)
    demo.story.say("adapter ", (manifest.name, "bold"), f", rank {manifest.rank}, from snapshot {manifest.snapshot}")
    arms = {**baseline.arms, **candidate.arms}
    measures = ("nll", "location_hit", "false_alarm", "schema_valid", "stop")
    rows = [[name, *(_figure(getattr(arm, measure)) for measure in measures)] for name, arm in arms.items()]
    demo.story.table(["arm", "NLL per token", "lines found", "clean hunks alarmed", "schema", "stops"], rows)
    return {
        "adapter": manifest.name,
        "snapshot": manifest.snapshot,
        "verdict": decision.verdict,
        "arms": {name: arm.model_dump(mode="json") for name, arm in arms.items()},
        "nll_below_base": _lift(candidate, baseline),
        "heldout_rows": len(candidate.rows),
        "training_seconds": round(candidate.seconds, 1),
        "packages": manifest.packages,
        "base": manifest.base.model_dump(),
    }


def gate(demo: Demo) -> Figures:
    """What the gate said, reason by reason."""
    run = demo.wait_learning(timeout_seconds=5)
    decision, *_ = read_reports(run)
    for reason in decision.reasons:
        demo.story.say(("✓", "green") if reason.passed else ("✗", "red"), f" {reason.text}")
    demo.story.say("verdict: ", (decision.verdict, "bold"))
    registry = read_registry(demo.database, demo.standin.installation_id)
    promoted = registry["serving"] is not None
    if demo.noise and promoted:
        raise UserError("the gate promoted an adapter that was trained on noise")
    if not demo.noise and decision.verdict != "promote":
        raise UserError("the gate did not promote the adapter; its reasons are above")
    return {"decision": decision.model_dump(mode="json"), **registry}


def check_served(demo: Demo) -> Figures:
    """The probe of the loaded adapter: what is served is what was trained, and it is not the base."""
    registry = read_registry(demo.database, demo.standin.installation_id)
    name = registry["serving"]
    if name is None:
        raise UserError(f"no adapter is served: {registry['versions']}")
    probe = json.loads((demo.app.data / "probes" / f"{name}.json").read_text())
    demo.story.say(
        f"served by vLLM as {name}: at most {max(probe['parity']):.3f} nats per token from what training measured, "
        f"at least {min(probe['effect']):.2f} from the base"
    )
    return {"name": name, "probe": probe}


def _lift(candidate: EvalReport, baseline: EvalReport) -> float | None:
    ours, theirs = candidate.arms["candidate"].nll, baseline.arms["base"].nll
    return None if ours is None or theirs is None else round(1 - ours.value / theirs.value, 4)


def _figure(figure: Figure | None) -> str:
    return "–" if figure is None else f"{figure.value:.2f} ({figure.low:.2f}–{figure.high:.2f})"


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counter.most_common())
