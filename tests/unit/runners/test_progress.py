"""The newest whole line counts, whatever else is written."""

import asyncio
import threading
import time
from pathlib import Path

import pytest

from app.runners.progress import ProgressFile, TrainingProgress, following, parse_newest
from tests.made_run import progress_line


@pytest.mark.parametrize(
    "junk",
    [b"", b"half a li", b'{"stage": "sft"}\n', b"\xff\xfe\n", b'{"stage": "sft", "step": 1, "total": 2, "loss": NaN}\n',
     b'{"stage": "<script>", "step": 1, "total": 2}\n'],
)  # fmt: skip
def test_what_is_no_progress_is_passed_over(junk: bytes) -> None:
    found = parse_newest(progress_line(3) + junk)
    assert found is not None
    assert (found.step, found.loss, found.tokens_per_second, found.eta_seconds) == (3, 1.5, 80.0, 3.0)
    assert parse_newest(junk) is None


def test_figures_only() -> None:
    found = parse_newest(progress_line(1))
    assert found is not None
    assert "confidential" not in found.model_dump_json()


def test_only_what_is_new_is_told_and_half_a_line_later(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    file = ProgressFile(path)
    assert file.read_newest() is None
    path.write_bytes(progress_line(1) + progress_line(2)[:20])
    assert file.read_newest() == TrainingProgress.model_validate_json(progress_line(1))
    assert file.read_newest() is None
    path.write_bytes(progress_line(1) + progress_line(2))
    newest = file.read_newest()
    assert newest is not None
    assert newest.step == 2


def test_a_file_written_anew_and_a_long_one(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    file = ProgressFile(path)
    path.write_bytes(b"".join(progress_line(step, 9_999) for step in range(2_000)))
    newest = file.read_newest()
    assert newest is not None
    assert newest.step == 1_999
    path.write_bytes(progress_line(1))
    newest = file.read_newest()
    assert newest is not None
    assert newest.step == 1


async def test_it_is_followed_at_a_modest_rate_and_to_the_last_line(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    heard: list[int] = []

    first = asyncio.Event()

    async def hear(newest: TrainingProgress) -> None:
        heard.append(newest.step)
        first.set()

    began = time.monotonic()
    async with following(path, hear, every_seconds=0.05):
        for step in range(1, 101):
            with path.open("ab") as file:
                file.write(progress_line(step, 100))
            await asyncio.sleep(0.002)
        await first.wait()
    elapsed = time.monotonic() - began
    assert heard == sorted(set(heard))
    assert heard[-1] == 100
    assert len(heard) <= elapsed / 0.05 + 2


async def test_a_line_that_is_being_read_when_the_block_ends_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "progress.jsonl"
    path.write_bytes(progress_line(100, 100))
    heard: list[int] = []
    reading, go_on = threading.Event(), threading.Event()
    read = ProgressFile.read_newest

    def read_slowly(file: ProgressFile) -> TrainingProgress | None:
        found = read(file)
        reading.set()
        go_on.wait(10)
        return found

    async def hear(newest: TrainingProgress) -> None:
        heard.append(newest.step)

    monkeypatch.setattr(ProgressFile, "read_newest", read_slowly)
    async with following(path, hear, every_seconds=0.05):
        await asyncio.to_thread(reading.wait, 10)
        asyncio.get_running_loop().call_later(0.1, go_on.set)
    assert heard == [100]
