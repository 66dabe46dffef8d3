"""One source for the version: pyproject.toml."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.__main__ import cli
from app.domain.errors import UserError
from app.version import read_version

_CHECKOUT = Path(__file__).parents[2]


def test_the_program_says_the_version_of_its_checkout() -> None:
    (stated,) = re.findall(r'^version = "(.+)"$', (_CHECKOUT / "pyproject.toml").read_text(), re.MULTILINE)
    shown = CliRunner().invoke(cli, ["--version"])
    assert (shown.exit_code, shown.output.strip()) == (0, stated)


def test_every_image_takes_it_along() -> None:
    images = sorted((_CHECKOUT / "infra" / "images").glob("*.Dockerfile"))
    assert len(images) == 2
    for image in images:
        assert re.search(r"^COPY .*\bpyproject\.toml\b", image.read_text(), re.MULTILINE), image
        assert "!pyproject.toml" in image.with_name(f"{image.name}.dockerignore").read_text().splitlines()


@pytest.mark.parametrize("text", [None, "no toml", "[project]\n"])
def test_a_checkout_without_it_is_a_sentence(text: str | None, tmp_path: Path) -> None:
    place = tmp_path / "pyproject.toml"
    if text is not None:
        place.write_text(text)
    with pytest.raises(UserError, match="expected the version of Understudy in"):
        read_version(place)
