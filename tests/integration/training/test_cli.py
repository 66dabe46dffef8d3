"""The command line: a person's mistakes are answered in words, with exit code 2 and no traceback."""

import logging
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.integration.training.conftest import run_training
from tests.training_data import write_snapshot
from training.__main__ import cli
from training.process.environment import prepare_process


def _refusal(*arguments: str | Path) -> str:
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    return result.output


def test_an_error_is_all_that_is_said(tiny_base: Path, tmp_path: Path) -> None:
    for command in ("sft", "run"):
        code, said = run_training(command, "--snapshot", tmp_path, "--base", tiny_base, "--out", tmp_path / "out")
        assert code == 2
        assert said.startswith("error: ")
        assert len(said.splitlines()) == 1


def test_the_warning_about_a_kernel_is_silenced_and_no_other() -> None:
    prepare_process()
    logger = logging.getLogger("bitsandbytes.backends.cpu.ops")
    heard: list[str] = []
    listener = logging.Handler()
    listener.emit = lambda record: heard.append(record.getMessage())  # type: ignore[method-assign]
    logger.addHandler(listener)
    logger.warning("Failed to load CPU gemm_4bit_forward from kernels-community: %s", "offline")
    logger.warning("something else")
    logger.removeHandler(listener)
    assert heard == ["something else"]


def test_a_folder_that_is_no_snapshot(tiny_base: Path, tmp_path: Path) -> None:
    said = _refusal("sft", "--snapshot", tmp_path, "--base", tiny_base, "--out", tmp_path / "out")
    assert "manifest of a complete snapshot" in said


def test_a_snapshot_that_changed(tiny_base: Path, tmp_path: Path) -> None:
    write_snapshot(tmp_path / "snapshot", train_pulls=2, heldout_pulls=1)
    with (tmp_path / "snapshot" / "comments.train.jsonl").open("a") as stream:
        stream.write("\n")
    said = _refusal("run", "--snapshot", tmp_path / "snapshot", "--base", tiny_base, "--out", tmp_path / "out")
    assert "comments.train.jsonl changed" in said


def test_an_unknown_configuration_key(small_snapshot: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("lora_rank: 8\n")
    said = _refusal("sft", "--snapshot", small_snapshot, "--out", tmp_path / "o", "--config", tmp_path / "mine.yaml")
    assert "lora_rank" in said


def test_a_base_that_changed_is_named_by_what_changed(tiny_base: Path, small_snapshot: Path, tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    for path in tiny_base.iterdir():
        (base / path.name).write_bytes(path.read_bytes())
    (base / "chat_template.jinja").write_text("{{ messages }}")
    said = _refusal("sft", "--snapshot", small_snapshot, "--base", base, "--out", tmp_path / "out")
    assert "template_hash" in said


def test_reports_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("{}")
    report = tmp_path / "report.json"
    said = _refusal("gate", "--candidate", report, "--baseline", report, "--out", tmp_path / "decision.json")
    assert "suite" in said


@pytest.mark.slow
def test_the_embedded_base_is_made_once_and_checked(tmp_path: Path) -> None:
    from training.base.making import ensure_base

    made = ensure_base(tmp_path / "base")
    assert made.name == "SmolLM2-135M-Instruct"
    assert len(made.revision) == 12
    assert (tmp_path / "base" / "chat_template.jinja").is_file()
    before = (tmp_path / "base" / "model.safetensors").stat().st_mtime_ns
    assert ensure_base(tmp_path / "base") == made
    assert (tmp_path / "base" / "model.safetensors").stat().st_mtime_ns == before
    assert [path.name for path in tmp_path.iterdir()] == ["base"]


def test_places_that_cannot_be_written_are_named_before_any_work(
    tiny_base: Path, small_snapshot: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/nowhere")):
        assert f"expected {out} to be a place that can be written" in _refusal("base", "--out", out)
    given = ("--snapshot", small_snapshot, "--base", tiny_base)
    assert "a place that can be written" in _refusal("sft", *given, "--out", tmp_path / "file")
    assert "is a folder" in _refusal("evaluate", *given, "--out", tmp_path)
    assert (tmp_path / "file").read_text() == ""
