"""A stored score that is damaged, of another kind or more than data is named, never half read."""

from pathlib import Path
from zipfile import ZipFile

import pytest
import skops.io

from app.domain.errors import UserError
from training.scores.text_scores import constant_scores, load_scores, save_scores


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "filter.skops"
    with pytest.raises(UserError, match="expected a filter at"):
        load_scores(path, "filter")
    path.write_bytes(b"no archive at all")
    with pytest.raises(UserError, match="damaged"):
        load_scores(path, "filter")
    with ZipFile(path, "w") as archive:
        archive.writestr("other.json", "{}")
    with pytest.raises(UserError, match="damaged"):
        load_scores(path, "filter")
    skops.io.dump([1, 2], path)
    with pytest.raises(UserError, match="is no filter of schema"):
        load_scores(path, "filter")
    skops.io.dump({"schema": Path("x")}, path)
    with pytest.raises(UserError, match="more than plain data"):
        load_scores(path, "filter")


def test_a_score_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "filter.skops"
    save_scores(path, constant_scores("filter", probability=0.5, threshold=0.0, reason="too few"))
    assert load_scores(path, "filter").abstains
    with pytest.raises(UserError, match="is no locator"):
        load_scores(path, "locator")
