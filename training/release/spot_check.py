"""The blind spot check: twenty hunks, two answers each, nobody told which is whose; a person says what would not ship.

`lay_out` decides the sheet from the reports, `render_sheet` draws the page without the key, `settle` reads what the
page gave back with the key and makes the SpotCheck that the gate reads.
"""

import random
from datetime import datetime
from pathlib import Path

from jinja2 import FileSystemLoader

from app.domain.errors import UserError
from app.domain.evals import EvalReport, SpotCheck
from app.domain.pages import page_environment
from app.domain.releases import SpotAnswers, SpotPair, SpotSheet

PAIRS = 20
SHEET, PAGE = "spot-sheet.json", "spot-check.html"


def lay_out(candidate: EvalReport, base: EvalReport) -> SpotSheet:
    """Pairs on the same hunks, sides drawn by the adapter's name, so that a sheet made twice is the same sheet.

    Raises:
        UserError: when a report holds no answers, or they are of another suite.
    """
    if candidate.adapter is None or candidate.suite != base.suite or not candidate.samples:
        raise UserError(
            "expected two reports of one suite with answers, the candidate's and the base's; evaluate both with "
            "generated_rows of 20 or more"
        )
    theirs = dict(zip((item.example for item in base.samples), base.answers.get("base", ()), strict=False))
    draw = random.Random(f"{candidate.suite}{candidate.adapter}")  # noqa: S311 - an order, no secret
    pairs: list[SpotPair] = []
    for sample, answer in zip(candidate.samples, candidate.answers["candidate"], strict=True):
        if sample.example not in theirs or len(pairs) == PAIRS:
            continue
        ours_left = draw.random() < 0.5
        left, right = (answer, theirs[sample.example]) if ours_left else (theirs[sample.example], answer)
        pairs.append(
            SpotPair(
                example=sample.example,
                prompt=sample.prompt,
                reference=sample.reference,
                left=left,
                right=right,
                adapter_is_left=ours_left,
            )
        )
    return SpotSheet(suite=candidate.suite, adapter=candidate.adapter, pairs=tuple(pairs))


def render_sheet(sheet: SpotSheet) -> str:
    """The page: works from a file, sends nothing, and gives the answers back as a file to save."""
    environment = page_environment(FileSystemLoader(Path(__file__).parent / "templates"))
    return environment.get_template("spot_check.html").render(sheet=sheet)


def settle(sheet: SpotSheet, answers: SpotAnswers, *, by: str, at: datetime) -> SpotCheck:
    """Count the refusals of each side.

    Raises:
        UserError: when the answers are to another sheet, or name a hunk that it does not show.
    """
    if (answers.suite, answers.adapter) != (sheet.suite, sheet.adapter):
        raise UserError(
            f"expected answers to the sheet of {sheet.adapter} on {sheet.suite}, got some to {answers.adapter} on "
            f"{answers.suite}"
        )
    sides = {pair.example: pair.adapter_is_left for pair in sheet.pairs}
    strange = ({*answers.refused_left} | {*answers.refused_right}) - set(sides)
    if strange:
        raise UserError(f"expected examples of the sheet, got {', '.join(sorted(strange))}")
    left, right = set(answers.refused_left), set(answers.refused_right)
    adapter = sum(example in (left if is_left else right) for example, is_left in sides.items())
    base = sum(example in (right if is_left else left) for example, is_left in sides.items())
    return SpotCheck(
        by=by,
        at=at,
        suite=sheet.suite,
        adapter=sheet.adapter,
        pairs=len(sheet.pairs),
        refused_adapter=adapter,
        refused_base=base,
    )
