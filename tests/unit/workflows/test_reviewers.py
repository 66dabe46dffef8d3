"""A promoted version's scorers are read only as the registry knows them."""

import hashlib
from pathlib import Path

import pytest

from app.domain.errors import Refused, UserError
from app.workflows.reviewers import check_file


def test_a_scorer_that_was_changed_after_promotion_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "locator.skops"
    path.write_bytes(b"as it was trained")
    wanted = hashlib.sha256(b"as it was trained").hexdigest()
    check_file(path, wanted)
    path.write_bytes(b"as somebody wants it")
    with pytest.raises(Refused, match="the registry says") as refused:
        check_file(path, wanted)
    assert refused.value.reason == "tampered"
    with pytest.raises(Refused):
        check_file(path, "")  # a manifest that names no such file
    with pytest.raises(UserError):
        check_file(tmp_path / "filter.skops", wanted)
