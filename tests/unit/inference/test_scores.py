"""What training stores and what the service reads give the same numbers; anything but plain data is refused."""

from pathlib import Path

import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from app.domain.errors import Refused, UserError
from app.inference.acceptance import load_acceptance
from app.inference.locator import load_locator
from tests.training_data import write_snapshot
from training.rows.snapshot import Snapshot, load_snapshot
from training.scores.acceptance import fit_acceptance
from training.scores.acceptance import read_texts as read_outcomes
from training.scores.locator import fit_locator, judge_lines, read_texts
from training.scores.text_scores import load_scores, save_scores


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder: Path = tmp_path_factory.mktemp("scores") / "snapshot"
    write_snapshot(folder, train_pulls=12, heldout_pulls=4)
    return load_snapshot(folder)


def test_the_locator_scores_alike_in_both_programs(snapshot: Snapshot, tmp_path: Path) -> None:
    fitted = fit_locator(snapshot.hunks("train"), alarms=0.05)
    path = tmp_path / "locator.skops"
    save_scores(path, fitted)
    sites = judge_lines(snapshot.hunks("heldout")).sites
    expected = pytest.approx(list(fitted.score(read_texts(sites), len(sites))), abs=1e-12)
    served = load_locator(path)
    assert served.score(sites) == expected
    assert list(load_scores(path, "locator").score(read_texts(sites), len(sites))) == expected
    assert served.threshold == fitted.threshold
    assert served.score([]) == []
    assert not served.abstains


def test_trees_over_shapes_score_alike_in_both_programs(snapshot: Snapshot, tmp_path: Path) -> None:
    fitted = fit_locator(snapshot.hunks("train"), alarms=0.05, arms=("shape",))
    path = tmp_path / "locator.skops"
    save_scores(path, fitted)
    sites = judge_lines(snapshot.hunks("heldout")).sites
    expected = pytest.approx(list(fitted.score(read_texts(sites), len(sites))), abs=1e-12)
    served = load_locator(path)
    assert fitted.trees is not None
    assert "shape" in served.scores.fields
    assert served.score(sites) == expected
    assert list(load_scores(path, "locator").score(read_texts(sites), len(sites))) == expected
    assert served.score([]) == []


def test_trees_that_lead_nowhere_are_no_locator(snapshot: Snapshot, tmp_path: Path) -> None:
    path = tmp_path / "locator.skops"
    save_scores(path, fit_locator(snapshot.hunks("train"), alarms=0.05, arms=("shape",)))
    document = skops.io.load(path, trusted=[])
    document["trees"]["roots"] = document["trees"]["roots"] + 100_000
    skops.io.dump(document, path)
    with pytest.raises(UserError, match="damaged and no locator"):
        load_locator(path)


def test_the_filter_scores_alike_in_both_programs(snapshot: Snapshot, tmp_path: Path) -> None:
    fitted = fit_acceptance(snapshot.outcomes("train"), precision=0.8)
    path = tmp_path / "filter.skops"
    save_scores(path, fitted)
    rows = snapshot.outcomes("heldout")
    expected = fitted.score(read_outcomes([row.line_text for row in rows], [row.body for row in rows]), len(rows))
    served = load_acceptance(path)
    assert [served.score(row.line_text, row.body) for row in rows] == pytest.approx(list(expected), abs=1e-12)


def test_one_that_abstains_is_silent_or_passes(snapshot: Snapshot, tmp_path: Path) -> None:
    save_scores(tmp_path / "locator.skops", fit_locator([], alarms=0.05))
    save_scores(tmp_path / "filter.skops", fit_acceptance([], precision=0.8))
    locator, acceptance = load_locator(tmp_path / "locator.skops"), load_acceptance(tmp_path / "filter.skops")
    sites = judge_lines(snapshot.hunks("heldout")).sites
    assert locator.abstains
    assert max(locator.score(sites)) < locator.threshold
    assert acceptance.score("x = 1", "any words") >= acceptance.threshold


def test_a_file_with_code_in_it_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "locator.skops"
    skops.io.dump({"schema": "scores/1", "kind": "locator", "blocks": [_Trap()]}, path)
    with pytest.raises(Refused, match="more than plain data"):
        load_locator(path)


class _Trap:
    """Any type of ours is untrusted."""

    def __init__(self) -> None:
        self.run = "rm"


@pytest.mark.parametrize(
    "document", [{"schema": "scores/0", "kind": "locator"}, {"schema": "scores/1", "kind": "filter"}]
)
def test_another_kind_or_schema_is_named(tmp_path: Path, document: dict[str, str]) -> None:
    path = tmp_path / "locator.skops"
    skops.io.dump(document, path)
    with pytest.raises(UserError, match="no locator of schema scores/2 or older"):
        load_locator(path)


def test_damaged_and_absent_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "locator.skops"
    with pytest.raises(UserError, match="found no such file"):
        load_locator(path)
    path.write_bytes(b"PK not a zip")
    with pytest.raises(UserError, match="damaged"):
        load_locator(path)
    skops.io.dump(LogisticRegression(), path)
    with pytest.raises(UserError, match="no locator"):
        load_locator(path)
