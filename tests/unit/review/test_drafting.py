"""Where → what → whether over one pull request, with the three parts as small deciding objects."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from app.domain.errors import Refused
from app.domain.findings import finding_fingerprint
from app.domain.lines import LineSite
from app.domain.prompt import Message
from app.domain.review_policy import DEFAULT_REVIEW, ReviewPolicy
from app.inference.wire import TOO_LONG
from app.review.coverage import LINES_PER_REVIEW, ChangedFile, Followed, read_before
from app.review.drafting import Draft, Reviewer, draft_review
from app.review.following import PostedFinding
from app.review.messages import render_check, render_comment
from app.review.selection import SPARE_QUESTIONS, decide_questions

PATCH = "@@ -1,1 +1,4 @@\n context\n+total = price * 1.2\n+clean = 1\n+other = cost * 3.0"


@dataclass
class FloatLocator:
    """Points at lines with a float in them."""

    threshold: float = 0.5

    def score(self, sites: Sequence[LineSite]) -> list[float]:
        return [0.9 if "." in site.text else 0.1 for site in sites]


@dataclass
class Words:
    """Answers with the marked line, or as told."""

    answer: str | None = None
    asked: list[tuple[Message, ...]] = field(default_factory=list)
    seeds: list[int | None] = field(default_factory=list)
    seconds: float = 0

    async def write(self, messages: tuple[Message, ...], *, seed: int | None = None) -> str | None:
        self.asked.append(messages)
        self.seeds.append(seed)
        await asyncio.sleep(self.seconds)
        marked = next(row for row in messages[1].content.split("\n") if row.startswith(">"))
        return self.answer if self.answer is not None else f'{{"comment": "Use Cents in {marked[2:].split()[0]}"}}'


@dataclass
class NoTotals:
    threshold: float = 0.5

    def score(self, line_text: str, body: str) -> float:
        return 0.1 if "total" in line_text else 0.9


async def _draft(words: Words, patch: str = PATCH, **more: Any) -> Draft:
    reviewer = Reviewer(adapter="42--0123456789ab", locator=FloatLocator(), writer=words, acceptance=NoTotals())
    files = (ChangedFile(path="a.py", status="modified", patch=patch, changes=3),)
    return await draft_review(reviewer, files, repository="o/r", pull_request=1, **more)


async def test_only_located_lines_are_asked_about_and_only_accepted_words_are_said() -> None:
    words = Words()
    draft = await _draft(words)
    assert len(words.asked) == 2
    assert [(finding.line, finding.body) for finding in draft.findings] == [(4, "Use Cents in other")]
    assert (draft.coverage.candidates, draft.coverage.silenced, draft.coverage.complete) == (2, 1, True)


async def test_a_clean_pull_request_costs_no_question() -> None:
    words = Words()
    draft = await _draft(words, "@@ -1,1 +1,2 @@\n context\n+clean = 1")
    assert (words.asked, draft.findings) == ([], ())
    assert draft.coverage.lines_read == 1


async def test_an_answer_of_another_shape_is_counted_and_makes_the_review_partial() -> None:
    draft = await _draft(Words(answer="I think that"))
    assert (draft.findings, draft.coverage.unanswered, draft.coverage.complete) == ((), 2, False)


async def test_lines_past_the_limit_are_named_as_not_reviewed_and_never_green() -> None:
    lines = "\n".join(f"+x{number} = {number}.5" for number in range(LINES_PER_REVIEW))
    long = f"@@ -0,0 +1,{LINES_PER_REVIEW} @@\n{lines}"
    files = (
        ChangedFile(path="a.py", status="modified", patch=PATCH, changes=3),
        ChangedFile(path="long.py", status="added", patch=long, changes=LINES_PER_REVIEW),
        ChangedFile(path="b.py", status="modified", patch=PATCH, changes=3),
    )
    reviewer = Reviewer(adapter="x", locator=FloatLocator(), writer=Words(), acceptance=NoTotals())
    draft = await draft_review(reviewer, files, repository="o/r", pull_request=1)
    assert [(file.path, file.reason) for file in draft.coverage.skipped] == [("long.py", "over_limit")]
    assert (draft.coverage.lines_read, draft.coverage.complete) == (6, False)
    summary = render_check(draft.coverage, draft.findings, "x").summary
    assert "`long.py`: past the 5,000 added lines that one review reads" in summary


async def test_scoring_holds_up_nothing_else() -> None:
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0.01)

    class Slow(FloatLocator):
        def score(self, sites: Sequence[LineSite]) -> list[float]:
            time.sleep(0.5)
            return super().score(sites)

    heart = asyncio.create_task(beat())
    reviewer = Reviewer(adapter="x", locator=Slow(), writer=Words(), acceptance=NoTotals())
    files = (ChangedFile(path="a.py", status="modified", patch=PATCH, changes=3),)
    await draft_review(reviewer, files, repository="o/r", pull_request=1)
    heart.cancel()
    assert beats > 5


def answer(comment: str) -> Words:
    return Words(answer=json.dumps({"comment": comment}))


async def test_a_block_in_a_trained_comment_becomes_our_own_where_it_fits() -> None:
    (found,) = (await _draft(answer("In cents:\n```suggestion\nother = cost * 3\n```"))).findings
    assert (found.line, found.body, found.replacement) == (4, "In cents:", "other = cost * 3")
    assert "```suggestion\nother = cost * 3\n```" in render_comment(found)
    (bare,) = (await _draft(answer("```suggestion\nother = cost * 3\n```"))).findings
    assert (bare.body, bare.replacement) == ("Suggested change:", "other = cost * 3")


async def test_a_block_that_does_not_fit_leaves_the_words() -> None:
    draft = await _draft(answer("In cents:\n```suggestion\n    other = cost * 3\n```"))
    (found,) = draft.findings
    assert (found.body, found.replacement, draft.coverage.unapplied) == ("In cents:", None, 2)
    assert "```" not in render_comment(found)
    told = "- Suggested changes that did not fit their lines; the comments stand without them: **2**."
    assert told in render_check(draft.coverage, draft.findings, "x").summary


async def test_a_block_does_not_make_another_finding_of_a_comment() -> None:
    """Who dismissed it with its block has dismissed it without."""
    fit, unfit = "A.\n```suggestion\nother = 1\n```", "A.\n```suggestion\n  other = 1\n```"
    (one,), (other,) = (await _draft(answer(fit))).findings, (await _draft(answer(unfit))).findings
    assert one.body == other.body == "A."
    assert one.fingerprint == other.fingerprint == finding_fingerprint("a.py", "other = cost * 3.0", "A.")


async def test_claims_about_code_that_was_not_shown_are_dropped_and_counted() -> None:
    draft = await _draft(answer("This is defined in Ledger.java."))
    assert (draft.findings, draft.coverage.unseen, draft.coverage.complete) == ((), 2, True)
    assert len((await _draft(answer("Use Ledger.java."), vocabulary=frozenset({"Ledger"}))).findings) == 1


async def test_samples_are_asked_for_under_seeds_and_one_answer_without() -> None:
    words = answer("Use Cents.")
    draft = await _draft(words, policy=ReviewPolicy(agreement=3))
    assert sorted(words.seeds, key=str) == [1, 1, 2, 2, 3, 3]
    assert len(draft.findings) == 1
    alone = Words()
    await _draft(alone)
    assert alone.seeds == [None, None]


async def test_a_spent_budget_is_never_green() -> None:
    words = Words()
    draft = await _draft(words, policy=ReviewPolicy(max_tokens=1_000, agreement=4))
    assert (words.asked, draft.coverage.over_budget, draft.coverage.complete) == ([], 2, False)
    late = Words(seconds=5)
    draft = await _draft(late, policy=DEFAULT_REVIEW.model_copy(update={"max_seconds": 0}))
    assert (draft.coverage.over_budget, draft.coverage.unanswered, draft.coverage.complete) == (2, 0, False)


async def test_a_comment_whose_block_was_taken_out_is_known_again_over_the_same_patch() -> None:
    """By its words as people see them: else the next push would call an untouched line addressed, and say it again."""
    (found,) = (await _draft(answer("In cents:\n```suggestion\nother = cost * 3\n```"))).findings
    posted = PostedFinding(
        fingerprint=found.fingerprint, words=found.words, path=found.path, body=found.body, comment_id=1
    )
    again = await _draft(answer("In whole cents:"), earlier=(posted,))
    assert again.coverage.followed == Followed(standing=(found.fingerprint,))
    assert [one.line for one in again.findings] == []


async def test_one_question_that_is_too_long_leaves_the_others() -> None:
    class Short(Words):
        async def write(self, messages: tuple[Message, ...], *, seed: int | None = None) -> str | None:
            if "line: total" in messages[1].content:
                raise Refused(TOO_LONG, "longer than the model server takes")
            return await super().write(messages, seed=seed)

    draft = await _draft(Short())
    assert [one.line for one in draft.findings] == [4]
    assert (draft.coverage.unanswered, draft.coverage.complete) == (1, False)


def _long(path: str, lines: int) -> ChangedFile:
    added = "\n".join(f"+x{number} = {number}.5" for number in range(lines))
    return ChangedFile(path=path, status="modified", patch=f"@@ -0,0 +1,{lines} @@\n{added}", changes=lines)


async def test_lines_past_the_questions_of_one_review_are_told_apart_from_comments_and_never_green() -> None:
    words = Words()
    reviewer = Reviewer(adapter="x", locator=FloatLocator(), writer=words, acceptance=NoTotals(threshold=0.95))
    files = (_long("a.py", 6), _long("b.py", 4), _long("c.py", 1))
    draft = await draft_review(reviewer, files, repository="o/r", pull_request=1)
    coverage = draft.coverage
    assert len(words.asked) == decide_questions(DEFAULT_REVIEW) == 8
    assert (coverage.candidates, coverage.silenced, coverage.capped, coverage.unasked_lines) == (11, 8, 0, 3)
    assert {file.path: file.unasked_lines for file in coverage.files} == {"a.py": 0, "b.py": 2, "c.py": 1}
    check = render_check(coverage, draft.findings, "x")
    assert (coverage.complete, check.conclusion, check.title[:8]) == (False, "neutral", "Partial:")
    assert f"likeliest `review.max_comments` + {SPARE_QUESTIONS} only: **3**." in check.summary
    assert "because a review has at most" not in check.summary


async def test_what_was_not_asked_is_still_told_after_a_push_elsewhere_and_brings_no_new_words() -> None:
    words = Words()
    reviewer = Reviewer(adapter="x", locator=FloatLocator(), writer=words, acceptance=NoTotals(threshold=0.95))
    first = await draft_review(reviewer, (_long("a.py", 11),), repository="o/r", pull_request=1)
    words.asked.clear()
    pushed = (_long("a.py", 11), ChangedFile(path="n.md", status="added", patch="@@ -0,0 +1,1 @@\n+a", changes=1))
    before = read_before(first.coverage)
    second = await draft_review(reviewer, pushed, repository="o/r", pull_request=1, before=before)
    assert [file.path for file in second.coverage.carried] == ["a.py"]
    assert (words.asked, second.coverage.unasked_lines, second.coverage.complete) == ([], 3, False)
    fewer = await draft_review(reviewer, (_long("a.py", 8),), repository="o/r", pull_request=1, before=before)
    assert (fewer.coverage.unasked_lines, fewer.coverage.complete) == (0, True)


async def test_a_long_list_of_lines_under_the_threshold_is_green() -> None:
    quiet = FloatLocator(threshold=0.99)
    reviewer = Reviewer(adapter="x", locator=quiet, writer=Words(), acceptance=NoTotals())
    draft = await draft_review(reviewer, (_long("a.py", 500),), repository="o/r", pull_request=1)
    assert (draft.coverage.candidates, draft.coverage.complete) == (0, True)
