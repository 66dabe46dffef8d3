"""Same rows, same bytes, same id; and a folder that believes nothing it cannot check."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.dataset.folder import MANIFEST, Assembled, verify_snapshot, write_folder
from app.dataset.snapshot import assemble
from app.dataset.split import decide_split
from app.domain.errors import Refused, UserError
from app.domain.examples import Example
from app.domain.snapshots import Contradiction
from tests.unit.dataset.test_rows import a_clean_hunk, an_example


def some_examples() -> list[Example]:
    examples: list[Example] = []
    for number in range(1, 11):
        pull = {"pull_request": number, "pull_request_created_at": datetime(2026, 1, number, tzinfo=UTC)}
        examples += [an_example(path=f"{number}.py", **pull), a_clean_hunk(path="g.py", **pull)]
    return examples


def put_together(examples: list[Example], *, day: int = 1) -> Assembled:
    pulls = ((example.pull_request_created_at, (example.repository, example.pull_request)) for example in examples)
    return assemble(
        examples,
        decide_split(pulls),
        installation="42",
        source="approved",
        created_at=datetime(2026, 2, day, tzinfo=UTC),
    )


def test_the_same_examples_in_any_order_are_the_same_snapshot() -> None:
    one, other = put_together(some_examples()), put_together(some_examples()[::-1] + some_examples()[:3], day=2)
    assert one.files == other.files
    assert one.manifest.id == other.manifest.id


def test_counts_and_reasons_are_in_the_manifest() -> None:
    manifest = put_together(some_examples()).manifest
    assert manifest.counts == {
        "comments.train.jsonl": 8,
        "lines.train.jsonl": 16,
        "outcomes.train.jsonl": 8,
        "comments.heldout.jsonl": 2,
        "lines.heldout.jsonl": 4,
        "outcomes.heldout.jsonl": 2,
    }
    assert manifest.left_out == {}


def test_nothing_to_learn_from_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(UserError, match="understudy:approve"):
        put_together([])


def test_written_once_found_again(tmp_path: Path) -> None:
    assembled = put_together(some_examples())
    folder = tmp_path / "snapshot"

    manifest = write_folder(assembled, folder)

    assert verify_snapshot(folder) == manifest == assembled.manifest
    assert write_folder(put_together(some_examples(), day=9), folder) == manifest  # the first moment stays
    assert [path.name for path in tmp_path.iterdir()] == ["snapshot"]
    assert {oct(path.stat().st_mode)[-3:] for path in folder.iterdir()} == {"444"}


def test_another_snapshot_is_not_written_over_it(tmp_path: Path) -> None:
    write_folder(put_together(some_examples()), tmp_path / "s")
    with pytest.raises(UserError, match="choose another folder"):
        write_folder(put_together(some_examples()[2:]), tmp_path / "s")


def test_a_folder_with_other_things_is_not_taken(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="choose another"):
        write_folder(put_together(some_examples()), tmp_path)


@pytest.mark.parametrize("act", ["change", "remove", "add"])
def test_a_tampered_file_is_refused_by_name(tmp_path: Path, act: str) -> None:
    folder = tmp_path / "s"
    write_folder(put_together(some_examples()), folder)
    folder.chmod(0o755)
    victim = folder / ("extra.jsonl" if act == "add" else "lines.train.jsonl")
    if act == "remove":
        victim.unlink()
    else:
        if victim.exists():
            victim.chmod(0o644)
        victim.write_text("{}\n")

    with pytest.raises(Refused, match=victim.name) as caught:
        verify_snapshot(folder)
    assert caught.value.reason == "changed_file"


def test_without_a_manifest_it_is_incomplete(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    write_folder(put_together(some_examples()), folder)
    folder.chmod(0o755)
    (folder / MANIFEST).unlink()
    with pytest.raises(UserError, match="incomplete"):
        verify_snapshot(folder)


def test_a_login_that_says_the_same_everywhere_is_left_out() -> None:
    (example, *_) = [example for example in some_examples() if example.body]
    text = "The complexity of `f{0}` is {0}, which is above what the team allows here."
    machine = [
        example.model_copy(
            update={"pull_request": 100 + at, "comment_id": 900 + at, "reviewer": "gauge", "body": text.format(at)}
        )
        for at in range(60)
    ]
    manifest = put_together([*some_examples(), *machine]).manifest
    assert manifest.left_out == {"comment:bot_behaviour": 60}
    assert manifest.counts["comments.train.jsonl"] + manifest.counts["comments.heldout.jsonl"] == 10


def test_contradictions_lie_beside_the_rows_with_both_sides(tmp_path: Path) -> None:
    (example, *_) = [example for example in some_examples() if example.body]
    other = example.model_copy(update={"comment_id": 999, "body": "Ask somebody else entirely."})
    assembled = put_together([*some_examples(), other])
    (found,) = [
        Contradiction.model_validate_json(line) for line in assembled.files["contradictions.jsonl"].splitlines()
    ]
    assert {found.kept.example, found.dropped.example} == {example.hash, other.hash}
    assert found.resolution == "newest_stays"
    assert assembled.manifest.counts["contradictions.jsonl"] == 1
    write_folder(assembled, tmp_path / "s")
    assert verify_snapshot(tmp_path / "s") == assembled.manifest
