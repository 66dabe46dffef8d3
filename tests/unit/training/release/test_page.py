"""What people read of a run: the page, the card, the pictures."""

from pathlib import Path

import yaml

from app.domain.evals import Figure
from tests.unit.training.release.conftest import figure
from training.release.card import render_card
from training.release.charts import WIDTH, draw_curve, draw_forest
from training.release.folder import open_run
from training.release.page import pair_samples, render_page


def test_the_page_says_the_verdict_first_and_every_reason(run_folder: Path) -> None:
    run = open_run(run_folder)
    page = render_page(run)
    assert page.index("<strong>promote</strong>") < page.index("<h2>Why</h2>")
    for reason in run.decision.reasons:
        assert f"<td>{reason.check}</td>" in page
    assert "Not judged" in page
    for told in (run.manifest.name, "ds1:s", "su1:a", "torch", "abc", "12 s", "1,200 tokens in 10 steps"):
        assert told in page


def test_words_of_others_are_text_and_what_cannot_be_seen_is_shown(run_folder: Path) -> None:
    page = render_page(open_run(run_folder))
    assert "<img" not in page
    assert "&lt;img src=x" in page
    assert "\u202e" not in page
    assert "⟨U+202E⟩" in page
    assert "http" not in page.replace("http-equiv", "")


def test_both_sides_stand_beside_what_the_team_said(run_folder: Path) -> None:
    first = pair_samples(open_run(run_folder))[0]
    assert (first.reference, first.base, first.candidate) == ("team on ex1:0", "base says ex1:0", "adapter says ex1:0")


def test_a_resumed_step_counts_once_and_a_torn_line_not_at_all(run_folder: Path) -> None:
    assert [(item.step, item.loss) for item in open_run(run_folder).steps] == [(1, 4.0), (2, 3.0), (3, 2.0)]


def test_the_card_has_the_hubs_header_and_promises_nothing(run_folder: Path) -> None:
    run = open_run(run_folder)
    _, header, body = render_card(run).split("---\n", 2)
    assert yaml.safe_load(header)["base_model"] == "base"
    assert run.manifest.name in body
    assert f"| candidate | nats per token | {0.5:.3g} (0.45 to 0.5), n 24 |" in body


def test_a_forest_keeps_order_and_scale() -> None:
    forest = draw_forest({"base": Figure(value=4, low=3, high=5, n=9), "candidate": figure(1.0)}, "candidate")
    base, candidate = forest.rows
    assert base.low < base.x < base.high <= WIDTH
    assert candidate.x < base.low
    assert [row.chosen for row in forest.rows] == [False, True]


def test_a_curve_needs_two_points_and_falls_when_the_loss_falls() -> None:
    assert draw_curve([1], [2.0]) is None
    curve = draw_curve([1, 2, 3], [3.0, 2.0, 1.0])
    assert curve is not None
    heights = [float(point.split(",")[1]) for point in curve.points.split()]
    assert heights == sorted(heights)  # SVG counts from the top
