"""Scoring against the answer key: full marks for a perfect review, and each kind of mistake in its own figure."""

import pytest

from app.rehearsal.organisation.hunks import shown_hunks
from app.rehearsal.organisation.records import PullRequest, Story, Violation
from app.rehearsal.organisation.rules import HOUSE_RULES, RULES_BY_ID
from app.rehearsal.organisation.score import PostedComment, score_reviews


def post(pull: PullRequest, path: str, line: int, body: str) -> PostedComment:
    return PostedComment(repository=pull.repository, pull_request=pull.number, path=path, line=line, body=body)


def answer(pull: PullRequest, one: Violation, body: str | None = None) -> PostedComment:
    return post(pull, one.path, one.line, body or f"Use `{RULES_BY_ID[one.rule].marker}` here.")


def test_a_perfect_review_gets_full_marks(story: Story) -> None:
    score = score_reviews(story, [answer(pull, one) for pull in story.held_out for one in pull.violations])
    total = sum(len(pull.violations) for pull in story.held_out)
    assert (score.total.violations, score.total.found, score.total.named) == (total, total, total)
    assert score.found
    assert score.found.value == 1.0
    assert score.found.low < 1.0
    assert (score.clean_hunks_commented, score.clean_pulls_commented, score.stray, score.outside) == (0, 0, 0, 0)
    assert score.lexical.violations + score.contextual.violations == total
    assert set(score.by_rule) == {rule.id for rule in HOUSE_RULES}


def test_silence_finds_nothing_and_disturbs_nobody(story: Story) -> None:
    score = score_reviews(story, [])
    assert score.found
    assert score.found.value == 0.0
    assert score.right_rule is None
    assert score.clean_commented
    assert score.clean_commented.value == 0.0
    assert score.clean_hunks >= 60
    assert score.clean_pulls == 4


def test_two_rules_in_one_comment_or_the_wrong_one_are_not_the_right_rule(story: Story) -> None:
    pull = next(pull for pull in story.held_out if len(pull.violations) > 1)
    first, second = pull.violations[:2]
    others = [rule.marker for rule in HOUSE_RULES if rule.id not in (first.rule, second.rule)]
    both = f"{RULES_BY_ID[first.rule].marker} and {others[0]}"
    score = score_reviews(story, [answer(pull, first, both), answer(pull, second, others[1])])
    assert score.total.found == 2
    assert score.total.named == 0


def test_comments_beside_the_point_are_told_apart(story: Story) -> None:
    pull = next(pull for pull in story.held_out if pull.violations)
    one = pull.violations[0]
    hunks = shown_hunks(pull)
    clean = next(
        hunk
        for hunk in hunks
        if not any(other.path == hunk.path and hunk.first <= other.line <= hunk.last for other in pull.violations)
    )
    score = score_reviews(
        story,
        [
            post(pull, one.path, one.line - 1, "one line too high"),
            post(pull, clean.path, clean.added[0], "nothing is wrong here"),
            post(pull, clean.path, clean.added[-1], "nor here"),
            post(pull, "no/such/file.py", 3, "nowhere"),
        ],
    )
    assert (score.stray, score.clean_hunks_commented, score.outside) == (1, 1, 1)
    assert score.comments == 4


def test_a_comment_on_another_pull_request_is_refused(story: Story) -> None:
    with pytest.raises(ValueError, match="held-out"):
        score_reviews(story, [post(story.merged[0], "x.py", 1, "hello")])
