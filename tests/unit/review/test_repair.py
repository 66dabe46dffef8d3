"""A refused review is never sent again as it was, and no Finding is lost with its line."""

import pytest

from app.domain.diff import parse_patch
from app.domain.findings import Finding
from app.review.repair import Batch, classify_refusal, repair_batch

SHOWN = (parse_patch("a.py", "@@ -1,1 +1,3 @@\n one\n+two\n+three\n@@ -20,1 +22,2 @@\n x\n+y"),)


def _finding(line: int, *, path: str = "a.py", start_line: int | None = None) -> Finding:
    return Finding(
        repository="o/r",
        pull_request=1,
        path=path,
        line=line,
        start_line=start_line,
        body="Say why.",
        severity="minor",
        fingerprint=f"fp1:{path}{line}",
        locator_score=0.9,
        acceptance_score=0.9,
        adapter="7--0",
    )


def test_only_what_the_diff_still_shows_keeps_its_line() -> None:
    inside, moved, gone = _finding(2), _finding(9), _finding(2, path="b.py")
    repaired = repair_batch(Batch(inline=(inside, moved, gone)), SHOWN)
    assert repaired == Batch(inline=(inside,), in_words=(moved, gone))


def test_a_range_must_lie_in_one_hunk() -> None:
    whole, torn = _finding(3, start_line=2), _finding(22, start_line=3)
    repaired = repair_batch(Batch(inline=(whole, torn)), SHOWN)
    assert repaired == Batch(inline=(whole,), in_words=(torn,))


def test_a_batch_that_the_diff_shows_whole_is_said_in_words_for_github_knows_better() -> None:
    batch = Batch(inline=(_finding(2), _finding(3)))
    repaired = repair_batch(batch, SHOWN)
    assert repaired == Batch(inline=(), in_words=batch.inline)


def test_repairing_ends() -> None:
    batch: Batch | None = Batch(inline=(_finding(2), _finding(9), _finding(23)))
    sent = []
    while batch is not None:
        sent.append(batch)
        assert len(batch.inline) + len(batch.in_words) == 3
        batch = repair_batch(batch, SHOWN)
    assert [len(one.inline) for one in sent] == [3, 2, 0]


@pytest.mark.parametrize(
    ("reason", "message", "kind"),
    [
        ("invalid", "Unprocessable Entity ['Line could not be resolved']", "place"),
        ("invalid", "pull_request_review_thread.line must be part of the diff", "place"),
        ("invalid", "Path could not be resolved", "place"),
        ("invalid", "User can only have one pending review per pull request", "pending"),
        ("invalid", "body is too long", "other"),
        ("forbidden", "Line could not be resolved", "other"),
    ],
)
def test_refusals_are_told_apart(reason: str, message: str, kind: str) -> None:
    assert classify_refusal(reason, message) == kind
