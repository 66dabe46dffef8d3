"""Learning rounds: what waits, what runs and how far it is, what became of the others."""

from pathlib import Path
from typing import Any

from sqlmodel import Session
from starlette.responses import HTMLResponse, Response

from app.store.overviews import load_training_run
from app.store.rounds import select_training_runs
from app.store.tables import TrainingRunRow
from app.web.dashboard.charts import draw_curves
from app.web.dashboard.desk import NOT_FOUND, Ended, Route, Visit
from app.web.dashboard.rendering import render
from app.web.dashboard.run_folder import read_adapter_name, read_points


async def list_runs(visit: Visit) -> Response:
    runs = await visit.read(lambda session: select_training_runs(session, visit.sight.id)[:50])
    rounds = await visit.call(visit.backstage.rounds, visit.sight.id)
    return visit.page("runs.html", runs=runs, rounds=rounds)


async def show_run(visit: Visit) -> Response:
    shown = await _look(visit)
    return visit.page("run.html", **shown)


async def show_live(visit: Visit) -> Response:
    """The part of the page that changes, for the script that refreshes it."""
    return HTMLResponse(render("_run_live.html", sight=visit.sight, **await _look(visit)))


async def _look(visit: Visit) -> dict[str, Any]:
    run_id = visit.path("run_id")

    def look(session: Session) -> TrainingRunRow | None:
        return load_training_run(session, visit.sight.id, run_id)

    row = await visit.read(look)
    is_ours = row is not None or run_id.startswith(f"learn:{visit.sight.id}:")
    found = await visit.call(visit.backstage.round, run_id) if is_ours else None
    if row is None and found is None:
        raise Ended(404, NOT_FOUND)
    folder = Path(row.path) if row is not None else None
    points = [] if folder is None else await visit.call(read_points, folder)
    adapter = None if folder is None else await visit.call(read_adapter_name, folder)
    return {
        "run_id": run_id,
        "row": row,
        "round": found,
        "curves": draw_curves(points),
        "adapter": adapter,
        "is_running": found is not None and found["is_running"],
        "figures": (found or {}).get("progress") or {},
    }


async def train(visit: Visit) -> Response:
    run_id = await visit.call(visit.backstage.train, visit.sight.id)
    await visit.note("dashboard.train", run_id, installation_id=visit.sight.id)
    return visit.back("/runs")


async def cancel(visit: Visit) -> Response:
    shown = await _look(visit)
    if not shown["is_running"]:
        raise Ended(409, "This round has ended; there is nothing to cancel.")
    await visit.call(visit.backstage.cancel, shown["run_id"])
    await visit.note("dashboard.cancel", shown["run_id"], installation_id=visit.sight.id)
    return visit.back("/runs")


ROUTES = (
    Route("GET", "/{installation_id}/runs", list_runs),
    Route("GET", "/{installation_id}/runs/{run_id}", show_run),
    Route("GET", "/{installation_id}/runs/{run_id}/live", show_live),
    Route("POST", "/{installation_id}/train", train, needs="admin"),
    Route("POST", "/{installation_id}/runs/{run_id}/cancel", cancel, needs="admin"),
)
