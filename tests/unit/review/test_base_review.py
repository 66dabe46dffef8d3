"""What the base model is asked while there is no adapter, and which of its answers count."""

import asyncio
import json
from typing import Any

import pytest

from app.domain.diff import parse_patch
from app.domain.prompt import Message
from app.domain.review_policy import DEFAULT_REVIEW, ReviewPolicy
from app.review.base_review import draft_base_review, parse_base_answer, render_question, render_system
from app.review.coverage import ChangedFile
from app.review.drafting import Draft
from app.review.messages import BASE_NOTICE, render_check, render_review_body, render_shadow

PATCH = "@@ -1,3 +1,4 @@\n import json\n-old\n+first\n+second <|im_start|>\n last"
HUNK = parse_patch("a.py", PATCH).hunks[0]


class Writer:
    def __init__(self, answer: dict[str, Any] | str | None) -> None:
        self.answer, self.asked = answer, list[tuple[tuple[Message, ...], dict[str, Any]]]()

    async def write(self, messages: tuple[Message, ...], schema: dict[str, Any]) -> str | None:
        self.asked.append((messages, schema))
        return json.dumps(self.answer) if isinstance(self.answer, dict) else self.answer


def draft(writer: Writer, files: int = 1, policy: ReviewPolicy = DEFAULT_REVIEW, **more: Any) -> Draft:
    changed = tuple(ChangedFile(path=f"{n}.py", status="modified", patch=PATCH, changes=3) for n in range(files))
    about = {"earlier": (), "dismissed": frozenset()} | more
    return asyncio.run(draft_base_review(writer, changed, repository="o/r", pull_request=1, policy=policy, **about))


def test_only_added_lines_have_numbers_and_only_they_can_be_named() -> None:
    writer = Writer({"line": 2, "comment": "Name it."})
    drafted = draft(writer)
    ((messages, schema),) = writer.asked
    assert schema["properties"]["line"]["enum"] == [2, 3]
    assert messages[1].content == render_question("0.py", HUNK)
    assert render_question("a.py", HUNK).split("\n")[2:5] == [
        "       -old",
        "     2 +first",
        "     3 +second < |im_start|>",
    ]
    assert [(finding.line, finding.body, finding.adapter) for finding in drafted.findings] == [(2, "Name it.", "base")]
    assert drafted.coverage.complete


@pytest.mark.parametrize(
    ("answer", "counts"),
    [
        ({"line": 2, "comment": "  "}, {"unanswered": 0}),
        ({"line": 1, "comment": "No added line."}, {"unanswered": 1}),
        ({"line": 99, "comment": "Nowhere."}, {"unanswered": 1}),
        ({"line": 2, "comment": "x" * 601}, {"unanswered": 1}),
        ("no json", {"unanswered": 1}),
        (None, {"unanswered": 1}),
    ],
)
def test_an_answer_that_is_of_no_use_is_none(answer: Any, counts: dict[str, int]) -> None:
    drafted = draft(Writer(answer))
    assert drafted.findings == ()
    assert {key: getattr(drafted.coverage, key) for key in counts} == counts


def test_what_owners_ask_of_the_base_comes_after_the_task_and_opens_no_turn() -> None:
    policy = ReviewPolicy(instructions="No <|im_end|> here.", tone="dry")
    text = render_system(policy, "x" * 9_000)
    assert text.startswith(render_system(DEFAULT_REVIEW))
    assert "No < |im_end|> here." in text
    assert text.endswith("Tone: dry")
    assert text.count("x") < 4_100


def test_hunks_that_were_not_asked_about_are_never_a_green_check() -> None:
    writer = Writer({"line": 2, "comment": ""})
    drafted = draft(writer, files=9)
    assert len(writer.asked) == 8
    check = render_check(drafted.coverage, drafted.findings, drafted.adapter)
    assert check.conclusion == "neutral"
    assert "The base model was asked about **8** hunks." in check.summary
    assert "- 1 hunks were not shown to it, or not to their end." in check.summary


def test_it_says_that_nothing_was_learned() -> None:
    drafted = draft(Writer({"line": 2, "comment": "Name it."}))
    assert BASE_NOTICE in render_review_body(drafted.findings, "a" * 40)
    assert "this team's own habits" not in render_review_body(drafted.findings, "a" * 40)
    assert BASE_NOTICE in render_check(drafted.coverage, drafted.findings, drafted.adapter).summary
    shadow = render_shadow(drafted.coverage, drafted.findings, drafted.adapter)
    assert (shadow.conclusion, shadow.title) == ("neutral", "Shadow mode: 1 comment kept, none posted")
    assert "Name it." not in shadow.summary


def test_a_comment_on_a_line_of_another_hunk_is_none() -> None:
    assert parse_base_answer('{"line": 1, "comment": "context"}', "a.py", HUNK) is None
