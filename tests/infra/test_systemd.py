"""The units for one machine are what systemd takes, once the lines of docs/operating.md have put them in place."""

import configparser
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from docs.website.blocks import read_blocks
from serving.__main__ import _parser
from tests.infra.manifests import CHECKOUT

_FOLDER = CHECKOUT / "infra" / "systemd"
_UNITS = sorted(path.name for path in _FOLDER.iterdir())
_PAGE = (CHECKOUT / "docs" / "operating.md").read_text(encoding="utf-8")
(_BLOCK,) = (block for block in read_blocks(_PAGE) if "systemctl" in block.text)


@pytest.fixture
def placed(tmp_path: Path) -> Path:
    """The folder of units, after the lines up to those that need a running systemd; the checkout's name has a blank."""
    checkout, home = tmp_path / "a checkout", tmp_path / "home"
    checkout.symlink_to(CHECKOUT)
    home.mkdir()
    lines = [line for line in _BLOCK.commands if line.split()[0] in ("mkdir", "sed")]
    environment = os.environ | {"HOME": str(home), "PWD": str(checkout)}
    script = "\n".join(["set -e", f"cd -L {shlex.quote(str(checkout))}", *lines])
    subprocess.run(["bash", "-c", script], env=environment, check=True, timeout=60)
    return home / ".config" / "systemd" / "user"


def _read(unit: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # as its documentation says
    parser.read_string(unit.read_text(encoding="utf-8"))
    return parser


def test_the_page_places_and_starts_every_unit(placed: Path) -> None:
    assert sorted(path.name for path in placed.iterdir()) == _UNITS
    (start,) = (shlex.split(line) for line in _BLOCK.commands if " enable --now " in line)
    assert sorted(f"{name}.service" for name in start[4:]) == _UNITS
    for unit in placed.iterdir():
        assert "%h" not in _read(unit)["Service"]["ExecStart"]
        assert _read(unit)["Service"]["WorkingDirectory"].endswith("/a checkout")


def test_systemd_takes_them(placed: Path, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not on PATH; on Debian it comes with the package systemd")
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    done = subprocess.run(
        [analyze, "--user", "verify", *(str(placed / name) for name in _UNITS)],
        env=os.environ | {"XDG_RUNTIME_DIR": str(runtime), "HOME": str(placed.parents[2])},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_they_run_what_the_page_before_them_runs() -> None:
    commands = {name: shlex.split(_read(_FOLDER / name)["Service"]["ExecStart"]) for name in _UNITS}
    assert commands["understudy.service"][1:] == ["-m", "app", "serve"]
    given = _parser().parse_args(commands["understudy-serving.service"][3:])
    assert (given.base, given.state) == (Path("data/base"), Path("data/serving"))
    for name in _UNITS:
        service = _read(_FOLDER / name)["Service"]
        assert commands[name][0] == f"{service['WorkingDirectory']}/.venv/bin/python"
        assert service["OOMPolicy"] == "continue", "else systemd ends all where memory was short for one child"
