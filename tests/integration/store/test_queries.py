"""Queries on both databases: saving twice is saving once, and one tenant never sees another's rows."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from app.domain.diff import DiffLine, Hunk
from app.domain.examples import Evidence, Example, ExampleKind, Rejection
from app.domain.findings import Finding
from app.store.columns import utc_now
from app.store.database import open_engine, reading, writing
from app.store.deliveries import count_outcomes, erase_bodies, load_delivery, save_deliveries, save_outcome
from app.store.executors import load_progress, save_end, save_heartbeat, save_progress, select_dead
from app.store.learning import (
    append_approval,
    append_audit,
    save_examples,
    save_rejections,
    select_approved_examples,
    select_examples,
    select_rejections,
)
from app.store.reviews import (
    load_review,
    save_findings,
    save_posted_comments,
    save_review,
    save_review_state,
    select_posted_findings,
)
from app.store.rounds import load_pointer, move_pointer
from app.store.tables import ApprovalRow, DeliveryRow, ExecutorRow, ReviewRow

OURS, THEIRS = 7_000_000_001, 7_000_000_002


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


def an_example(comment_id: int = 1) -> Example:
    hunk = Hunk(header="@@ -0,0 +1 @@", lines=(DiffLine(kind="added", old=None, new=1, text="x = 1"),))
    return Example(
        kind=ExampleKind.REVIEW_COMMENT,
        host="github.com",
        repository_id=5_000_000_000,
        repository="o/r",
        pull_request=3,
        pull_request_created_at=datetime(2026, 1, 1, tzinfo=UTC),
        commit_sha="a" * 40,
        path="x.py",
        hunk=hunk,
        comment_id=comment_id,
        body="say why",
        line=1,
        evidence=Evidence.LINE,
    )


def a_rejection() -> Rejection:
    return Rejection(
        host="github.com",
        repository_id=5,
        repository="o/r",
        pull_request=3,
        comment_id=9,
        path="x.py",
        line=1,
        side="RIGHT",
        evidence=Evidence.UNCHANGED,
        reason="praise",
        detail="only praise",
    )


def an_approval(example: Example, decision: str, key: str) -> ApprovalRow:
    return ApprovalRow(
        example_hash=example.hash,
        installation_id=OURS,
        repository="o/r",
        pull_request=3,
        decision=decision,
        actor="ann",
        actor_role="write",
        source="label",
        content_hash=example.hash,
        idempotency_key=key,
    )


def a_delivery(guid: str) -> DeliveryRow:
    return DeliveryRow(guid=guid, event="pull_request", action="opened", body=b'{"a": "\xc3\xa9"}')


def test_a_delivery_is_stored_once_and_byte_for_byte(engine: sa.Engine) -> None:
    with writing(engine) as session:
        assert save_deliveries(session, [a_delivery("github.com:1")])
        assert not save_deliveries(session, [a_delivery("github.com:1")])
    with reading(engine) as session:
        row = load_delivery(session, "github.com:1")
    assert row is not None
    assert row.body == b'{"a": "\xc3\xa9"}'
    assert row.received_at.tzinfo is not None


def test_eight_racing_copies_of_a_delivery_give_one_row(engine: sa.Engine) -> None:
    def race(_: int) -> bool:
        with writing(engine) as session:
            return bool(save_deliveries(session, [a_delivery("github.com:1")]))

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(race, range(8))) == [False] * 7 + [True]


def test_outcomes_are_counted_without_their_details(engine: sa.Engine) -> None:
    with writing(engine) as session:
        for number in range(3):
            save_deliveries(session, [a_delivery(f"github.com:{number}")])
        save_outcome(session, "github.com:0", "ignored: unknown event")
        save_outcome(session, "github.com:1", "ignored: own comment")
        assert count_outcomes(session) == {"ignored": 2, "waiting": 1}


def test_bodies_are_erased_but_a_guid_stays_known(engine: sa.Engine) -> None:
    with writing(engine) as session:
        save_deliveries(session, [a_delivery("github.com:1")])
        save_deliveries(session, [a_delivery("github.com:2")])
        save_outcome(session, "github.com:1", "enqueued")
        assert erase_bodies(session, utc_now() + timedelta(seconds=5)) == 1
        assert not save_deliveries(session, [a_delivery("github.com:1")])


def test_examples_and_rejections_are_saved_once_and_belong_to_their_tenant(engine: sa.Engine) -> None:
    with writing(engine) as session:
        assert save_examples(session, OURS, [an_example(1), an_example(2)], "harvest") == 2
        assert save_examples(session, OURS, [an_example(1)], "harvest") == 0
        assert save_rejections(session, OURS, [a_rejection(), a_rejection()]) == 1
    with reading(engine) as session:
        rows = select_examples(session, OURS, repository="o/r", pull_request=3)
        assert {Example.model_validate(row.payload) for row in rows} == {an_example(1), an_example(2)}
        assert select_examples(session, THEIRS) == []
        assert len(select_rejections(session, OURS)) == 1
        assert select_rejections(session, THEIRS) == []


def test_the_newest_approval_is_in_force(engine: sa.Engine) -> None:
    example = an_example()
    with writing(engine) as session:
        save_examples(session, OURS, [example], "harvest")
        assert append_approval(session, an_approval(example, "approve", "k1"))
        assert not append_approval(session, an_approval(example, "approve", "k1"))
        assert [row.hash for row in select_approved_examples(session, OURS)] == [example.hash]
        append_approval(session, an_approval(example, "void", "k2"))
        assert select_approved_examples(session, OURS) == []


def test_audit_says_the_same_act_once(engine: sa.Engine) -> None:
    def act(session: Session) -> bool:
        return append_audit(
            session, installation_id=7, actor="ann", action="approve", subject="o/r#3", idempotency_key="k", detail={}
        )

    with writing(engine) as session:
        assert act(session)
        assert not act(session)


def test_the_pointer_remembers_one_step_back(engine: sa.Engine) -> None:
    with writing(engine) as session:
        move_pointer(session, OURS, "a--000000000000")
        move_pointer(session, OURS, "b--000000000000")
        move_pointer(session, OURS, "b--000000000000")  # a step that runs again
        pointer = load_pointer(session, OURS)
    assert pointer is not None
    assert (pointer.adapter_name, pointer.previous) == ("b--000000000000", "a--000000000000")


def test_one_review_per_head_and_no_finding_twice(engine: sa.Engine) -> None:
    review = ReviewRow(
        id="github.com:5:3:abc", installation_id=OURS, repository="o/r", pull_request=3, head_sha="abc", state="planned"
    )
    finding = Finding(
        repository="o/r",
        pull_request=3,
        path="x.py",
        line=1,
        body="say why",
        severity="minor",
        fingerprint="fp1:1",
        locator_score=0.9,
        acceptance_score=0.8,
        adapter="a--000000000000",
    )
    with writing(engine) as session:
        assert save_review(session, review)
        assert not save_review(session, review)
        assert save_findings(session, review.id, [finding, finding]) == 1
        assert select_posted_findings(session, OURS, "o/r", 3) == []
        save_posted_comments(session, review.id, {"fp1:1": 77})
        save_review_state(session, review.id, "posted", github_review_id=5_000_000_000)
    with reading(engine) as session:
        row = load_review(session, OURS, review.id)
        assert row is not None
        assert (row.state, row.github_review_id) == ("posted", 5_000_000_000)
        assert row.finished_at is not None
        assert load_review(session, THEIRS, review.id) is None
        assert [row.comment_id for row in select_posted_findings(session, OURS, "o/r", 3)] == [77]
        assert select_posted_findings(session, THEIRS, "o/r", 3) == []


def test_silent_executors_are_dead_until_they_beat_again(engine: sa.Engine) -> None:
    with writing(engine) as session:
        save_heartbeat(session, "one", "host", 1)
        assert select_dead(session, 5) == []
        session.connection().execute(
            sa.update(ExecutorRow).values(heartbeat_at=utc_now() - timedelta(seconds=6)),
        )
        assert select_dead(session, 5) == ["one"]
        save_end(session, "one")
        assert select_dead(session, 5) == []
        save_heartbeat(session, "one", "host", 1)
        assert session.exec(select(ExecutorRow.ended_at)).one() is None


def test_progress_is_overwritten(engine: sa.Engine) -> None:
    with writing(engine) as session:
        save_progress(session, "w", {"step": 1})
        save_progress(session, "w", {"step": 2})
        assert load_progress(session, "w") == {"step": 2}
        assert load_progress(session, "other") is None


def test_a_reader_does_not_wait_for_a_writer(engine: sa.Engine) -> None:
    with writing(engine) as session:
        save_deliveries(session, [a_delivery("github.com:1")])
        with reading(engine) as other:
            assert load_delivery(other, "github.com:1") is None


def test_a_naive_moment_is_refused(engine: sa.Engine) -> None:
    row = DeliveryRow(guid="g", event="e", body=b"", received_at=datetime(2026, 1, 1))  # noqa: DTZ001
    with writing(engine) as session, pytest.raises(sa.exc.StatementError, match="expected an aware datetime"):
        save_deliveries(session, [row])
