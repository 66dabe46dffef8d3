"""What of a change the base model is shown, and what it says where that is not all."""

import json
from collections.abc import Collection, Mapping

import pytest

from app.domain.attributes import parse_attributes
from app.domain.diff import parse_patch
from app.domain.errors import Refused
from app.domain.scopes import Scope
from app.history.enclosing import find_scopes
from app.review.base_answer import parse_base_answer
from app.review.base_prompt import (
    HUNKS_SHOWN,
    pack_questions,
    render_question,
    render_schema,
    sort_questions,
    value_hunk,
)
from app.review.budget import estimate_tokens
from app.review.extending import Extended
from app.review.looking import Surroundings
from app.review.messages import render_check
from tests.unit.review.base_drafts import LONG, PATCH, Writer, draft, file, say


def test_hunks_that_were_not_asked_about_are_never_a_green_check() -> None:
    writer = Writer(say())
    drafted = draft(writer, files=9)
    assert len(writer.asked) == 8
    check = render_check(drafted.coverage, drafted.findings, drafted.adapter)
    assert check.conclusion == "neutral"
    assert "Pieces of the diff that the model was asked about: **8**." in check.summary
    assert "- Pieces of the diff that it was not shown, or not to their end: **1**." in check.summary


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


def hunks(*added: str, path: str = "a.py") -> tuple[Extended, ...]:
    patch = "\n".join(f"@@ -{n * 50 + 1},1 +{n * 51 + 1},2 @@\n c\n+{text}" for n, text in enumerate(added))
    return tuple(Extended(hunk=hunk) for hunk in parse_patch(path, patch).hunks)


# Several hunks


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
    told = "- Pieces shown without the function around them, whose file could not be read: **1**."
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
