"""Where → what → whether over one pull request, with the three parts as small deciding objects."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.domain.lines import LineSite
from app.domain.prompt import Message
from app.review.coverage import LINES_PER_REVIEW, ChangedFile
from app.review.drafting import Draft, Reviewer, draft_review
from app.review.messages import render_check

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

    async def write(self, messages: tuple[Message, ...]) -> str | None:
        self.asked.append(messages)
        marked = next(row for row in messages[1].content.split("\n") if row.startswith(">"))
        return self.answer if self.answer is not None else f'{{"comment": "Use Cents in {marked[2:].split()[0]}"}}'


@dataclass
class NoTotals:
    threshold: float = 0.5

    def score(self, line_text: str, body: str) -> float:
        return 0.1 if "total" in line_text else 0.9


async def _draft(words: Words, patch: str = PATCH) -> Draft:
    reviewer = Reviewer(adapter="42--0123456789ab", locator=FloatLocator(), writer=words, acceptance=NoTotals())
    files = (ChangedFile(path="a.py", status="modified", patch=patch, changes=3),)
    return await draft_review(reviewer, files, repository="o/r", pull_request=1)


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
