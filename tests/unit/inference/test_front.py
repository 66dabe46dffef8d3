"""A model server is asked where it says it listens, but only on hosts that somebody agreed to."""

import json
from pathlib import Path

import pytest

from app.domain.errors import Refused, RetryLater
from app.inference.front import read_front
from app.inference.replicas import survey


def _folder(path: Path, url: object) -> Path:
    (path / "read.key").write_text("r")
    (path / "control.key").write_text("c")
    (path / "front.json").write_text(json.dumps({"url": url, "pid": 1}))
    return path


@pytest.mark.parametrize("url", ["http://127.0.0.1:8001", "http://[::1]:8001", "http://localhost:8001"])
def test_this_machine_needs_no_agreement(tmp_path: Path, url: str) -> None:
    assert read_front(_folder(tmp_path, url)).url == url


def test_another_host_is_asked_once_it_is_agreed_to(tmp_path: Path) -> None:
    url = "http://understudy-serving:8001"
    assert read_front(_folder(tmp_path, url), ("understudy-serving",)).url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://understudy-serving:8001",
        "http://agreed.evil.example:8001",
        "http://agreed@evil.example:8001",
        "http://127.0.0.1@evil.example",
        "http://127.0.0.1.evil.example",
        "http://169.254.169.254/latest",
        "file://agreed/x",
        "agreed",
        "http://[",
        "",
    ],
)
async def test_what_nobody_agreed_to_is_not_asked(tmp_path: Path, url: object) -> None:
    folder = _folder(tmp_path, url)
    with pytest.raises(Refused, match="UNDERSTUDY_SERVING_HOSTS") as refused:
        read_front(folder, ("agreed",))
    assert refused.value.reason == "front_host"
    (away,) = (await survey([folder], ("agreed",))).away
    assert "UNDERSTUDY_SERVING_HOSTS" in away.message


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("ours")
    state = tmp_path / "state"
    state.mkdir()
    folder = _folder(state, "http://127.0.0.1:8001")
    (folder / "read.key").unlink()
    (folder / "read.key").symlink_to(secret)
    with pytest.raises(RetryLater):
        read_front(folder)


@pytest.mark.parametrize("url", [7, None, ["http://127.0.0.1"]])
def test_what_is_no_text_is_no_address(tmp_path: Path, url: object) -> None:
    with pytest.raises(RetryLater):
        read_front(_folder(tmp_path, url))
