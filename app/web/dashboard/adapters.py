"""Adapters: their state, what the gate said of each, two beside each other, and which one reviews."""

from pathlib import Path
from typing import Any, NamedTuple

from sqlmodel import Session
from starlette.responses import Response

from app.domain.adapters import AdapterState
from app.domain.evals import Arm, EvalReport, Figure, GateDecision, Reason
from app.store.overviews import select_adapter_acts, select_runs_over
from app.store.rounds import load_adapter_version, load_pointer, select_adapter_versions
from app.store.tables import AdapterPointerRow, AdapterVersionRow
from app.web.dashboard.charts import draw_curves
from app.web.dashboard.desk import NOT_FOUND, Ended, Route, Visit
from app.web.dashboard.run_folder import read_adapter_name, read_points, read_report

MEASURES = {
    "nll": "nats per token of the team's comments",
    "same_issue": "names the team's issue",
    "style_distance": "distance in style",
    "schema_valid": "has the agreed shape",
    "stop": "ends by itself",
    "location_hit": "commented lines found",
    "false_alarm": "clean hunks disturbed",
    "line_auc": "line AUC",
    "top_precision": "precision of the top five lines",
    "top_recall": "recall of the top five lines",
    "calibration": "calibration error",
}
VERDICTS = {
    "promote": ("Promote", "good", "Better than what it replaces, on reviews that it never saw. It may be used."),
    "hold": ("Hold", "open", "Too little was measured to say. Nothing is used until it is."),
    "reject": ("Reject", "bad", "A figure says no lift, or harm. This version is not used."),
}
#: States from which a person's word is enough; the service decides again when it is asked.
_RESTORABLE = (AdapterState.RETIRED.value,)


def mark(reason: Reason) -> str:
    """A check that could not be measured has not passed, but is no harm either."""
    if reason.advisory:
        return "advice"
    return "not measured" if not reason.measured else "passed" if reason.passed else "failed"


class Measured(NamedTuple):
    """One measure by arm: names as the table's head has them."""

    name: str
    cells: list[Figure | None]


def table_arms(arms: dict[str, Arm]) -> list[Measured]:
    """Measures that at least one arm has. Pure."""
    rows = (Measured(text, [getattr(arm, name) for arm in arms.values()]) for name, text in MEASURES.items())
    return [row for row in rows if any(cell is not None for cell in row.cells)]


class Version(NamedTuple):
    row: AdapterVersionRow
    verdict: str | None
    is_serving: bool
    is_restorable: bool


def _describe(row: AdapterVersionRow, pointer: AdapterPointerRow | None) -> Version:
    verdict = None if row.decision is None else str(row.decision["verdict"])
    is_serving = pointer is not None and pointer.adapter_name == row.name
    restorable = row.state in _RESTORABLE and row.stale_at is None and not is_serving
    return Version(row, verdict, is_serving, restorable)


async def list_adapters(visit: Visit) -> Response:
    def look(session: Session) -> tuple[list[Version], AdapterPointerRow | None, Any]:
        pointer = load_pointer(session, visit.sight.id)
        rows = select_adapter_versions(session, visit.sight.id)[:50]
        acts = select_adapter_acts(session, [row.name for row in rows])
        return [_describe(row, pointer) for row in rows], pointer, acts

    versions, pointer, acts = await visit.read(look)
    return visit.page("adapters.html", versions=versions, pointer=pointer, acts=acts, verdicts=VERDICTS)


class Told(NamedTuple):
    version: Version
    decision: GateDecision | None
    report: EvalReport | None
    folder: Path | None


async def _tell(visit: Visit, name: str) -> Told:
    def look(session: Session) -> Told:
        row = load_adapter_version(session, visit.sight.id, name)
        if row is None:
            raise Ended(404, NOT_FOUND)
        pointer = load_pointer(session, visit.sight.id)
        folders = [Path(run.path) for run in select_runs_over(session, visit.sight.id, row.snapshot_id)]
        folder = next((one for one in folders if read_adapter_name(one) == name), None)
        decision = None if row.decision is None else GateDecision.model_validate(row.decision)
        report = None if folder is None else read_report(folder)
        return Told(_describe(row, pointer), decision, report, folder)

    return await visit.read(look)


async def show_gate(visit: Visit) -> Response:
    """The gate's report, from its own records: the verdict first."""
    told = await _tell(visit, visit.path("name"))
    baseline = None if told.folder is None else await visit.call(read_report, told.folder, "baseline")
    arms = {name: arm for one in (told.report, baseline) if one is not None for name, arm in one.arms.items()}
    points = [] if told.folder is None else await visit.call(read_points, told.folder)
    reasons = [] if told.decision is None else [(mark(reason), reason) for reason in told.decision.reasons]
    return visit.page(
        "gate.html",
        told=told,
        reasons=reasons,
        arms=list(arms),
        measures=table_arms(arms),
        curves=draw_curves(points),
        verdicts=VERDICTS,
        policy={} if told.decision is None else told.decision.policy.model_dump(mode="json"),
    )


async def compare(visit: Visit) -> Response:
    """Two versions beside each other, on what each was measured on."""
    names = (visit.query.get("left", ""), visit.query.get("right", ""))
    if not all(names):
        raise Ended(400, "Choose two versions to compare.")
    sides = [await _tell(visit, name) for name in names]
    arms = {told.version.row.name: _own_arm(told) for told in sides}
    is_fair = len({None if told.report is None else told.report.suite for told in sides}) == 1
    rates = await visit.rates()
    lived = [next((one for one in rates if one.adapter == name), None) for name in names]
    return visit.page(
        "compare.html", sides=sides, measures=table_arms(arms), lived=lived, is_fair=is_fair, verdicts=VERDICTS
    )


def _own_arm(told: Told) -> Arm:
    """What was measured of the version itself."""
    return Arm() if told.report is None else told.report.arms.get("candidate", Arm())


async def promote(visit: Visit) -> Response:
    """Let a version review again that the gate promoted once; any other is refused by the service."""
    name = visit.path("name")
    await visit.read(lambda session: _known(session, visit.sight.id, name))
    return await _restore(visit, name)


def _known(session: Session, installation_id: int, name: str) -> None:
    if load_adapter_version(session, installation_id, name) is None:
        raise Ended(404, NOT_FOUND)


async def roll_back(visit: Visit) -> Response:
    return await _restore(visit, None)


async def _restore(visit: Visit, name: str | None) -> Response:
    restored = await visit.call(visit.backstage.restore, visit.sight.id, name, visit.viewer.login)
    await visit.note("dashboard.restore", restored, installation_id=visit.sight.id)
    return visit.back("/adapters")


ROUTES = (
    Route("GET", "/{installation_id}/adapters", list_adapters),
    Route("GET", "/{installation_id}/adapters/compare", compare),
    Route("GET", "/{installation_id}/adapters/{name}", show_gate),
    Route("POST", "/{installation_id}/adapters/{name}/promote", promote, needs="admin"),
    Route("POST", "/{installation_id}/rollback", roll_back, needs="admin"),
)
