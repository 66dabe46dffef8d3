"""What retrieval looks through, on both databases: one tenant's, one repository's, and only what is so now."""

from collections.abc import Iterator

import numpy as np
import pytest
import sqlalchemy as sa

from app.domain.erasure import ErasureKind, Subject
from app.domain.references import Reference, ReferenceKind, text_hash
from app.store.database import open_engine, reading, writing
from app.store.erasing import erase_doomed, select_doomed
from app.store.learning import append_approval, save_examples
from app.store.references import (
    Library,
    count_references,
    load_vectors,
    save_indexed_files,
    save_references,
    save_vectors,
    select_indexed_files,
    select_past_reviews,
    select_references,
)
from app.store.tables import ApprovalRow
from tests.unit.dataset.test_rows import a_clean_hunk, an_example

OURS = Library(7_000_000_001, 5, "acme/store")
THEIRS = OURS._replace(installation_id=7_000_000_002)
OTHER = OURS._replace(repository_id=6, repository="acme/other")


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    made = open_engine(database_url)
    yield made
    made.dispose()


def piece(text: str, path: str = "a.md") -> Reference:
    return Reference(kind=ReferenceKind.SECTION, repository="acme/store", path=path, name="n", text=text)


def texts(engine: sa.Engine, library: Library) -> list[tuple[str, str]]:
    with reading(engine) as session:
        return [(one.path, one.text) for one in select_references(session, library)]


def test_pieces_are_their_librarys_and_follow_its_files(engine: sa.Engine) -> None:
    with writing(engine) as session:
        for library in (OURS, THEIRS, OTHER):
            assert save_references(session, library, "markdown:1", [piece("one"), piece("two")]) == 2
            assert save_references(session, library, "markdown:1", [piece("one")]) == 0
            assert save_references(session, library, "markdown:2", [piece("three", "b.md")]) == 1
            save_indexed_files(session, library, {"a.md": "markdown:1", "b.md": "markdown:2"})
    assert texts(engine, OURS) == [("a.md", "one"), ("a.md", "two"), ("b.md", "three")]
    vectors = {text_hash(word): np.ones(3, dtype=np.float32) for word in ("one", "three")}
    with writing(engine) as session:
        for library in (OURS, THEIRS):
            save_vectors(session, library.installation_id, "m", vectors)
        moved = OURS._replace(repository="acme/renamed")
        assert save_indexed_files(session, moved, {"moved.md": "markdown:1"}) == 1
        assert select_indexed_files(session, OURS) == {"moved.md": "markdown:1"}
        assert count_references(session, OURS) == 2
        assert list(load_vectors(session, OURS.installation_id, "m", ["one", "three"])) == [text_hash("one")]
        assert len(load_vectors(session, THEIRS.installation_id, "m", ["one", "three"])) == 2
        assert load_vectors(session, OURS.installation_id, "another", ["one"]) == {}
    assert texts(engine, OURS) == [("moved.md", "one"), ("moved.md", "two")]
    assert len(texts(engine, THEIRS)) == len(texts(engine, OTHER)) == 3


def approve(engine: sa.Engine, example_hash: str, decision: str, key: str, content: str | None = None) -> None:
    with writing(engine) as session:
        append_approval(
            session,
            ApprovalRow(
                example_hash=example_hash,
                installation_id=OURS.installation_id,
                repository=OURS.repository,
                pull_request=7,
                decision=decision,
                actor="root",
                actor_role="admin",
                source="label",
                content_hash=content or example_hash,
                idempotency_key=key,
            ),
        )


def test_past_reviews_are_those_approved_now_in_this_repository(engine: sa.Engine) -> None:
    shown, unasked, changed = (an_example(comment_id=number, body=f"Never print {number}.") for number in (1, 2, 3))
    ignored, silent = an_example(comment_id=4, evidence="unchanged"), a_clean_hunk()
    elsewhere = an_example(comment_id=5, repository="acme/other")
    with writing(engine) as session:
        for installation_id in (OURS.installation_id, THEIRS.installation_id):
            save_examples(session, installation_id, [shown, unasked, changed, ignored, silent, elsewhere], "harvest")
    for example in (shown, ignored, silent, elsewhere):
        approve(engine, example.hash, "approve", f"a{example.hash}")
    approve(engine, changed.hash, "approve", "b", content="ex1:other")

    def past(library: Library) -> list[int | None]:
        with reading(engine) as session:
            found = select_past_reviews(session, library.installation_id, library.repository)
        return [one.comment_id for one in found]

    assert (past(OURS), past(THEIRS), past(OTHER)) == ([1], [], [5])
    approve(engine, shown.hash, "void", "c")
    assert past(OURS) == []


@pytest.mark.parametrize(
    ("kind", "name", "left"),
    [
        (ErasureKind.AUTHOR, "Rita", ["two", "three"]),
        (ErasureKind.PULL_REQUEST, "acme/store#7", ["ask rita", "two", "three"]),
        (ErasureKind.REPOSITORY, "Acme/Store", ["three"]),
        (ErasureKind.INSTALLATION, str(OURS.installation_id), []),
    ],
)
def test_an_erasure_takes_pieces_files_and_every_vector(
    engine: sa.Engine, kind: ErasureKind, name: str, left: list[str]
) -> None:
    with writing(engine) as session:
        for library in (OURS, THEIRS):
            save_references(session, library, "markdown:1", [piece("ask rita"), piece("two")])
            save_indexed_files(session, library, {"a.md": "markdown:1"})
            save_vectors(session, library.installation_id, "m", {text_hash("two"): np.ones(3, dtype=np.float32)})
        save_references(session, OTHER, "markdown:2", [piece("three")])
        save_indexed_files(session, OTHER, {"c.md": "markdown:2"})
    subject = Subject(kind=kind, name=name)
    with writing(engine) as session:
        counted = select_doomed(session, OURS.installation_id, subject).count().get("references", 0)
        assert counted == 3 - len(left)
        assert erase_doomed(session, OURS.installation_id, subject).get("references", 0) == counted
    assert [text for library in (OURS, OTHER) for _, text in texts(engine, library)] == left
    with reading(engine) as session:
        assert load_vectors(session, OURS.installation_id, "m", ["two"]) == {}
        assert len(load_vectors(session, THEIRS.installation_id, "m", ["two"])) == 1
        gone = kind in (ErasureKind.REPOSITORY, ErasureKind.INSTALLATION)
        assert bool(select_indexed_files(session, OURS)) != gone
        assert select_indexed_files(session, THEIRS) == {"a.md": "markdown:1"}
    assert len(texts(engine, THEIRS)) == 2
