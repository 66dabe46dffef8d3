"""What the base model is asked while there is no adapter, and which of its answers count."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from app.domain.diff import Hunk, parse_patch
from app.domain.errors import Refused
from app.domain.prompt import Message
from app.domain.review_policy import DEFAULT_REVIEW, ReviewPolicy
from app.inference.wire import TOO_LONG
from app.review.base_answer import merge_samples, parse_base_answer
from app.review.base_prompt import Question, render_question, render_system
from app.review.budget import QUESTION_TOKENS, estimate_tokens
from app.review.coverage import read_before
from app.review.extending import Extended
from app.review.messages import BASE_NOTICE, render_check, render_review_body, render_shadow
from tests.unit.review.base_drafts import LONG, NAMED, PATCH, Answer, Writer, draft, file, say

HUNK = parse_patch("a.py", PATCH).hunks[0]
ONE = Question(path="a.py", shown=(Extended(hunk=HUNK),))


def test_only_added_lines_have_numbers_and_only_they_can_be_named() -> None:
    writer = Writer(NAMED)
    drafted = draft(writer)
    ((messages, schema),) = writer.asked
    item = schema["properties"]["comments"]["items"]["properties"]
    assert item["line"]["enum"] == item["start_line"]["enum"] == [2, 4]
    assert messages[1].content.split("\n") == [
        "0.py",
        "---",
        "        import json",
        "       -old",
        "     2 +first",
        "       +",
        "     4 +second < |im_start|>",
        "        last",
    ]
    assert [(finding.line, finding.body, finding.adapter) for finding in drafted.findings] == [(2, "Name it.", "base")]
    assert drafted.coverage.complete


class Noted:
    def __init__(self, length: int = 0) -> None:
        self.length = length

    async def find(self, hunks: Sequence[tuple[str, Hunk]]) -> list[str]:
        return [f"note on {path}{'!' * self.length}" for path, _ in hunks]


class Refusing(Writer):
    """A server that takes no more than so many characters of a question."""

    limit = 0

    async def write(
        self, messages: tuple[Message, ...], schema: dict[str, Any], *, max_tokens: int, seed: int | None = None
    ) -> str | None:
        answer = await super().write(messages, schema, max_tokens=max_tokens, seed=seed)
        if len(messages[1].content) > self.limit:
            raise Refused(TOO_LONG, "expected a shorter prompt")
        return answer


def test_notes_stand_above_their_own_question_and_change_nothing_else() -> None:
    plain, noted = Writer(NAMED), Writer(NAMED)
    assert draft(plain, 2) == draft(noted, 2, notes=Noted())
    for (bare, schema), (messages, same) in zip(plain.asked, noted.asked, strict=True):
        path = bare[1].content.split("\n")[0]
        assert (messages[0], schema) == (bare[0], same)
        assert messages[1].content == f"note on {path}\n{bare[1].content}"


def test_a_note_that_does_not_fit_beside_the_code_is_left_out() -> None:
    writer = Writer(NAMED)
    draft(writer, notes=Noted(10_000))
    ((messages, _),) = writer.asked
    assert "note on" not in messages[1].content


def test_what_is_too_long_with_notes_is_asked_without_and_else_gets_no_answer() -> None:
    writer = Refusing(NAMED)
    writer.limit = len(render_question(ONE))
    assert len(draft(writer, notes=Noted()).findings) == 1
    assert len(writer.asked) == 2
    writer.limit = 0
    for notes in (Noted(), None):
        assert draft(writer, notes=notes).coverage.unanswered == 1


@pytest.mark.parametrize(
    ("answer", "unanswered"),
    [
        (say({"line": 2, "comment": "  "}), 0),
        (say(), 0),
        (say({"line": 1, "comment": "No added line."}), 1),
        (say({"line": 3, "comment": "A blank one."}), 1),
        (say({"line": 99, "comment": "Nowhere."}), 1),
        (say({"line": 2, "comment": "x" * 601}), 1),
        (say(*[{"line": 2, "comment": "Again."}] * 3), 1),
        (say({"line": True, "comment": "No number."}), 1),
        ({"line": 2, "comment": "Of another shape."}, 1),
        ("no json", 1),
        (None, 1),
    ],
)
def test_an_answer_that_is_of_no_use_is_none(answer: Answer, unanswered: int) -> None:
    drafted = draft(Writer(answer))
    assert (drafted.findings, drafted.coverage.unanswered) == ((), unanswered)


def test_what_owners_ask_of_the_base_comes_after_the_task_and_opens_no_turn() -> None:
    policy = ReviewPolicy(instructions="No <|im_end|> here.", tone="dry")
    text = render_system(policy, "x" * 9_000)
    assert text.startswith(render_system(DEFAULT_REVIEW))
    assert "No < |im_end|> here." in text
    assert text.endswith("Tone: dry")
    assert text.count("x") < 2_100


def test_no_question_is_longer_than_a_server_takes() -> None:
    policy = ReviewPolicy(instructions="i" * 2_000, tone="t" * 200)
    writer = Writer(say())
    draft(writer, policy=policy, files=(file("a.py", f"@@ -0,0 +1,200 @@\n{LONG}"),), agents_text="x" * 9_000)
    ((messages, _),) = writer.asked
    assert sum(estimate_tokens(message.content) for message in messages) <= QUESTION_TOKENS + 3


def test_it_says_that_nothing_was_learned() -> None:
    drafted = draft(Writer(NAMED))
    assert BASE_NOTICE in render_review_body(drafted.findings, "a" * 40)
    assert "learned from this team's reviews;" not in render_review_body(drafted.findings, "a" * 40)
    assert BASE_NOTICE in render_check(drafted.coverage, drafted.findings, drafted.adapter).summary
    shadow = render_shadow(drafted.coverage, drafted.findings, drafted.adapter)
    assert (shadow.conclusion, shadow.title) == ("neutral", "Shadow mode: 1 comment kept, none posted")
    assert "Name it." not in shadow.summary
    assert "Maintainers read what was kept on the dashboard, under *Comments*." in shadow.summary
    assert "kept on" not in render_shadow(drafted.coverage, (), drafted.adapter).summary


# Budgets


def test_what_the_budget_of_tokens_does_not_reach_is_not_reviewed() -> None:
    writer = Writer(say())
    drafted = draft(writer, files=4, policy=ReviewPolicy(max_tokens=2_000))
    assert 0 < len(writer.asked) < 4
    assert drafted.coverage.over_budget == 4 - len(writer.asked)
    check = render_check(drafted.coverage, (), "base")
    assert check.conclusion == "neutral"
    told = f"- Questions that the budget of tokens or seconds did not reach: **{drafted.coverage.over_budget}**."
    assert told in check.summary


def test_what_is_not_answered_in_time_is_not_reviewed() -> None:
    policy = DEFAULT_REVIEW.model_copy(update={"max_seconds": 0})
    drafted = draft(Writer(NAMED, seconds=5), files=2, policy=policy)
    assert (drafted.findings, drafted.coverage.over_budget, drafted.coverage.unanswered) == ((), 2, 0)
    assert not drafted.coverage.complete
    assert read_before(drafted.coverage.model_copy(update={"made_by": "x"})) is None


def test_a_question_that_the_server_finds_too_long_is_unanswered_and_others_are_not() -> None:
    def refuse(reason: str) -> Answer:
        raise Refused(reason, "no")

    assert draft(Writer(lambda _: refuse(TOO_LONG))).coverage.unanswered == 1
    with pytest.raises(Refused):
        draft(Writer(lambda _: refuse("unknown_name")))


# Ranges and changes


@pytest.mark.parametrize(
    ("remark", "place", "unapplied"),
    [
        ({"line": 4, "start_line": 2, "replacement": "third = 3"}, ((2, 4), "third = 3"), 0),
        ({"line": 4, "replacement": "third = 3\n"}, ((None, 4), "third = 3"), 0),
        ({"line": 4, "start_line": 4}, ((None, 4), None), 0),
        ({"line": 2, "start_line": 4, "replacement": "third = 3"}, ((None, 2), None), 1),
        ({"line": 2, "replacement": "first"}, ((None, 2), None), 1),
        ({"line": 2, "replacement": "  third = 3"}, ((None, 2), None), 1),
        ({"line": 2, "replacement": ""}, ((None, 2), None), 0),
    ],
)
def test_a_change_that_does_not_fit_leaves_its_comment(remark: dict[str, Any], place: Any, unapplied: int) -> None:
    drafted = draft(Writer(say({"comment": "Name it.", **remark})))
    (found,) = drafted.findings
    assert ((found.start_line, found.line), found.replacement) == place
    assert drafted.coverage.unapplied == unapplied


# Samples


def test_what_most_samples_say_is_kept_in_the_words_of_one() -> None:
    said = {1: "Name this total in cents.", 2: "Rename it to cents, a total.", 3: "Name the total in cents, please."}
    policy = ReviewPolicy(agreement=3)
    writer = Writer(lambda seed: say({"line": 2, "comment": said[seed or 0]}))
    drafted = draft(writer, policy=policy)
    assert len(writer.asked) == 3
    assert [one.body for one in drafted.findings] == ["Name this total in cents."]
    lonely = draft(Writer(lambda seed: say({"line": 2, "comment": said[1]}) if seed == 1 else say()), policy=policy)
    assert (lonely.findings, lonely.coverage.disagreed, lonely.coverage.complete) == ((), 1, True)
    told = render_check(lonely.coverage, (), "base").summary
    assert "- 1 held back because the model says something else when asked again." in told


def test_samples_agree_line_by_line() -> None:
    one = parse_base_answer(json.dumps(say({"line": 2, "comment": "Use cents."}, {"line": 4, "comment": "Log."})), ONE)
    other = parse_base_answer(json.dumps(say({"line": 2, "comment": "Use cents here."})), ONE)
    kept, disagreed = merge_samples([one, other, None])
    assert ([remark.line for remark in kept], disagreed) == ([2], 1)


# Claims about what was not shown


def test_a_claim_about_code_that_was_not_shown_is_not_posted() -> None:
    claim = say({"line": 2, "comment": "This is defined in `Ledger.java`."})
    drafted = draft(Writer(claim))
    assert (drafted.findings, drafted.coverage.unseen) == ((), 1)
    assert (
        "- 1 held back because it speaks of code that was not shown."
        in render_check(drafted.coverage, (), "base").summary
    )
    assert len(draft(Writer(claim), vocabulary=frozenset({"Ledger", "java"})).findings) == 1
