"""Rows of somebody else, exports that were changed, and rows that can't be read."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.dataset.exporting import export_snapshot
from app.dataset.folder import verify_snapshot
from app.dataset.foreign import NO_MOMENT, UNKNOWN_WEIGHT
from app.dataset.formats import Format
from app.dataset.restoring import FOREIGN_PROMPTS, import_rows
from app.domain.errors import UserError
from app.domain.examples import Evidence, decide_weight
from app.domain.prompt import PROMPT_VERSION
from app.domain.snapshots import CommentRow, SnapshotManifest
from tests.unit.dataset.exported import NOW, a_snapshot
from tests.unit.dataset.test_rows import an_example
from training.rows.snapshot import load_snapshot


def brought(source: Path, form: Format, folder: Path, scanner: Any = None) -> SnapshotManifest:
    import_rows(source, form, folder, scanner, installation="elsewhere", created_at=NOW)
    return verify_snapshot(folder)


def write(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))
    return path


def said(question: str, answer: str = "No.", **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}], **more}


def comments(folder: Path, part: str) -> list[CommentRow]:
    return [
        CommentRow.model_validate_json(line) for line in (folder / f"comments.{part}.jsonl").read_bytes().splitlines()
    ]


FOREIGN: list[tuple[Format, Any]] = [
    (Format.TRL, {"prompt": "Why?", "completion": "No."}),
    (Format.TRL, {"prompt": [{"role": "user", "content": "Why?"}], "completion": "No."}),
    (Format.OPENAI, said("Why?")),
    (Format.AXOLOTL, said("Why?")),
    (Format.UNSLOTH, {"conversations": [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "No."}]}),
    (Format.UNSLOTH, {"conversations": said("Why?")["messages"]}),
]


@pytest.mark.parametrize(("form", "row"), FOREIGN)
def test_what_a_foreign_row_does_not_say_is_unknown(tmp_path: Path, form: Format, row: dict[str, Any]) -> None:
    manifest = brought(write(tmp_path / "rows.jsonl", [row]), form, tmp_path / "s")
    (read,) = comments(tmp_path / "s", "train")
    assert [(message.role, message.content) for message in (*read.prompt, *read.completion)] == [
        ("user", "Why?"),
        ("assistant", "No."),
    ]
    assert (read.repository, read.reviewer, read.path) == ("unknown", "unknown", "unknown")
    assert (read.pull_request, read.line, read.created_at) == (0, 0, NO_MOMENT)
    assert (read.evidence, read.weight) == (Evidence.UNKNOWN, UNKNOWN_WEIGHT)
    assert manifest.source == f"import:rows.jsonl:{form}"


def test_the_weight_of_the_unknown_is_the_one_of_unknown_evidence() -> None:
    assert decide_weight(an_example(evidence=Evidence.UNKNOWN)) == UNKNOWN_WEIGHT


def test_training_refuses_prompts_that_the_service_does_not_send(tmp_path: Path) -> None:
    assert brought(write(tmp_path / "r.jsonl", [said("Why?")]), Format.OPENAI, tmp_path / "s").prompt_version == (
        FOREIGN_PROMPTS
    )
    with pytest.raises(UserError, match="holds prompts of version foreign"):
        load_snapshot(tmp_path / "s")


def test_rows_of_unknown_time_are_split_as_they_stand(tmp_path: Path) -> None:
    rows = [said(f"Why {number}?") for number in range(10)]
    manifest = brought(write(tmp_path / "r.jsonl", rows), Format.OPENAI, tmp_path / "s")
    assert [row.prompt[0].content for row in comments(tmp_path / "s", "heldout")] == ["Why 8?", "Why 9?"]
    assert "10 rows of unknown time count as the oldest" in manifest.split


def test_two_files_are_held_out_as_given_and_no_pull_request_is_in_both(tmp_path: Path) -> None:
    known: dict[str, Any] = {"repository": "a/b", "pull_request": 7}
    (tmp_path / "in").mkdir()
    write(tmp_path / "in" / "train.jsonl", [said("One?"), said("Two?", **known), said("Both?")])
    write(tmp_path / "in" / "heldout.jsonl", [said("Three?", **known), said("Both?")])
    manifest = brought(tmp_path / "in", Format.AXOLOTL, tmp_path / "s")
    assert [row.prompt[0].content for row in comments(tmp_path / "s", "train")] == ["One?"]
    assert manifest.left_out == {"import:pull_request_in_heldout": 1, "train:prompt_in_heldout": 1}


def test_a_single_file_of_ours_keeps_its_rows_and_their_prompts_version(tmp_path: Path) -> None:
    a_snapshot(tmp_path / "s")
    export_snapshot(tmp_path / "s", Format.UNSLOTH, tmp_path / "out", None)
    manifest = brought(tmp_path / "out" / "train.jsonl", Format.UNSLOTH, tmp_path / "back")
    both = {row.example: row for part in ("train", "heldout") for row in comments(tmp_path / "back", part)}
    assert both == {row.example: row for row in comments(tmp_path / "s", "train")}
    assert manifest.prompt_version == PROMPT_VERSION
    written = [(tmp_path / "back" / f"written.{part}.jsonl").read_bytes() for part in ("train",)]
    assert written == [(tmp_path / "s" / "written.train.jsonl").read_bytes()]


@pytest.mark.parametrize("form", [Format.TRL, Format.OPENAI, Format.PARQUET])
def test_a_changed_export_is_a_new_snapshot_that_says_so(tmp_path: Path, form: Format) -> None:
    before = a_snapshot(tmp_path / "s")
    export_snapshot(tmp_path / "s", form, tmp_path / "out", None)
    if form is Format.PARQUET:
        path = tmp_path / "out" / "comments" / "train.parquet"
        pq.write_table(pq.read_table(path).slice(1), path)
    else:
        path = tmp_path / "out" / "train.jsonl"
        path.write_bytes(path.read_bytes().split(b"\n", 1)[1])
    after = brought(tmp_path / "out", form, tmp_path / "back")
    assert after.source == f"{before.id} with changes to comments.train.jsonl"
    assert after.counts["comments.train.jsonl"] == before.counts["comments.train.jsonl"] - 1
    assert after.counts["lines.train.jsonl"] == before.counts["lines.train.jsonl"]
    assert load_snapshot(tmp_path / "back").id == after.id


def test_secrets_are_refused_on_the_way_in_too(tmp_path: Path) -> None:
    rows = write(tmp_path / "r.jsonl", [said("Why?"), said("Why hunter2?")])
    manifest = brought(rows, Format.OPENAI, tmp_path / "s", lambda text: "word" if "hunter2" in text else None)
    assert sum(manifest.counts.values()) == 1
    with pytest.raises(UserError, match="got none"):
        brought(rows, Format.OPENAI, tmp_path / "none", lambda _: "word")


BROKEN: list[tuple[Format, str, str]] = [
    (Format.OPENAI, '{"messages": [{"role": "wizard", "content": "x"}]}', r"messages\.0\.role"),
    (Format.OPENAI, '{"messages": [{"role": "user", "content": "x"}]}', "no question with an answer"),
    (Format.OPENAI, "{broken", "the row"),
    (Format.OPENAI, '{"messages": [{"role": "user"}, {"role": "assistant", "content": "x"}]}', r"messages\.0\.content"),
    (Format.TRL, '{"prompt": "x"}', "no question with an answer"),
    (Format.TRL, '{"prompt": "x", "completion": "y", "created_at": "2026-01-01T00:00:00"}', "created_at"),
    (Format.TRL, '{"prompt": "x", "completion": "y", "weight": 7}', "weight"),
    (Format.UNSLOTH, '{"conversations": [{"from": "human", "value": 7}]}', r"conversations\.0\.content|0\.value"),
    (Format.TRL, '{"prompt": "x \\ud800", "completion": "y"}', "surrogate"),
]


@pytest.mark.parametrize(("form", "line", "named"), BROKEN)
def test_a_row_that_cannot_be_read_is_named(tmp_path: Path, form: Format, line: str, named: str) -> None:
    good = said("Why?") if form is not Format.TRL else {"prompt": "Why?", "completion": "No."}
    path = write(tmp_path / "rows.jsonl", [good, line])
    with pytest.raises(UserError, match=rf"rows\.jsonl, row 2: expected .*(?:{named})"):
        brought(path, form, tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_parquet_of_others_is_read_like_lines_and_its_broken_rows_are_named(tmp_path: Path) -> None:
    table = pa.table({"prompt": ["Why?", "How?"], "completion": ["No.", "So."], "score": [1, 2]})
    pq.write_table(table, tmp_path / "rows.parquet")
    brought(tmp_path / "rows.parquet", Format.PARQUET, tmp_path / "s")
    assert comments(tmp_path / "s", "train")[0].prompt[0].content == "Why?"

    raw = pa.array([b"Why?", b"\xff\xfe"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"prompt": raw, "completion": ["a", "b"]}), tmp_path / "bytes.parquet")
    with pytest.raises(UserError, match=r"bytes\.parquet, row 2: expected prompt to be UTF-8"):
        brought(tmp_path / "bytes.parquet", Format.PARQUET, tmp_path / "t")

    (tmp_path / "no.parquet").write_text("PAR")
    with pytest.raises(UserError, match="expected a Parquet file"):
        brought(tmp_path / "no.parquet", Format.PARQUET, tmp_path / "t")


def test_missing_and_empty_things_say_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected an export's folder or a file of rows"):
        brought(tmp_path / "none", Format.TRL, tmp_path / "s")
    with pytest.raises(UserError, match="at least one row"):
        brought(write(tmp_path / "empty.jsonl", []), Format.TRL, tmp_path / "s")
    (tmp_path / "dir").mkdir()
    with pytest.raises(UserError, match=r"expected train\.jsonl"):
        brought(tmp_path / "dir", Format.TRL, tmp_path / "s")


def test_a_part_of_an_export_that_is_gone_is_named(tmp_path: Path) -> None:
    a_snapshot(tmp_path / "s")
    export_snapshot(tmp_path / "s", Format.TRL, tmp_path / "out", None)
    (tmp_path / "out" / "snapshot" / "lines.train.jsonl").unlink()
    with pytest.raises(UserError, match=r"expected the rows of lines\.train\.jsonl"):
        brought(tmp_path / "out", Format.TRL, tmp_path / "back")


def test_training_reads_a_snapshot_with_files_it_does_not_know(tmp_path: Path) -> None:
    manifest = a_snapshot(tmp_path / "s")
    snapshot = load_snapshot(tmp_path / "s")
    assert "written.train.jsonl" in manifest.files
    assert (snapshot.id, len(snapshot.comments("train"))) == (manifest.id, 8)
    (tmp_path / "s").chmod(0o755)
    (tmp_path / "s" / "stray.txt").write_text("not in the manifest")
    assert load_snapshot(tmp_path / "s").id == manifest.id
