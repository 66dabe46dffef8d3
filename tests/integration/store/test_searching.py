"""The narrow copy of Examples says what the Examples and the decisions say, always, and goes with them."""

import random
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic import command
from sqlmodel import Session, select

from app.domain.examples import Example
from app.store.database import open_engine, reading, writing
from app.store.learning import append_approval, delete_judgements, save_examples
from app.store.migrate import alembic_config, migrate
from app.store.searching import Key, Wanted, count_examples, select_page
from app.store.tables import ApprovalRow, ExampleRow
from app.store.web_tables import ExampleSearchRow
from tests.made_dashboard import make_example

MINE, OTHER = 7, 8


@pytest.fixture
def database(database_url: str) -> Iterator[sa.Engine]:
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


def _examples(count: int = 30) -> list[Example]:
    chance = random.Random(3)  # noqa: S311  the same every time
    names = ("acme/store", "acme/vault")
    return [make_example(number, names[number % 2], 1, chance, pulls=5) for number in range(count)]


def _decide(session: Session, example: Example, decision: str, at: int = 0) -> None:
    append_approval(
        session,
        ApprovalRow(
            example_hash=example.hash,
            installation_id=MINE,
            repository=example.repository,
            pull_request=example.pull_request,
            decision=decision,
            actor="mara",
            actor_role="write",
            source="test",
            content_hash=example.hash,
            idempotency_key=f"{example.hash}{decision}{at}",
        ),
    )


def _hashes(session: Session, wanted: Wanted, installation_id: int = MINE) -> set[str]:
    return {row.hash for row in select_page(session, installation_id, wanted, size=100)}


def test_a_search_finds_words_and_paths_in_any_case(database: sa.Engine) -> None:
    examples = _examples()
    with writing(database) as session:
        save_examples(session, MINE, examples, "harvest")
        save_examples(session, OTHER, examples[:3], "harvest")
    spoken = next(one for one in examples if one.body is not None)
    with reading(database) as session:
        words = f"CASE {(spoken.body or '').rsplit(' ', 1)[1]}"
        rows = {row.hash: row for row in select_page(session, MINE, Wanted(words=words), size=100)}
        assert (rows[spoken.hash].words, rows[spoken.hash].path) == (spoken.body, spoken.path)
        assert 0 < len(rows) < 6
        assert spoken.hash in _hashes(session, Wanted(words=spoken.path.upper()))
        assert (
            _hashes(session, Wanted(words="%")) == _hashes(session, Wanted(words="'; drop table us_example")) == set()
        )
        assert _hashes(session, Wanted(repositories={"acme/vault"})) == {
            one.hash for one in examples if one.repository == "acme/vault"
        }
        assert _hashes(session, Wanted(repositories=())) == set()
        assert _hashes(session, Wanted(), OTHER) == {one.hash for one in examples[:3]}


def test_pages_join_without_a_gap(database: sa.Engine) -> None:
    examples = _examples()
    with writing(database) as session:
        save_examples(session, MINE, examples, "harvest")
    seen: list[str] = []
    below: Key | None = None
    with reading(database) as session:
        while page := select_page(session, MINE, Wanted(), size=7, below=below):
            seen += [row.hash for row in page]
            below = Key(page[-1].created_at, page[-1].hash)
    assert (len(seen), set(seen)) == (len(examples), {one.hash for one in examples})


def test_a_decision_is_that_in_force_also_when_the_example_comes_back(database: sa.Engine) -> None:
    first, second, *_ = examples = _examples(10)
    with writing(database) as session:
        save_examples(session, MINE, examples, "harvest")
        _decide(session, first, "approve")
        _decide(session, second, "approve")
        _decide(session, second, "reject")
    with reading(database) as session:
        assert _hashes(session, Wanted(decision="approve")) == {first.hash}
        assert _hashes(session, Wanted(decision="reject")) == {second.hash}
        assert _hashes(session, Wanted(decision="none")) == {one.hash for one in examples[2:]}
        assert sum(one.number for one in count_examples(session, MINE, None)) == 10
    with writing(database) as session:  # as a harvest does that reads the pull request anew
        delete_judgements(session, MINE, first.repository, first.pull_request)
        gone = session.exec(select(ExampleSearchRow).where(ExampleSearchRow.hash == first.hash)).all()
        assert gone == []
        save_examples(session, MINE, examples, "harvest")
        _decide(session, first, "void")
    with reading(database) as session:
        assert _hashes(session, Wanted(decision="approve")) == set()
        assert first.hash in _hashes(session, Wanted(decision="none"))


def test_a_database_of_before_is_searched_after_its_migration(database: sa.Engine) -> None:
    examples = _examples()
    with writing(database) as session:
        save_examples(session, MINE, examples, "harvest")
        _decide(session, examples[0], "approve")
        before = [row.model_dump() for row in session.exec(select(ExampleSearchRow).order_by("hash"))]
    with database.begin() as connection:
        command.downgrade(alembic_config(connection), "0009")
    migrate(str(database.url.render_as_string(hide_password=False)))
    with reading(database) as session:
        after = [row.model_dump() for row in session.exec(select(ExampleSearchRow).order_by("hash"))]
        assert after == before
        assert len(after) == len(list(session.exec(select(ExampleRow.hash))))
