"""`python -m app rehearse`: a recorded project through the real loop, over HTTP, with nothing posted anywhere.

Its pull requests are merged one by one on the stand-in GitHub over a copy of the real repository; the service harvests
them as it would on GitHub. Up to `review`, the newest fifth is opened for review instead of being learned from.
"""

import json
import secrets
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from app.dataset.building import build_snapshot
from app.dataset.listing import examples_jsonl
from app.domain.base import canonical_json
from app.domain.errors import UserError
from app.domain.examples import Example, Rejection
from app.rehearsal.app_program import AppProgram
from app.rehearsal.archive import ArchivedPullRequest, read_archive
from app.rehearsal.backtest import PullBacktest, measure_backtest, spell_share
from app.rehearsal.backtesting import find_reviewed, let_refused_review, read_backtest
from app.rehearsal.base import ensure_base
from app.rehearsal.commands import Until
from app.rehearsal.console import Narrator
from app.rehearsal.learning_view import find_run, read_progress, read_registry, read_reports, require_decision
from app.rehearsal.playback import Mirror, check_heads, open_recorded, play_history, set_up
from app.rehearsal.report_page import render_report
from app.rehearsal.serving_program import ServingProgram
from app.rehearsal.standin import StandIn, StandInServer
from app.rehearsal.work_folder import clear_work
from app.store.database import open_engine, reading
from app.store.learning import (
    select_approvals_in_force,
    select_approved_examples,
    select_approved_written,
    select_examples,
    select_rejections,
)
from app.store.reviews import select_findings, select_reviews

SCHEMA = "rehearsal/1"
#: Share of the pull requests, oldest first, that are learned from when the rehearsal goes on to reviews.
LEARNED_SHARE = 0.8
_STEP_SECONDS = 3_600.0
_SERVING_SECONDS = 300.0


@dataclass
class Rehearsal:
    """One playing. `report` grows with every stage and is written at the end."""

    out: Path
    rows: tuple[ArchivedPullRequest, ...]
    mirror: Mirror
    story: Narrator
    standin: StandIn
    server: StandInServer
    app: AppProgram
    database: Engine
    report: dict[str, Any] = field(default_factory=dict)
    pulls: tuple[PullBacktest, ...] = ()

    @property
    def installation(self) -> int:
        return self.standin.installation_id


def rehearse(
    archive: Path,
    mirror: Path,
    out: Path,
    *,
    until: Until,
    base: Path,
    training_config: Path | None,
    story: Narrator,
    host: str = "",
) -> None:
    """Play the archive and write examples.jsonl, findings.jsonl, requests.json, report.json and report.html to `out`.

    `host`: where the archive was recorded just now, empty for one that was there.

    Raises:
        UserError: for an archive or a mirror that can't be played, and for a stage that did not do its work.
    """
    rows, source = read_archive(archive), Mirror(mirror)
    check_heads(source, rows)
    out = out.absolute()
    work = out / "work"
    clear_work(work)
    started = time.monotonic()
    with ExitStack() as stack:
        secret = secrets.token_hex(24)
        standin = StandIn(work / "github", webhook_secret=secret)
        server = stack.enter_context(StandInServer(standin))
        set_up(standin, rows[0].repo, source)
        serving = ServingProgram(work, base=base)
        app = AppProgram(
            work, standin, webhook_secret=secret, base=base, serving=serving.state, training_config=training_config
        )
        database = _start(stack, server, app, story)
        rehearsal = Rehearsal(out, rows, source, story, standin, server, app, database)
        learned = rows[: max(1, int(len(rows) * LEARNED_SHARE))] if until is Until.REVIEW else rows
        _harvest(rehearsal, learned)
        if until is not Until.HARVEST:
            _snapshot(rehearsal)
        if until in (Until.TRAIN, Until.REVIEW):
            ensure_base(base, work / "base.log", story)
            serving.start()
            stack.callback(serving.program.stop)
            _train(rehearsal, serving)
        if until is Until.REVIEW:
            _review(rehearsal, rows[len(learned) :])
        seconds = round(time.monotonic() - started, 1)
        rehearsal.report |= {"schema": SCHEMA, "until": until.value, "host": host, "seconds": seconds}
        _write(rehearsal)


def _start(stack: ExitStack, server: StandInServer, app: AppProgram, story: Narrator) -> Engine:
    """The service, which ends with the stack; returns its database."""
    stack.callback(app.program.stop)
    app.start(lambda: story.progress("starting the service"))
    server.deliver_to(f"{app.url}/webhooks")
    database = open_engine(app.database_url)
    stack.callback(database.dispose)
    return database


def _harvest(rehearsal: Rehearsal, rows: tuple[ArchivedPullRequest, ...]) -> None:
    story, started = rehearsal.story, time.monotonic()
    story.open("Harvest", f"{len(rows)} pull requests of {rows[0].repo} are merged one by one.")
    for played, _ in enumerate(play_history(rehearsal.standin, rehearsal.mirror, rows), 1):
        story.progress(f"merged {played}/{len(rows)}")
    rehearsal.server.drain(_STEP_SECONDS)
    _settle(rehearsal, "harvested {us_example} Examples")
    seconds = time.monotonic() - started
    with reading(rehearsal.database) as session:
        evidence = Counter(row.evidence for row in select_examples(session, rehearsal.installation) if row.evidence)
        reasons = Counter(row.reason for row in select_rejections(session, rehearsal.installation))
    story.say(f"evidence: {dict(evidence.most_common())}")
    story.say(f"rejected: {dict(reasons.most_common())}")
    story.say(f"{seconds / len(rows):.2f} s per pull request")
    rehearsal.report["harvest"] = {
        "pull_requests": len(rows),
        "seconds": round(seconds, 1),
        "evidence": dict(evidence),
        "rejections": dict(reasons),
    }


def _settle(rehearsal: Rehearsal, words: str) -> None:
    rehearsal.app.wait_idle(
        timeout_seconds=_STEP_SECONDS,
        tick=lambda status: rehearsal.story.progress(
            f"{words.format(**status['rows'])}, {len(status['running'])} to go" if status else "waiting"
        ),
    )
    failed = rehearsal.app.status()["failed"]
    if failed:
        raise UserError(f"{len(failed)} workflows failed; the first, {failed[0]['id']}: {failed[0]['error']}")


def _snapshot(rehearsal: Rehearsal) -> None:
    with reading(rehearsal.database) as session:
        rows = select_approved_examples(session, rehearsal.installation)
        written = select_approved_written(session, rehearsal.installation)
    folder, manifest = build_snapshot(rows, rehearsal.installation, rehearsal.app.data / "snapshots", written=written)
    rehearsal.story.open("Snapshot", f"{manifest.id} in {folder}")
    rehearsal.story.say(f"rows: {manifest.counts}")
    rehearsal.story.say(f"left out: {manifest.left_out}")
    rehearsal.report["snapshot"] = manifest.model_dump(mode="json")


def _train(rehearsal: Rehearsal, serving: ServingProgram) -> None:
    story = rehearsal.story
    story.open("Learning", "Locator, adapter, AcceptanceFilter, evaluation, gate.")
    serving.program.wait_until(
        serving.is_ready, timeout_seconds=_SERVING_SECONDS, tick=lambda: story.progress("starting the model server")
    )
    rehearsal.app.train(rehearsal.installation)
    rehearsal.app.wait_idle(
        timeout_seconds=_STEP_SECONDS,
        tick=lambda _: story.progress(read_progress(find_run(rehearsal.database, rehearsal.installation))),
    )
    run = require_decision(rehearsal.database, rehearsal.installation, rehearsal.app.status())
    decision, candidate, baseline = read_reports(run)
    for reason in decision.reasons:
        story.say(f"{'✓' if reason.passed else '✗'} {reason.text}")
    story.say(f"verdict: {decision.verdict}")
    rehearsal.report["learning"] = {
        "decision": decision.model_dump(mode="json"),
        "arms": {
            name: arm.model_dump(mode="json") for report in (baseline, candidate) for name, arm in report.arms.items()
        },
        **read_registry(rehearsal.database, rehearsal.installation),
    }


def _review(rehearsal: Rehearsal, rows: tuple[ArchivedPullRequest, ...]) -> None:
    story, mirror = rehearsal.story, rehearsal.mirror
    story.open("Review", f"The newest {len(rows)} pull requests are opened as their first reviewer met them.")
    refused = let_refused_review(rehearsal.database, rehearsal.installation)
    if refused is not None:
        story.say("The gate let none pass: on GitHub nothing would be said. Its newest candidate would say this.")
    for row in rows:
        open_recorded(rehearsal.standin, mirror, row, at=find_reviewed(mirror, row), emit=True)
    rehearsal.server.drain(_STEP_SECONDS)
    _settle(rehearsal, "{us_review} reviews")
    rehearsal.pulls = tuple(read_backtest(rehearsal.database, rehearsal.installation, mirror, rows))
    figures = measure_backtest(rehearsal.pulls)
    story.say(f"{figures.reviewed} of {figures.pull_requests} reviewed, {figures.silent} without a word")
    story.say(f"{figures.findings} comments, of which people also made {spell_share(figures.precision)}")
    story.say(f"{figures.placed} of {figures.findings} stand on a line that git itself shows in the diff")
    story.say(f"of {figures.remarks} comments of people, found {spell_share(figures.recall)}")
    states = Counter(pull.state for pull in rehearsal.pulls)
    rehearsal.report["review"] = {"states": dict(states), "refused": refused, **figures.model_dump(mode="json")}


def _write(rehearsal: Rehearsal) -> None:
    """Every file of the field interface, each written anew."""
    out = rehearsal.out
    out.mkdir(parents=True, exist_ok=True)
    with reading(rehearsal.database) as session:
        examples = [Example.model_validate(row.payload) for row in select_examples(session, rehearsal.installation)]
        rejections = [
            Rejection.model_validate(row.payload) for row in select_rejections(session, rehearsal.installation)
        ]
        approvals = select_approvals_in_force(session, rehearsal.installation)
        reviews = select_reviews(session, rehearsal.installation)
        findings = [(review, row) for review in reviews for row in select_findings(session, review.id)]
    examples_jsonl(
        out / "examples.jsonl", examples, rejections, {digest: row.decision for digest, row in approvals.items()}
    )
    lines = [
        {
            "repository": review.repository,
            "pull_request": review.pull_request,
            "path": row.path,
            "line": row.line,
            "start_line": row.payload.get("start_line"),
            "body": row.body,
            "severity": row.severity,
            "fingerprint": row.fingerprint,
            "posted": row.posted,
            "adapter": review.adapter,
        }
        for review, row in findings
    ]
    (out / "findings.jsonl").write_text("".join(canonical_json(line) + "\n" for line in lines), encoding="utf-8")
    requests = _requests(rehearsal)
    (out / "requests.json").write_text(json.dumps(requests, indent=1), encoding="utf-8")
    rehearsal.report |= {"repository": rehearsal.rows[0].repo, "requests": requests["per_pull_request"]}
    (out / "report.json").write_text(json.dumps(rehearsal.report, indent=1), encoding="utf-8")
    (out / "report.html").write_text(render_report(rehearsal.report, examples, rehearsal.pulls), encoding="utf-8")
    rehearsal.story.open("Written", str(out))
    rehearsal.story.say(f"{requests['per_pull_request']['mean']:.2f} API requests per pull request")


def _requests(rehearsal: Rehearsal) -> dict[str, Any]:
    """API calls by pull request; those of no pull request (tokens) are shared out, git fetches are counted apart."""
    api = [record for record in rehearsal.standin.requests if record.route != "git"]
    by_pull = Counter(record.pull_request for record in api if record.pull_request is not None)
    shared = len(api) - by_pull.total()
    return {
        "by_pull_request": {str(number): count for number, count in sorted(by_pull.items())},
        "of_no_pull_request": shared,
        "git_fetches": len(rehearsal.standin.requests) - len(api),
        "per_pull_request": {
            "mean": round(len(api) / len(rehearsal.rows), 3),
            "most": max(by_pull.values(), default=0),
        },
        "by_route": dict(Counter(f"{record.method} {record.route}" for record in api).most_common()),
    }
