"""A repository gets another name, and another repository its old one: rows stay with the id, on both databases."""

import random
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.curation.recording import Scope, forget_pull, is_private
from app.domain.erasure import ErasureKind, subject_key
from app.domain.examples import Example
from app.domain.onboarding import Onboarding
from app.store.columns import utc_now
from app.store.database import open_engine, reading, writing
from app.store.erasures import load_forgotten, save_erasure
from app.store.learning import (
    append_approval,
    append_audit,
    load_stated_name,
    save_examples,
    select_approved_examples,
    select_examples,
)
from app.store.renaming import name_waiting, settle_name
from app.store.repositories import (
    ensure_repository,
    find_repository,
    load_repository,
    save_first_place,
    save_harvested,
)
from app.store.reviews import save_review, select_reviews
from app.store.searching import Wanted, count_examples, select_page
from app.store.steering import Place, load_pause
from app.store.tables import ApprovalRow, ErasureRow, HarvestedRow, PauseRow, RepositoryRow, ReviewRow
from tests.made_dashboard import make_example

MINE, OTHER = 7, 8
VAULT, MALLORYS = 10, 20
OLD, NEW = "acme/vault", "acme/vault-old"


@pytest.fixture
def database(database_url: str) -> Iterator[sa.Engine]:
    engine = open_engine(database_url)
    with writing(engine) as session:
        for tenant in (MINE, OTHER):
            _fill(session, tenant)
    yield engine
    engine.dispose()


def _examples() -> list[Example]:
    chance = random.Random(3)  # noqa: S311  the same every time
    return [make_example(number, OLD, VAULT, chance, pulls=3) for number in range(6)]


def _fill(session: Session, tenant: int) -> None:
    """The vault with everything that is found by its name."""
    ensure_repository(session, tenant, VAULT, OLD)
    save_first_place(session, tenant, VAULT, Onboarding.STARTED)
    _learn(session, tenant)
    _review(session, tenant)
    _hide(session, tenant)


def _learn(session: Session, tenant: int) -> None:
    """Pull requests 1 and 3 are harvested, and every Example is approved."""
    save_examples(session, tenant, _examples(), "harvest")
    for example in _examples():
        append_approval(
            session,
            ApprovalRow(
                example_hash=example.hash,
                installation_id=tenant,
                repository=OLD,
                pull_request=example.pull_request,
                decision="approve",
                actor="mara",
                actor_role="write",
                source="test",
                content_hash=example.hash,
                idempotency_key=f"{tenant}{example.hash}",
            ),
        )
    for number in (1, 3):
        save_harvested(
            session,
            HarvestedRow(
                installation_id=tenant,
                repository_id=VAULT,
                pull_request=number,
                repository=OLD,
                head_sha="a" * 40,
                author="au1:x",
            ),
        )


def _review(session: Session, tenant: int) -> None:
    """Pull request 1 has its review, and no further one until somebody says so."""
    review_id = f"github.test{tenant}:{VAULT}:1:{'a' * 40}"
    row = ReviewRow(
        id=review_id, installation_id=tenant, repository=OLD, pull_request=1, head_sha="a" * 40, state="posted"
    )
    save_review(session, row)
    session.add(PauseRow(installation_id=tenant, repository=OLD, pull_request=1, actor="mara", actor_role="write"))


def _hide(session: Session, tenant: int) -> None:
    """Pull request 2 is private, and 3 was asked to be forgotten."""
    append_audit(
        session,
        installation_id=tenant,
        actor="mara",
        action="curation.private",
        subject=Scope(installation_id=tenant, repository=OLD, number=2).subject,
        idempotency_key=f"private{tenant}",
        detail={},
    )
    erased = ErasureRow(
        id=f"erased{tenant}",
        installation_id=tenant,
        kind=ErasureKind.PULL_REQUEST.value,
        subject="",
        subject_key=subject_key(ErasureKind.PULL_REQUEST, f"{OLD}#3"),
        reason="asked",
        finished_at=utc_now(),
    )
    save_erasure(session, erased)


def _assert_all_at(session: Session, name: str, tenant: int = MINE) -> None:
    hashes = {one.hash for one in _examples()}
    assert {row.hash for row in select_examples(session, tenant, repository=name)} == hashes
    assert {row.hash for row in select_approved_examples(session, tenant)} == hashes
    assert {row.hash for row in select_page(session, tenant, Wanted(repository=name), size=50)} == hashes
    approvals = session.exec(select(ApprovalRow.repository).where(col(ApprovalRow.installation_id) == tenant))
    assert set(approvals) == {name}
    assert [row.pull_request for row in select_reviews(session, tenant, repository=name)] == [1]
    assert load_pause(session, Place(tenant, name, 1)) is not None
    assert is_private(session, Scope(installation_id=tenant, repository=name, number=2))
    assert load_forgotten(session, tenant).is_pull(name, 3, "nobody")


def _assert_nothing_at(session: Session, name: str, tenant: int = MINE) -> None:
    assert select_examples(session, tenant, repository=name) == []
    assert count_examples(session, tenant, {name}) == []
    assert select_page(session, tenant, Wanted(repository=name), size=50) == []
    assert select_reviews(session, tenant, repository=name) == []
    assert load_pause(session, Place(tenant, name, 1)) is None
    assert not is_private(session, Scope(installation_id=tenant, repository=name, number=2))
    assert not load_forgotten(session, tenant).is_pull(name, 3, "nobody")


def test_a_new_name_keeps_everything_that_was_learned_and_approved(database: sa.Engine) -> None:
    with writing(database) as session:
        assert not ensure_repository(session, MINE, VAULT, NEW)
    with reading(database) as session:
        _assert_all_at(session, NEW)
        _assert_nothing_at(session, OLD)
        _assert_all_at(session, OLD, OTHER)  # another installation knows it under the old name still
        assert load_stated_name(session, MINE, NEW, 1) == OLD  # what was approved is what it was


def test_whoever_takes_the_name_gets_nothing_with_it(database: sa.Engine) -> None:
    with writing(database) as session:
        ensure_repository(session, MINE, VAULT, NEW)
        ensure_repository(session, MINE, MALLORYS, OLD)
        forget_pull(session, Scope(installation_id=MINE, repository=OLD, number=1))
    with reading(database) as session:
        _assert_nothing_at(session, OLD)
        _assert_all_at(session, NEW)


@pytest.mark.parametrize("taken", [OLD, "Acme/Vault"])
def test_a_name_is_taken_before_the_new_one_is_known(database: sa.Engine, taken: str) -> None:
    waiting = name_waiting(OLD, VAULT)
    with writing(database) as session:
        assert ensure_repository(session, MINE, MALLORYS, taken)
        save_first_place(session, MINE, MALLORYS, Onboarding.DUE)
    with reading(database) as session:
        found = find_repository(session, MINE, OLD)
        assert found is not None
        assert (found.repository_id, found.onboarding) == (MALLORYS, Onboarding.DUE)
        _assert_nothing_at(session, taken)
        _assert_nothing_at(session, OLD)
        _assert_all_at(session, waiting)
    with writing(database) as session:
        forget_pull(session, Scope(installation_id=MINE, repository=taken, number=1))
        ensure_repository(session, MINE, VAULT, NEW)  # the sweep, or an event
    with reading(database) as session:
        _assert_all_at(session, NEW)


def test_two_swap_their_names(database: sa.Engine) -> None:
    with writing(database) as session:
        ensure_repository(session, MINE, MALLORYS, NEW)
        ensure_repository(session, MINE, VAULT, NEW)
        ensure_repository(session, MINE, MALLORYS, OLD)
    with reading(database) as session:
        rows = [load_repository(session, MINE, number) for number in (VAULT, MALLORYS)]
        assert [row.full_name for row in rows if row is not None] == [NEW, OLD]
        _assert_all_at(session, NEW)
        _assert_nothing_at(session, OLD)


def test_a_name_back_again_meets_what_stands_there_already(database: sa.Engine) -> None:
    with writing(database) as session:
        session.add(PauseRow(installation_id=MINE, repository=NEW, pull_request=1, actor="max", actor_role="admin"))
    with writing(database) as session:
        ensure_repository(session, MINE, VAULT, NEW)
    with reading(database) as session:
        _assert_all_at(session, NEW)


def test_an_event_settles_names_and_makes_no_repository(database: sa.Engine) -> None:
    with writing(database) as session:
        settle_name(session, MINE, MALLORYS, OLD)
    with reading(database) as session:
        assert load_repository(session, MINE, MALLORYS) is None
        assert find_repository(session, MINE, OLD) is None
        _assert_all_at(session, name_waiting(OLD, VAULT))


@pytest.mark.parametrize("taker_first", [True, False])
def test_rows_that_an_earlier_release_left_come_home(database: sa.Engine, taker_first: bool) -> None:
    """It renamed the repository and nothing else."""
    listed = [(VAULT, NEW), (MALLORYS, OLD)]
    with writing(database) as session:
        session.connection().execute(
            sa.update(RepositoryRow).where(col(RepositoryRow.installation_id) == MINE).values(full_name=NEW)
        )
    with writing(database) as session:
        for number, name in reversed(listed) if taker_first else listed:
            ensure_repository(session, MINE, number, name)
    with reading(database) as session:
        _assert_all_at(session, NEW)
        _assert_nothing_at(session, OLD)


def test_an_erasure_that_waits_goes_with_the_repository_it_is_of(database: sa.Engine) -> None:
    waits = ErasureRow(
        id="waits",
        installation_id=MINE,
        kind=ErasureKind.REPOSITORY.value,
        subject=OLD,
        subject_key=subject_key(ErasureKind.REPOSITORY, OLD),
        reason="removed",
    )
    with writing(database) as session:
        save_erasure(session, waits)
        settle_name(session, MINE, MALLORYS, OLD)
    with reading(database) as session:
        row = session.get(ErasureRow, "waits")
        assert row is not None
        assert row.subject == name_waiting(OLD, VAULT)
        assert row.subject_key == subject_key(ErasureKind.REPOSITORY, row.subject)
