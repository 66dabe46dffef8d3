"""kill -9 of the service while it asks the server once more: the round ends once, as it would have undisturbed."""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest

from app.dataset.building import build_snapshot
from app.domain.adapters import AdapterManifest
from app.domain.evals import Arm, CanaryRecord, EvalReport, Figure, Forgetting, GateDecision, GatePolicy
from app.inference.adapter_control import AdapterControl
from app.store.database import open_engine, reading
from app.store.learning import select_approved_examples, select_approved_written, select_audit
from app.store.migrate import migrate
from app.store.rounds import load_pointer, select_adapter_versions
from app.workflows import context, engine
from tests.integration.runners.approved import approve_examples
from tests.integration.serving.learning_program import INSTALLATION, boot
from tests.integration.workflows.conftest import Program
from tests.serving_fixture import ServingProcess, make_adapter, seal
from tests.waiting import eventually, hold, let_go
from training.base.making import load_base
from training.config import resolve_config
from training.confirm import Confirmation, confirm_run
from training.evaluation.examining import Examination, evaluate
from training.gate.deciding import decide_promotion
from training.process.files import save_record
from training.process.progress import Progress
from training.process.runkey import claim_folder, make_key
from training.rows.snapshot import Snapshot, load_snapshot
from training.run import RunRecord
from training.scores.acceptance import fit_acceptance
from training.scores.locator import fit_locator
from training.scores.text_scores import save_scores

pytestmark = pytest.mark.slow
_ROUND = "learn:42:killed"
#: Random weights have no lift: what may be served is not what this is about, so everything may.
_POLICY = GatePolicy(nll_lift=-100, hunk_dependence=-100, heldout_rows=1, must_beat=(), schema_valid=0, stop=0)


@pytest.fixture
def folder(serving: ServingProcess, tmp_path: Path) -> Iterator[Path]:
    """All that the program needs; whatever it loaded is unloaded in the end."""
    (tmp_path / "base").symlink_to(serving.base)
    (tmp_path / "serving").symlink_to(serving.state)
    yield tmp_path
    mock.patch.stopall()
    engine.shutdown()
    context.install(None)
    asyncio.run(_unload_all(serving))


async def _unload_all(serving: ServingProcess) -> None:
    async with AdapterControl(serving.url, serving.control_key) as control:
        for adapter in (await control.status()).adapters:
            if adapter.name.startswith(f"{INSTALLATION}--"):
                await control.unload(adapter.name)


async def _list_served(serving: ServingProcess) -> list[str]:
    async with AdapterControl(serving.url, serving.control_key) as control:
        found = (await control.status()).adapters
    return [adapter.name for adapter in found if adapter.name.startswith(f"{INSTALLATION}--")]


def _snapshot(url: str, data: Path) -> Snapshot:
    """The very one that the round will take."""
    migrate(url)
    database = open_engine(url)
    approve_examples(database, INSTALLATION, 40)
    with reading(database) as session:
        rows = select_approved_examples(session, INSTALLATION)
        written = select_approved_written(session, INSTALLATION)
    database.dispose()
    return load_snapshot(build_snapshot(rows, INSTALLATION, data / "snapshots", written=written)[0])


def _spare(report: EvalReport) -> EvalReport:
    """With figures that nobody asks the server for, in place of the minutes that they take."""
    good, bad = (Figure(value=value, low=value, high=value, n=24) for value in (0.9, 0.05))
    off = dict.fromkeys(("general_nll", "humaneval", "mbpp"), "off: 0")
    where = {"candidate": {"location_hit": good, "false_alarm": bad}, "chance": {"location_hit": bad}}
    arms = {name: report.arms.get(name, Arm()).model_copy(update=figures) for name, figures in where.items()}
    spared = {
        "arms": report.arms | (arms if "candidate" in report.arms else {}),
        "canaries": CanaryRecord(planted=0, extracted=(), method="greedy"),
        "forgetting": Forgetting(solutions_nll=(1.0,) * 20, texts={"solutions_nll": "h"}, not_measured=off),
    }
    return report.model_copy(update=spared)


def _prepare(run: Path, base: Path, snapshot: Snapshot) -> str:
    """A run that was trained, measured and promoted by its trainer. Returns the version's name."""
    version, checkpoint = run / "version", load_base(base)
    config = resolve_config("smoke").config.model_copy(update={"answer_tokens": 4, "threads": 1})
    plain = config.model_copy(update={"arms": (), "forgetting_problems": 0, "forgetting_passages": 0, "canaries": 0})
    make_adapter(base, version, seed=202, installation=str(INSTALLATION))
    save_scores(version / "locator.skops", fit_locator(snapshot.hunks("train"), alarms=0.05))
    save_scores(version / "filter.skops", fit_acceptance([], precision=0.8))
    sealed = seal(version, base, installation=str(INSTALLATION))
    manifest = AdapterManifest.model_validate({**dict(sealed), "snapshot": snapshot.id})
    (version / "manifest.json").write_text(manifest.model_dump_json())
    claim_folder(run, make_key(snapshot, checkpoint, config))
    candidate, baseline = (
        _spare(evaluate(Examination(snapshot, base, checkpoint, plain, adapter), Progress(None)))
        for adapter in (version, None)
    )
    decision = decide_promotion(candidate, [baseline], _POLICY)
    assert decision.verdict == "promote"
    records = {"reports/candidate": candidate, "reports/baseline": baseline, "policy": _POLICY, "decision": decision}
    for name, made in records.items():
        save_record(run / f"{name}.json", made)
    record = RunRecord(snapshot=snapshot.id, adapter=manifest.name, verdict="promote", seconds={})
    save_record(run / "run.json", record)
    return manifest.name


def _confirm_in_peace(prepared: Path, calm: Path, snapshot: Snapshot, serving: ServingProcess) -> GateDecision:
    shutil.copytree(prepared, calm)
    key = serving.state / "read.key"
    asked = Confirmation(calm, snapshot, serving.base, load_base(serving.base), serving.url, key, policy=_POLICY)
    return confirm_run(asked, Progress(None))


def _outcome(decision: GateDecision) -> tuple[str, list[tuple[str, bool]]]:
    return decision.verdict, [(reason.check, reason.passed) for reason in decision.reasons]


def test_a_round_killed_while_it_confirms_ends_once_and_serves_what_was_decided(
    serving: ServingProcess, folder: Path
) -> None:
    url, script = f"sqlite:///{folder / 'understudy.db'}", Path(__file__).with_name("learning_program.py")
    snapshot = _snapshot(url, folder / "data")
    name = _prepare(folder / "prepared", serving.base, snapshot)
    save_record(folder / "policy.json", _POLICY)
    database = open_engine(url)

    def kill_when(seen: Callable[[Path], bool], *rounds: str) -> None:
        """As soon as a run's folder shows it; the round has not ended by then."""
        program = Program(url, folder, *rounds, script=script)
        try:
            program.wait_ready()
            eventually(lambda: any(seen(run) for run in (folder / "data" / "runs").glob("*")), timeout_seconds=300)
        finally:
            program.kill()
        with reading(database) as session:
            assert load_pointer(session, INSTALLATION) is None
            assert select_audit(session, action="adapter.promote") == []

    kill_when(lambda run: (run / "served" / "baseline.json").is_file(), _ROUND)  # in the middle of the figures
    hold(url, "us_adapter_pointer", after=0)
    kill_when(lambda run: (run / "served.json").is_file())  # decided, and not yet heard of
    let_go(url, "us_adapter_pointer")
    boot(url, folder)
    assert engine.wait(_ROUND, timeout_seconds=300) == "promote"
    with reading(database) as session:
        pointer, (version,) = load_pointer(session, INSTALLATION), select_adapter_versions(session, INSTALLATION)
        assert len(select_audit(session, action="adapter.promote")) == 1
    assert pointer is not None
    assert pointer.adapter_name == version.name == name
    assert version.state == "promoted"
    (run,) = (folder / "data" / "runs").glob("*")
    decided = GateDecision.model_validate_json((run / "served.json").read_text())
    assert GateDecision.model_validate(version.decision) == decided
    calm = _confirm_in_peace(folder / "prepared", folder / "calm", snapshot, serving)
    assert _outcome(decided) == _outcome(calm)
    assert asyncio.run(_list_served(serving)) == [name]
    database.dispose()
