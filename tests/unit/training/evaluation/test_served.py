"""Which name is asked of the server, and with which key."""

from pathlib import Path

import pytest

from app.domain.errors import Refused, UserError
from training.evaluation.served import Served, check_served, open_served


def test_figures_are_headed_with_what_was_asked() -> None:
    check_served(Served("http://h", "k"), None)
    check_served(Served("http://h", "k", "7--0123456789ab"), "7--0123456789ab")
    for name, adapter in (("7--0123456789ab", None), ("base", "7--0123456789ab")):
        with pytest.raises(Refused, match="another's name"):
            check_served(Served("http://h", "k", name), adapter)


def test_the_key_comes_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "read.key").write_text("secret\n")
    assert open_served("http://h/", tmp_path / "read.key", None, None) == Served("http://h", "secret", "base")
    with pytest.raises(UserError, match="the server's read key"):
        open_served("http://h", tmp_path / "absent", None, None)
    with pytest.raises(UserError, match="the manifest of a served adapter"):
        open_served("http://h", tmp_path / "read.key", None, tmp_path)
