"""Learning rounds in processes that die at a given moment: `python -m … .promoting_program FOLDER`.

FOLDER holds `understudy.db` with approved Examples, `base`, and `server`, the state folder of a model server. Training
and the measuring of what is served are done before: the runner lays a version there, and the child that would confirm
it says yes. What is cut is everything around them.
"""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import sqlalchemy as sa

from app.dataset.folder import verify_snapshot
from app.domain.adapters import AdapterManifest
from app.domain.evals import GateDecision, GatePolicy
from app.runners.running import Listener, TrainingTask
from app.workflows import context, engine
from app.workflows.runs import Queue
from tests.cutting import STEPS, Turn, answer_turns, arm, cuttable_steps
from tests.made_run import MOMENT
from tests.vllm_standin import make_paper_adapter

INSTALLATION = 42


class Learning(Turn):
    """Round `number` makes version `number`; `waiting` is the round that was cut before, if any."""

    number: int
    waiting: int | None = None


class PaperRunner:
    """Lays the version of a number there; the same number always gives the same version."""

    keeps_weights = False
    number = 0

    async def run(self, task: TrainingTask, listener: Listener) -> None:
        lay_run(task, self.number)

    async def cancel(self, task: TrainingTask) -> None:
        raise AssertionError("nobody cancels here")


def lay_run(task: TrainingTask, number: int) -> None:
    version = task.out / "version"
    if version.exists():
        for path in sorted(version.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        version.rmdir()
    snapshot = verify_snapshot(task.snapshot)
    made = make_paper_adapter(version, task.base, installation=str(INSTALLATION), locator=str(number).encode())
    manifest = AdapterManifest.model_validate(
        {**made.model_dump(), "snapshot": snapshot.id, "installation": snapshot.installation, "created_at": MOMENT}
    )
    decision = GateDecision(verdict="promote", reasons=(), policy=GatePolicy(), adapter=manifest.name, suite="s")
    run = {"snapshot": snapshot.id, "adapter": manifest.name, "verdict": "promote", "seconds": {}}
    (version / "manifest.json").write_text(manifest.model_dump_json())
    (task.out / "decision.json").write_text(decision.model_dump_json())
    (task.out / "run.json").write_text(json.dumps(run))


async def _confirm(arguments: list[str], **_how: Any) -> int:
    run = Path(arguments[arguments.index("--run") + 1])
    (run / "served.json").write_text((run / "decision.json").read_text())
    return 0


def _ask_github(installation: int) -> NoReturn:
    raise AssertionError(f"nothing here asks GitHub, not even for {installation}")


def _take(turn: Learning, folder: Path) -> dict[str, Any]:
    runner = PaperRunner()
    runner.number = turn.number if turn.waiting is None else turn.waiting

    def prepare(database: sa.Engine) -> None:
        context.install(
            context.Services(
                database=database,
                host="github.test",
                app_slug="understudy",
                data=folder / "data",
                base=folder / "base",
                serving=folder / "server",
                training_config=None,
                retention_days=30,
                github=_ask_github,
                runner=runner,
            )
        )

    engine.boot(f"sqlite:///{folder / 'understudy.db'}", prepare=prepare, polling_seconds=0.05, scheduled=False)
    verdicts = [] if turn.waiting is None else [engine.wait(f"learn:{turn.waiting}", 60)]
    runner.number = turn.number
    arm(turn.cut)
    engine.start("learn", f"learn:{turn.number}", INSTALLATION, "test", queue=Queue.GPU)
    verdicts.append(engine.wait(f"learn:{turn.number}", 60))
    engine.shutdown()
    return {"verdicts": verdicts, "steps": STEPS}


def main(folder: Path) -> None:
    with cuttable_steps():
        import_module("app.workflows.learning")
    vars(sys.modules["app.workflows.candidates"])["run_child"] = _confirm
    answer_turns(Learning, lambda turn: _take(turn, folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
