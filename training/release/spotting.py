"""The spot check's acts: write the page, take the answers in, decide again, seal again."""

from datetime import datetime
from pathlib import Path

from app.domain.errors import UserError
from app.domain.evals import GateDecision
from app.domain.releases import SpotAnswers, SpotSheet
from training.process.files import load_record, save_record, save_text
from training.release.deciding import check_key, decide_again
from training.release.folder import SPOT_CHECK, open_run
from training.release.spot_check import PAGE, SHEET, lay_out, render_sheet, settle


def make_sheet(folder: Path) -> Path:
    """Write the sheet and its page into the run folder; returns the page.

    Raises:
        UserError: when the run is not finished, or its reports hold no answers of both sides.
    """
    run = open_run(folder)
    base = next((item for item in run.baselines if "base" in item.answers), None)
    if base is None:
        raise UserError(
            f"expected answers of the base in {folder}/reports, found none; set generated_rows to 20 or more"
        )
    sheet = lay_out(run.candidate, base)
    save_record(folder / SHEET, sheet)
    save_text(folder / PAGE, render_sheet(sheet))
    return folder / PAGE


def take_answers(folder: Path, answers: Path, *, by: str, at: datetime, key: Path | None) -> GateDecision:
    """The decision with a person's verdict in it; the policy stays the one that was fixed before the run.

    Raises:
        UserError: when the answers are no answers to this run's sheet, or a signed run would lose its signature.
    """
    check_key(folder, key)
    sheet = load_record(folder / SHEET, SpotSheet, what="a spot check's sheet; make it without --answers first")
    said = load_record(answers, SpotAnswers, what="the file that the spot check's page saves")
    save_record(folder / SPOT_CHECK, settle(sheet, said, by=by, at=at))
    return decide_again(folder, key)
