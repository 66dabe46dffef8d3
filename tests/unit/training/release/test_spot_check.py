"""A person's blind verdict: laid out without telling, counted with the key, and heard by the gate."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.domain.errors import UserError
from app.domain.releases import SpotAnswers, SpotSheet
from training.release.folder import open_run
from training.release.publishing import seal_run
from training.release.spot_check import PAIRS, SHEET, lay_out, render_sheet, settle
from training.release.spotting import make_sheet, take_answers

AT = datetime(2026, 1, 2, tzinfo=UTC)


def _sheet(folder: Path) -> SpotSheet:
    run = open_run(folder)
    return lay_out(run.candidate, run.reports["baseline"])


def test_sides_are_mixed_and_the_same_every_time(run_folder: Path) -> None:
    sheet = _sheet(run_folder)
    assert len(sheet.pairs) == PAIRS
    assert {pair.adapter_is_left for pair in sheet.pairs} == {True, False}
    assert sheet == _sheet(run_folder)
    for pair in sheet.pairs:
        ours = pair.left if pair.adapter_is_left else pair.right
        assert ours == f"adapter says {pair.example}"


def test_the_page_tells_no_side_and_loads_nothing(run_folder: Path) -> None:
    page = render_sheet(_sheet(run_folder))
    assert "adapter_is_left" not in page
    assert "true" not in page.lower()
    assert "<img" not in page
    assert page.count("would not ship") == 2 * PAIRS


def _refusing(sheet: SpotSheet, *, adapter: int, base: int) -> SpotAnswers:
    ours = [(pair.example, pair.adapter_is_left) for pair in sheet.pairs[:adapter]]
    theirs = [(pair.example, not pair.adapter_is_left) for pair in sheet.pairs[:base]]
    said = [*ours, *theirs]
    return SpotAnswers(
        suite=sheet.suite,
        adapter=sheet.adapter,
        refused_left=tuple(example for example, left in said if left),
        refused_right=tuple(example for example, left in said if not left),
    )


@pytest.mark.parametrize(("adapter", "base"), [(0, 20), (4, 7), (20, 0)])
def test_refusals_are_counted_on_the_side_they_were_meant_for(run_folder: Path, adapter: int, base: int) -> None:
    sheet = _sheet(run_folder)
    check = settle(sheet, _refusing(sheet, adapter=adapter, base=base), by="ana", at=AT)
    assert (check.refused_adapter, check.refused_base, check.pairs) == (adapter, base, PAIRS)


def test_answers_to_another_sheet_are_refused(run_folder: Path) -> None:
    sheet = _sheet(run_folder)
    other = _refusing(sheet, adapter=1, base=1).model_copy(update={"adapter": "7--000000000000"})
    with pytest.raises(UserError, match="expected answers to the sheet of"):
        settle(sheet, other, by="ana", at=AT)
    strange = _refusing(sheet, adapter=0, base=0).model_copy(update={"refused_left": ("ex1:none",)})
    with pytest.raises(UserError, match="ex1:none"):
        settle(sheet, strange, by="ana", at=AT)


@pytest.mark.parametrize(("refused", "verdict"), [(3, "promote"), (4, "reject")])
def test_the_gate_hears_the_person(run_folder: Path, tmp_path: Path, refused: int, verdict: str) -> None:
    make_sheet(run_folder)
    sheet = SpotSheet.model_validate_json((run_folder / SHEET).read_text())
    answers = tmp_path / "answers.json"
    answers.write_text(_refusing(sheet, adapter=refused, base=0).model_dump_json())
    assert take_answers(run_folder, answers, by="ana", at=AT, key=None).verdict == verdict
    assert json.loads((run_folder / "release.json").read_text())["verdict"] == verdict


def test_a_signed_run_does_not_lose_its_signature_by_a_verdict(run_folder: Path, tmp_path: Path) -> None:
    make_sheet(run_folder)
    seal_run(run_folder, tmp_path / "key.pem")
    with pytest.raises(UserError, match="expected --signing-key"):
        take_answers(run_folder, tmp_path / "answers.json", by="ana", at=AT, key=None)
