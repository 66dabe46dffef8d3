"""Out in every format and back: the same bytes, the same id; and what a card and other readers see."""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.dataset.exporting import export_snapshot
from app.dataset.folder import MANIFEST, verify_snapshot
from app.dataset.formats import Format
from app.dataset.restoring import import_rows
from app.domain.errors import UserError
from app.domain.snapshots import CommentRow, SnapshotManifest
from tests.unit.dataset.exported import NOW, a_snapshot, examples

FORMATS = list(Format)


def brought_back(source: Path, form: Format, folder: Path) -> SnapshotManifest:
    import_rows(source, form, folder, None, installation="elsewhere", created_at=NOW)
    return verify_snapshot(folder)


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != MANIFEST}


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line]


@pytest.mark.parametrize("form", FORMATS)
def test_a_whole_export_comes_back_as_the_very_snapshot(tmp_path: Path, form: Format) -> None:
    manifest = a_snapshot(tmp_path / "s")
    export_snapshot(tmp_path / "s", form, tmp_path / "out", None)
    assert brought_back(tmp_path / "out", form, tmp_path / "back").id == manifest.id
    assert files_of(tmp_path / "back") == files_of(tmp_path / "s")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80), min_size=1, max_size=5))
@example(["\x00", "a\r\nb\u2028c\x85d", "x" * 300, "\U0001f600 \u202e <script>", '"}\\'])
@settings(max_examples=25, deadline=None)
def test_any_text_comes_back(bodies: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        manifest = a_snapshot(root / "s", examples(["Say: " + body for body in bodies]))
        for form in FORMATS:
            export_snapshot(root / "s", form, root / form, None)
            assert brought_back(root / form, form, root / f"{form}-back").id == manifest.id


def test_a_very_long_line_comes_back(tmp_path: Path) -> None:
    found = examples()
    long = found[0].hunk.model_copy(update={"header": "@@ " + "é" * 3_000_000})
    manifest = a_snapshot(tmp_path / "s", [found[0].model_copy(update={"hunk": long}), *found[1:]])
    for form in FORMATS:
        export_snapshot(tmp_path / "s", form, tmp_path / form, None)
        assert brought_back(tmp_path / form, form, tmp_path / f"{form}-back").id == manifest.id


@pytest.mark.parametrize("form", [form for form in FORMATS if form is not Format.PARQUET])
def test_the_lines_of_each_format_have_its_shape(tmp_path: Path, form: Format) -> None:
    a_snapshot(tmp_path / "s")
    export_snapshot(tmp_path / "s", form, tmp_path / "out", None)
    rows = read_lines(tmp_path / "out" / "train.jsonl")
    assert len(rows) == 8 + 5
    assert len({tuple(sorted(row)) for row in rows}) == 1  # the same columns in each row
    if form is Format.TRL:
        assert [message["role"] for message in rows[0]["prompt"]] == ["system", "user"]
        assert [message["role"] for message in rows[0]["completion"]] == ["assistant"]
    elif form is Format.OPENAI:
        assert set(rows[0]) == {"messages"}
    column = {Format.OPENAI: "messages", Format.AXOLOTL: "messages", Format.UNSLOTH: "conversations"}.get(form)
    if column is not None:
        assert all([message["role"] for message in row[column]] == ["system", "user", "assistant"] for row in rows)
        # Unsloth's reader takes a conversation's messages only with exactly two texts each
        assert all(set(message) == {"role", "content"} for row in rows for message in row[column])


@pytest.mark.parametrize("form", FORMATS)
def test_hugging_face_loads_every_export_by_its_card(
    tmp_path: Path, form: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    a_snapshot(tmp_path / "s")
    export_snapshot(tmp_path / "s", form, tmp_path / "out", None)
    names = ["comments", "lines", "outcomes", "written"] if form is Format.PARQUET else ["default"]
    assert datasets.get_dataset_config_names(str(tmp_path / "out")) == names
    for name in names:
        loaded = datasets.load_dataset(str(tmp_path / "out"), name, cache_dir=str(tmp_path / "cache"))
        if name == "written":
            assert list(loaded) == ["train"]  # later than no held-out pull request
        else:
            assert loaded["heldout"].num_rows > 0
        if name == "comments":
            first = CommentRow.model_validate(loaded["train"][0])
            assert first.model_dump(mode="json") == read_lines(tmp_path / "s" / "comments.train.jsonl")[0]


def test_an_empty_part_is_not_promised_to_readers(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    a_snapshot(tmp_path / "s", examples(["Only one."]), written=0)
    for form in FORMATS:
        export_snapshot(tmp_path / "s", form, tmp_path / form, None)
        loaded = datasets.load_dataset(str(tmp_path / form), cache_dir=str(tmp_path / "cache" / form))
        assert {name: part.num_rows for name, part in loaded.items()} == {"train": 1}


def test_the_card_says_what_is_inside_and_what_is_not(tmp_path: Path) -> None:
    manifest = a_snapshot(tmp_path / "s")
    export_snapshot(tmp_path / "s", Format.OPENAI, tmp_path / "out", lambda _: None)
    _, header, body = (tmp_path / "out" / "README.md").read_text().split("---\n", 2)
    told = yaml.safe_load(header)
    assert told["license"] == "unknown"
    assert told["task_categories"] == ["text-generation"]
    assert told["size_categories"] == ["n<1K"]
    assert told["configs"][0]["data_files"] == [
        {"split": "train", "path": "train.jsonl"},
        {"split": "heldout", "path": "heldout.jsonl"},
    ]
    assert f"`{manifest.id}`" in body
    assert "do **not** carry where reviewers kept silent" in body
    assert "Scanned for secrets at export: 0 rows refused" in body


def test_axolotl_gets_the_part_of_its_configuration_that_is_about_data(tmp_path: Path) -> None:
    a_snapshot(tmp_path / "s")
    export_snapshot(tmp_path / "s", Format.AXOLOTL, tmp_path / "out", None)
    told = yaml.safe_load((tmp_path / "out" / "axolotl.yaml").read_text())
    assert told["datasets"][0]["type"] == "chat_template"
    assert told["datasets"][0]["path"] == "train.jsonl"
    assert told["test_datasets"][0]["path"] == "heldout.jsonl"


@pytest.mark.parametrize("form", FORMATS)
def test_a_row_with_a_secret_stays_and_is_counted(tmp_path: Path, form: Format) -> None:
    planted = "hunter2-QUJDREVG"
    before = a_snapshot(tmp_path / "s", examples([*(f"Never print {n}." for n in range(9)), f"Key:\n{planted}"]))

    def scan(text: str) -> str | None:
        return "password" if planted in text else None

    refusal = export_snapshot(tmp_path / "s", form, tmp_path / "out", scan)

    # what to say, and whether the team acted: both rows of the example held the words
    assert refusal.refused == {"comments.heldout:password": 1, "outcomes.heldout:password": 1}
    assert not [path for path in (tmp_path / "out").rglob("*.jsonl") if planted.encode() in path.read_bytes()]
    back = brought_back(tmp_path / "out", form, tmp_path / "back")
    assert back.left_out["export:secret:comments.heldout:password"] == 1
    assert back.id != before.id
    assert not [path for path in (tmp_path / "back").iterdir() if planted.encode() in path.read_bytes()]


def test_nothing_is_written_over(tmp_path: Path) -> None:
    a_snapshot(tmp_path / "s")
    (tmp_path / "out").mkdir()
    with pytest.raises(UserError, match="choose another"):
        export_snapshot(tmp_path / "s", Format.TRL, tmp_path / "out", None)
    with pytest.raises(UserError, match="expected a snapshot folder"):
        export_snapshot(tmp_path / "none", Format.TRL, tmp_path / "new", None)


def test_both_trainers_get_a_training_of_our_recipe(tmp_path: Path) -> None:
    a_snapshot(tmp_path / "s")
    for form in (Format.AXOLOTL, Format.UNSLOTH):
        export_snapshot(tmp_path / "s", form, tmp_path / form, None)
    axolotl = yaml.safe_load((tmp_path / "axolotl" / "axolotl.yaml").read_text())
    unsloth = yaml.safe_load((tmp_path / "unsloth" / "unsloth.yaml").read_text())
    recipe = yaml.safe_load((Path(__file__).parents[3] / "training" / "configs" / "default.yaml").read_text())
    assert axolotl["lora_r"] == unsloth["lora"]["lora_r"] == recipe["rank"]
    assert axolotl["num_epochs"] == unsloth["training"]["num_epochs"] == recipe["epochs"]
    assert axolotl["learning_rate"] == unsloth["training"]["learning_rate"] == recipe["learning_rate"]
    assert axolotl["lora_target_modules"] == unsloth["lora"]["target_modules"].split(",") == recipe["target_modules"]
    assert (tmp_path / "unsloth" / unsloth["data"]["local_dataset"][0]).is_file()
    assert axolotl["adapter"] == unsloth["training"]["training_type"] == "lora"
