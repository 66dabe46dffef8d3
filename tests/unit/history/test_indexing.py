"""Which files are read, and how far."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from app.domain.references import Reference
from app.history import indexing
from app.history.indexing import MOST_BYTES, list_contents, plan_index, read_contents
from app.history.passage_reader import File, read_batch
from tests.integration.history.conftest import Story
from tests.unit.history.test_passage_reader import CRASHER, EATER


@pytest.fixture
def story(tmp_path: Path) -> Story:
    made = Story(tmp_path / "repository")
    made.write("README.md", "# Read me\n\nEverything begins at the door.\n")
    made.write("docs/a b ü.md", "# Umlauts\n\nA path may hold anything.\n")
    made.write("copy/README.md", "# Read me\n\nEverything begins at the door.\n")
    made.write("port.py", '"""Ships come here and are told where."""\n')
    made.write("vendor/README.md", "# Vendored\n\nNothing of ours is in here.\n")
    made.write("large.md", "# Large\n\n" + "x" * MOST_BYTES)
    made.write("empty.md", "")
    made.write("data.bin", b"\0\1\2")
    (made.folder / "link.md").symlink_to("README.md")
    made.commit("Begin")
    return made


def read(story: Story, known: frozenset[str] = frozenset(), **more: int | float) -> list[tuple[str, list[str]]]:
    plan = plan_index(list_contents(story.git_dir, "HEAD"), known)
    limits = {"room": 100, **more}
    found = read_contents(story.git_dir, plan.unread, repository="o/r", permit=permit, **limits)  # type: ignore[arg-type]  # by name
    return [(one.content, [piece.name for piece in one.found]) for one in found]


def permit(piece: Reference) -> bool:
    return piece.name != "Umlauts"


def test_regular_small_files_of_people_are_read_and_the_same_content_once(story: Story) -> None:
    contents = list_contents(story.git_dir, "HEAD")
    assert set(contents) == {"README.md", "copy/README.md", "docs/a b ü.md", "port.py"}
    assert contents["README.md"] == contents["copy/README.md"]
    plan = plan_index(contents, set())
    assert (set(plan.files), list(plan.unread.values())) == (set(contents), ["README.md", "docs/a b ü.md", "port.py"])
    assert plan_index(contents, set(contents.values())).unread == {}
    assert [names for _, names in read(story)] == [["Read me"], [], [""]]


def test_the_same_bytes_read_in_another_way_are_another_content(story: Story) -> None:
    story.write("copy/README.rst", "# Read me\n\nEverything begins at the door.\n")
    story.commit("Copy")
    contents = list_contents(story.git_dir, "HEAD")
    assert contents["copy/README.rst"].split(":")[0] == "rst"
    assert contents["copy/README.rst"].split(":")[1] == contents["README.md"].split(":")[1]


def test_caps_hold_files_pieces_and_seconds(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [names for _, names in read(story, room=1)] == [["Read me"]]
    assert read(story, seconds=-1.0) == []
    monkeypatch.setattr(indexing, "MOST_FILES", 1)
    assert set(plan_index(list_contents(story.git_dir, "HEAD"), set()).files) == {"README.md"}


def test_a_file_that_ends_its_reader_counts_as_read_and_the_service_lives(story: Story) -> None:
    story.write("Eater.java", EATER.source.decode())
    story.write("crasher.py", CRASHER.source.decode())
    story.write("zebra.py", '"""Read after those that end their readers."""\n')
    story.commit("Attack")
    contents = list_contents(story.git_dir, "HEAD")
    found = dict(read(story))
    assert set(found) == set(contents.values())
    assert [found[contents[path]] for path in ("Eater.java", "crasher.py", "zebra.py")] == [[], [], [""]]


def test_code_is_read_in_batches_in_the_order_of_the_plan(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, words in enumerate(["short", "long " * 40, "short", "short", "short"]):
        story.write(f"code{number}.py", f'"""The documentation of number {number} is {words}."""\n')
    story.commit("More")
    batches = []

    def note_and_read(files: Sequence[File], *, repository: str) -> Iterator[list[Reference]]:
        batches.append([one.path for one in files])
        return read_batch(files, repository=repository)

    monkeypatch.setattr(indexing, "read_batch", note_and_read)
    monkeypatch.setattr(indexing, "_BATCH_FILES", 3)
    monkeypatch.setattr(indexing, "_BATCH_BYTES", 200)
    plan = plan_index(list_contents(story.git_dir, "HEAD"), set())
    found = read(story, room=6)
    assert [content for content, _ in found] == list(plan.unread)[:-1]
    assert [len(names) for _, names in found] == [1, 0, 1, 1, 1, 1, 1]
    assert batches == [["code0.py"], ["code1.py"], ["code2.py", "code3.py", "code4.py"]]
