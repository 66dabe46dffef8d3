"""Telling the demo from end to end: set up, every stage in order, figures to a file, the exit status."""

import json
import secrets
import shutil
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from app.domain.errors import UnderstudyError, UserError, spoken_place
from app.rehearsal.app_program import AppProgram
from app.rehearsal.base import ensure_base
from app.rehearsal.console import Narrator
from app.rehearsal.demo import reviewing, stages
from app.rehearsal.demo.context import KILL_POINTS, Demo
from app.rehearsal.demo.stages import Stage
from app.rehearsal.organisation.play import enter_organisation
from app.rehearsal.organisation.story import write_story
from app.rehearsal.serving_program import ServingProgram
from app.rehearsal.standin import StandIn, StandInServer
from app.rehearsal.work_folder import claim_work
from app.store.database import open_engine

SCHEMA = "demo/1"
SEED = 20_261_122
#: of training/configs/demo.yaml; slots in the server are as large as the largest rank, and cost time on a processor
DEMO_RANK = 8


@dataclass(frozen=True)
class DemoOptions:
    work: Path
    figures: Path | None = None
    fresh: bool = False
    noise: bool = False
    size: Literal["demo", "small"] = "demo"
    training_config: Path | None = None
    kill_at: tuple[str, ...] = ()


LEARNING: tuple[Stage, ...] = (
    Stage(
        "organisation",
        "1 · A team with habits of its own",
        "Two real git repositories, their merged pull requests, and house rules that no public model knows.",
        stages.describe_organisation,
    ),
    Stage(
        "harvest",
        "2 · Harvest",
        "Each merge sends a signed webhook. The service reads the threads and asks git what became of every line.",
        stages.harvest,
    ),
    Stage(
        "curation",
        "3 · Curation",
        "A maintainer labels pull requests. Only write access counts, read from the API at that moment.",
        stages.curate,
    ),
    Stage(
        "learning",
        "4 · Learning",
        "Snapshot, Locator (where), LoRA adapter (what), AcceptanceFilter (whether), evaluation on newer ones.",
        stages.learn,
    ),
    Stage("gate", "5 · The gate", "Figures only, thresholds fixed before the run.", stages.gate),
)
REVIEWING: tuple[Stage, ...] = (
    Stage("serving", "6 · Serving", "vLLM holds the base; the adapter is loaded, then proven.", stages.check_served),
    Stage(
        "review",
        "7 · Review",
        "Pull requests that nobody has seen are opened; the same house rules are broken in new code.",
        reviewing.review_held_out,
    ),
    Stage("score", "8 · Against the answer key", "Which the service never sees.", reviewing.score),
    Stage("posted", "9 · As a person sees it", "", reviewing.show_review),
)


def run_demo(options: DemoOptions, story: Narrator) -> bool:
    """Tell it; True when every stage did its work. Figures are written whatever happens.

    Raises:
        UserError: before the first stage, when the figures could not be written or no such stage can be killed.
    """
    unknown = sorted(set(options.kill_at) - set(KILL_POINTS))
    if unknown:
        raise UserError(f"expected --kill-at to name some of {', '.join(KILL_POINTS)}; got {', '.join(unknown)}")
    record: dict[str, Any] = {"schema": SCHEMA, "ok": False, "reason": "still running", "stages": []}
    started = time.monotonic()
    _save_figures(options.figures, record)
    try:
        _tell(options, story, record["stages"])
        record |= {"ok": True, "reason": None}
    except UnderstudyError as error:
        record["reason"] = str(error)
        story.fail(str(error))
    record["seconds"] = round(time.monotonic() - started, 1)
    _save_figures(options.figures, record)
    if record["ok"]:
        _close(options, story, record)
    return bool(record["ok"])


def _save_figures(path: Path | None, record: dict[str, Any]) -> None:
    if path is not None:
        with spoken_place(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(record, indent=1), encoding="utf-8")


def _tell(options: DemoOptions, story: Narrator, told: list[dict[str, Any]]) -> None:
    with ExitStack() as stack:
        demo = _set_up(options, story, stack, told)
        for stage in LEARNING:
            _tell_stage(stage, demo, told)
        if options.noise:
            story.say("Nothing is served, nothing is posted: this is what an honest gate does with noise.")
            return
        for stage in REVIEWING:
            _tell_stage(stage, demo, told)
        if demo.kill_at:
            raise UserError(
                f"the service was never killed during {', '.join(sorted(demo.kill_at))}: too quick to catch"
            )


def _tell_stage(stage: Stage, demo: Demo, told: list[dict[str, Any]]) -> None:
    demo.story.open(stage.title, stage.words)
    started = time.monotonic()
    figures = stage.act(demo)
    told.append({"name": stage.name, "seconds": round(time.monotonic() - started, 2), "figures": figures})


def _set_up(options: DemoOptions, story: Narrator, stack: ExitStack, told: list[dict[str, Any]]) -> Demo:
    """The stand-in, the base checkpoint, the model server (which warms up meanwhile) and the service."""
    started = time.monotonic()
    work = options.work.absolute()
    _clear(work, fresh=options.fresh)
    base = work.parent / "base"
    story.open("0 · Set-up", f"Everything stays under {options.work}; logs are there too.")
    organisation = write_story(SEED, options.size, noise=options.noise)
    secret = secrets.token_hex(24)
    standin = StandIn(work / "github", webhook_secret=secret)
    enter_organisation(organisation, standin)
    server = stack.enter_context(StandInServer(standin))
    ensure_base(base, work / "base.log", story)
    serving = ServingProgram(work, base=base, max_rank=DEMO_RANK)
    app = AppProgram(
        work,
        standin,
        webhook_secret=secret,
        base=base,
        serving=serving.state,
        training_config=options.training_config,
    )
    stack.callback(app.program.stop)
    app.start(lambda: story.progress("starting the service"))
    serving.start()  # it warms up while the history is harvested
    stack.callback(serving.program.stop)
    server.deliver_to(f"{app.url}/webhooks")
    database = open_engine(app.database_url)
    stack.callback(database.dispose)
    told.append({"name": "set-up", "seconds": round(time.monotonic() - started, 2), "figures": {}})
    return Demo(
        work=work,
        story=story,
        organisation=organisation,
        noise=options.noise,
        training_config=options.training_config,
        standin=standin,
        server=server,
        base=base,
        serving=serving,
        app=app,
        database=database,
        kill_at=set(options.kill_at),
    )


def _clear(work: Path, *, fresh: bool) -> None:
    """A second telling replays the story on a new stand-in; only finished or half-done training is kept, by snapshot.

    What the service knew of the old stand-in goes: its people and webhooks are gone with it.

    Raises:
        UserError: for a folder with files that are not ours.
    """
    claim_work(work)
    runs = work / "app" / "runs"
    kept = work / "runs.kept"
    if runs.exists() and not fresh:
        shutil.rmtree(kept, ignore_errors=True)
        runs.rename(kept)
    for name in ("github", "app", "serving") + (("runs.kept",) if fresh else ()):
        shutil.rmtree(work / name, ignore_errors=True)
    if kept.exists():
        runs.parent.mkdir(parents=True)
        kept.rename(runs)


def _close(options: DemoOptions, story: Narrator, record: dict[str, Any]) -> None:
    story.open("What it cost, and what next", "")
    for stage in record["stages"]:
        if stage["seconds"] >= 1:
            story.say(f"{stage['seconds']:6.0f} s  {stage['name']}")
    story.say((f"{record['seconds']:6.0f} s", "bold"), "  in all, on this machine's processor, nothing sent anywhere")
    if not options.noise:
        story.say("")
        story.say("See the gate refuse:      make demo ARGS=--noise")
        story.say("Crash it on the way:      make demo ARGS='--fresh --kill-at training,review'")
        story.say("On your own history:      .venv/bin/python -m app rehearse --help")
    story.say(f"Logs, snapshot, adapter:  {options.work}")
