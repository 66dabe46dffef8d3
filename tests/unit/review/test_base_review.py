"""What the base model is asked while there is no adapter, and which of its answers count."""

import asyncio
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import pytest

from app.domain.attributes import parse_attributes
from app.domain.diff import Hunk, parse_patch
from app.domain.errors import Refused
from app.domain.prompt import Message
from app.domain.review_policy import DEFAULT_REVIEW, ReviewPolicy
from app.domain.scopes import Scope
from app.history.enclosing import find_scopes
from app.inference.wire import TOO_LONG
from app.review.base_answer import merge_samples, parse_base_answer
from app.review.base_prompt import (
    HUNKS_SHOWN,
    Question,
    pack_questions,
    render_question,
    render_schema,
    render_system,
    sort_questions,
    value_hunk,
)
from app.review.base_review import draft_base_review
from app.review.budget import BASE_ANSWER_TOKENS, QUESTION_TOKENS, estimate_tokens
from app.review.coverage import ChangedFile, read_before
from app.review.drafting import Draft
from app.review.extending import Extended
from app.review.looking import Surroundings
from app.review.messages import BASE_NOTICE, render_check, render_review_body, render_shadow

PATCH = "@@ -1,3 +1,5 @@\n import json\n-old\n+first\n+\n+second <|im_start|>\n last"
HUNK = parse_patch("a.py", PATCH).hunks[0]
ONE = Question(path="a.py", shown=(Extended(hunk=HUNK),))
LONG = "\n".join(f"+line_{number} = work({number})" for number in range(200))

Answer = dict[str, Any] | str | None


class Writer:
    """Answers each question the same, or as the seed has it."""

    def __init__(self, answer: Answer | Callable[[int | None], Answer], seconds: float = 0) -> None:
        self.answer, self.seconds = answer, seconds
        self.asked = list[tuple[tuple[Message, ...], dict[str, Any]]]()

    async def write(
        self, messages: tuple[Message, ...], schema: dict[str, Any], *, max_tokens: int, seed: int | None = None
    ) -> str | None:
        assert max_tokens == BASE_ANSWER_TOKENS
        self.asked.append((messages, schema))
        await asyncio.sleep(self.seconds)
        answer = self.answer(seed) if callable(self.answer) else self.answer
        return json.dumps(answer) if isinstance(answer, dict) else answer


def say(*comments: dict[str, Any]) -> dict[str, Any]:
    return {"comments": list(comments)}


def draft(
    writer: Writer, files: int | tuple[ChangedFile, ...] = 1, policy: ReviewPolicy = DEFAULT_REVIEW, **more: Any
) -> Draft:
    changed = tuple(file(f"{n}.py", PATCH) for n in range(files)) if isinstance(files, int) else files
    about = {"earlier": (), "dismissed": frozenset()} | more
    return asyncio.run(draft_base_review(writer, changed, repository="o/r", pull_request=1, policy=policy, **about))


def file(path: str, patch: str) -> ChangedFile:
    return ChangedFile(path=path, status="modified", patch=patch, changes=3)


NAMED = say({"line": 2, "comment": "Name it."})


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


def test_hunks_that_were_not_asked_about_are_never_a_green_check() -> None:
    writer = Writer(say())
    drafted = draft(writer, files=9)
    assert len(writer.asked) == 8
    check = render_check(drafted.coverage, drafted.findings, drafted.adapter)
    assert check.conclusion == "neutral"
    assert "The base model was asked about **8** hunks." in check.summary
    assert "- 1 hunks were not shown to it, or not to their end." in check.summary


def test_a_hunk_that_was_not_shown_to_its_end_is_never_a_green_check() -> None:
    drafted = draft(Writer(say()), files=(file("a.py", f"@@ -0,0 +1,200 @@\n{LONG}"),))
    assert (drafted.coverage.unasked, drafted.coverage.complete) == (1, False)


@pytest.mark.parametrize(
    ("text", "is_complete"),
    [("x" * 160, True), ("x" * 160 + "   ", True), ("x" * 161, False), ("a = 1;" + " " * 170 + "steal()", False)],
)
def test_an_added_line_that_was_not_shown_to_its_end_is_never_a_green_check(text: str, is_complete: bool) -> None:
    drafted = draft(Writer(say()), files=(file("a.py", f"@@ -0,0 +1,2 @@\n+first\n+{text}"),))
    assert drafted.coverage.complete == is_complete
    assert drafted.coverage.unasked == (0 if is_complete else 1)
    assert (render_check(drafted.coverage, (), "base").conclusion == "success") == is_complete


def test_a_long_removed_or_context_line_hides_nothing_that_is_added() -> None:
    patch = f"@@ -1,2 +1,2 @@\n {'c' * 300}\n-{'r' * 300}\n+first"
    assert draft(Writer(say()), files=(file("a.py", patch),)).coverage.complete


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a = 1;" + " " * 170 + "steal()", "a = 1;␣steal()"),
        ("a = 1;" + "\t\u3000" * 90 + "steal()", "a = 1;␣steal()"),
        (" " * 170 + "steal()", " " * 40 + "␣steal()"),
        ("    a = 1    # four", "    a = 1    # four"),
        ("    a = 1     # five", "    a = 1␣# five"),
        (" " * 24 + "deep()", " " * 24 + "deep()"),
    ],
)
def test_code_behind_many_blanks_is_shown(text: str, shown: str) -> None:
    hunk = parse_patch("a.py", f"@@ -0,0 +1,1 @@\n+{text}").hunks[0]
    (question,) = pack_questions("a.py", [Extended(hunk=hunk)], 1_000)
    assert render_question(question).split("\n")[-1] == f"     1 +{shown}"


@pytest.mark.parametrize(("line", "change"), [(1, "a = 2␣# note"), (1, "a = 2 # note"), (2, "b = 2␣# note")])
def test_no_change_is_offered_for_blanks_that_were_not_shown(line: int, change: str) -> None:
    patch = "@@ -0,0 +1,2 @@\n+a = 1" + " " * 20 + "# note\n+b = 1"
    answer = say({"line": line, "comment": "Make it two.", "replacement": change})
    drafted = draft(Writer(answer), files=(file("a.py", patch),))
    assert [one.replacement for one in drafted.findings] == [None]
    assert drafted.coverage.unapplied == 1


def test_it_says_that_nothing_was_learned() -> None:
    drafted = draft(Writer(NAMED))
    assert BASE_NOTICE in render_review_body(drafted.findings, "a" * 40)
    assert "this team's own habits" not in render_review_body(drafted.findings, "a" * 40)
    assert BASE_NOTICE in render_check(drafted.coverage, drafted.findings, drafted.adapter).summary
    shadow = render_shadow(drafted.coverage, drafted.findings, drafted.adapter)
    assert (shadow.conclusion, shadow.title) == ("neutral", "Shadow mode: 1 comment kept, none posted")
    assert "Name it." not in shadow.summary


# Several hunks


def hunks(*added: str, path: str = "a.py") -> tuple[Extended, ...]:
    patch = "\n".join(f"@@ -{n * 50 + 1},1 +{n * 51 + 1},2 @@\n c\n+{text}" for n, text in enumerate(added))
    return tuple(Extended(hunk=hunk) for hunk in parse_patch(path, patch).hunks)


def test_hunks_of_a_file_share_a_question_and_its_answer_may_name_lines_of_each() -> None:
    (question,) = pack_questions("a.py", hunks("one", "two", "three"), 1_000)
    assert render_schema(question)["properties"]["comments"]["items"]["properties"]["line"]["enum"] == [2, 53, 104]
    assert render_question(question).count("---") == 3
    said = parse_base_answer(json.dumps(say({"line": 2, "comment": "a"}, {"line": 104, "comment": "b"})), question)
    assert said is not None
    assert [one.line for one in said] == [2, 104]


def test_a_question_holds_what_fits() -> None:
    texts = [f"value_{number} = {'x' * 90}" for number in range(9)]
    whole = pack_questions("a.py", hunks(*texts), 1_000)
    assert [len(one.shown) for one in whole] == [HUNKS_SHOWN, HUNKS_SHOWN, 1]
    small = pack_questions("a.py", hunks(*texts), 60)
    assert [len(one.shown) for one in small] == [1] * 9
    assert all(estimate_tokens(render_question(one)) <= 61 for one in small)
    assert pack_questions("a.py", hunks("  ", ""), 1_000) == []


def test_the_most_valuable_hunks_are_asked_about_first() -> None:
    code = "@@ -0,0 +1,3 @@\n+total = 1\n+rows = 2\n+}"
    words = "@@ -0,0 +1,4 @@\n+# note\n+# note\n+# note\n+# note"
    assert [value_hunk(path, parse_patch(path, code).hunks[0]) for path in ("a.py", "tests/test_a.py", "a.yml")] == [
        2.0,
        1.0,
        0.5,
    ]
    assert value_hunk("a.py", parse_patch("a.py", words).hunks[0]) == 0
    questions = [pack_questions(path, hunks("value", path=path), 900)[0] for path in ("a.md", "b_test.go", "c.go")]
    assert [one.path for one in sort_questions(questions)] == ["c.go", "b_test.go", "a.md"]


# Budgets


def test_what_the_budget_of_tokens_does_not_reach_is_not_reviewed() -> None:
    writer = Writer(say())
    drafted = draft(writer, files=4, policy=ReviewPolicy(max_tokens=2_000))
    assert 0 < len(writer.asked) < 4
    assert drafted.coverage.over_budget == 4 - len(writer.asked)
    check = render_check(drafted.coverage, (), "base")
    assert check.conclusion == "neutral"
    told = f"- {drafted.coverage.over_budget} questions were not answered: the budget of tokens or seconds was spent."
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
    assert "- 1 held back because most of the asked samples did not say it." in told


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


# What stands around

SOURCE = """\
class Store:
    def load(self, key):
        \"\"\"Loads.\"\"\"
        a = 1
        b = 2
        c = 3
        d = 4
        total = a
        return total

    def other(self):
        return 1
"""
AROUND = "@@ -5,3 +5,4 @@ class Store:\n         b = 2\n         c = 3\n         d = 4\n+        total = a"


async def scopes_of(path: str, source: str, rows: Collection[int]) -> Mapping[int, tuple[Scope, ...]] | None:
    return find_scopes(path, source, rows)


def reading(source: str | None, refusal: Refused | None = None) -> Surroundings:
    async def read(path: str) -> str | None:
        if refusal is not None:
            raise refusal
        return source

    return Surroundings(read=read, find_scopes=scopes_of)


def test_a_hunk_is_shown_with_the_function_around_it_and_no_number_more() -> None:
    writer = Writer(say())
    drafted = draft(writer, files=(file("a.py", AROUND),), surroundings=reading(SOURCE))
    ((messages, schema),) = writer.asked
    assert messages[1].content.split("\n") == [
        "a.py",
        "---",
        "        class Store:",
        "       ⋮",
        "            def load(self, key):",
        '                """Loads."""',
        "                a = 1",
        "                b = 2",
        "                c = 3",
        "                d = 4",
        "     8 +        total = a",
        "                return total",
    ]
    assert schema["properties"]["comments"]["items"]["properties"]["line"]["enum"] == [8]
    assert (drafted.coverage.unextended, drafted.coverage.complete) == (0, True)


@pytest.mark.parametrize(
    "surroundings",
    [reading(None), reading(SOURCE.replace("b = 2", "b = 3")), reading(""), reading("", Refused("graphql", "no"))],
)
def test_a_file_that_can_not_be_read_leaves_the_hunk_as_it_is_and_says_so(surroundings: Surroundings) -> None:
    writer = Writer(say())
    drafted = draft(writer, files=(file("a.py", AROUND),), surroundings=surroundings)
    ((messages, _),) = writer.asked
    assert "def load" not in messages[1].content
    assert drafted.coverage.unextended == 1
    told = "- 1 hunks were shown without the function around them: their file could not be read."
    assert told in render_check(drafted.coverage, (), "base").summary


def test_a_file_whose_top_says_that_it_is_generated_is_left_out_by_name() -> None:
    source = SOURCE.replace("class Store:", "# Code generated by x. DO NOT EDIT.", 1)
    writer = Writer(say())
    drafted = draft(writer, files=(file("a.py", AROUND),), surroundings=reading(source))
    assert writer.asked == []
    assert [(row.path, row.reason) for row in drafted.coverage.skipped] == [("a.py", "says_generated")]
    assert (drafted.coverage.lines_read, drafted.coverage.hunks_read, drafted.coverage.complete) == (0, 0, False)


def test_a_header_is_not_believed_where_owners_say_that_people_wrote_the_file() -> None:
    source = SOURCE.replace("class Store:", "# Code generated by x. DO NOT EDIT.", 1)
    writer = Writer(say())
    attributes = parse_attributes("a.py -linguist-generated\n")
    drafted = draft(writer, files=(file("a.py", AROUND),), surroundings=reading(source), attributes=attributes)
    assert len(writer.asked) == 1
    assert (drafted.coverage.skipped, drafted.coverage.complete) == ((), True)


def test_what_owners_mark_is_left_out_and_what_they_unmark_is_read() -> None:
    attributes = parse_attributes("lib/** linguist-vendored\ndist/** -linguist-vendored\n")
    files = tuple(file(path, PATCH) for path in ("lib/a.py", "dist/a.py", "vendor/a.py"))
    drafted = draft(Writer(say()), files=files, attributes=attributes)
    assert [(row.path, row.reason) for row in drafted.coverage.files] == [
        ("lib/a.py", "vendored"),
        ("dist/a.py", None),
        ("vendor/a.py", "vendored"),
    ]
