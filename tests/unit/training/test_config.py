"""Configuration: every value has an origin, every mistake its name."""

from pathlib import Path

import pytest

from app.domain.errors import UserError
from training.config import PACKAGED, TrainingConfig, resolve_config


@pytest.mark.parametrize("path", sorted(PACKAGED.glob("*.yaml")), ids=lambda path: path.stem)
def test_packaged_files_resolve(path: Path) -> None:
    assert resolve_config(path.stem).config.rank in (8, 16)


def test_default_says_every_key() -> None:
    assert set(resolve_config().origins) == set(TrainingConfig.model_fields)


def test_each_value_names_the_file_that_said_it(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("rank: 32\n")
    lines = resolve_config(str(mine)).lines()
    assert "rank = 32  (mine.yaml)" in lines
    assert "epochs = 2.0  (default.yaml)" in lines


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("ranks: 8\n", "mine.yaml: ranks"),
        ("rank: 12\n", "mine.yaml: rank"),
        ("use_dora: true\n", "mine.yaml: use_dora"),
        ("- rank\n", "expected `key: value` lines"),
        ("rank: [\n", "expected YAML"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, named: str) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(text)
    with pytest.raises(UserError, match=named):
        resolve_config(str(mine))


def test_an_absent_file_lists_what_there_is() -> None:
    with pytest.raises(UserError, match="default, demo, smoke"):
        resolve_config("nowhere.yaml")
