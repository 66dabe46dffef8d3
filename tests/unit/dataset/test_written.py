"""What else a team wrote: by time, one answer per prompt, none on both sides."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.dataset.snapshot import assemble
from app.dataset.split import Split, decide_split
from app.dataset.written import render_written_parts
from app.domain.snapshots import WrittenRow
from app.domain.written import WrittenExample, WrittenKind
from app.domain.written_prompt import CONTEXT_CHARACTERS, render_written


def a_written(day: int = 1, **more: Any) -> WrittenExample:
    facts = {
        "kind": WrittenKind.COMMIT,
        "host": "github.test",
        "repository_id": 1,
        "repository": "acme/store",
        "commit_sha": f"{day:040}",
        "written_at": datetime(2026, 1, day, tzinfo=UTC),
        "author": "dev",
        "context": f"--- a/f.py\n+++ b/f.py\n@@ -1 +1 @@\n-x = 0\n+x = {day}",
        "text": f"Count to {day}",
    }
    return WrittenExample.model_validate(facts | more)


NO_PULLS = decide_split([])


@pytest.mark.parametrize("kind", list(WrittenKind))
def test_each_kind_is_asked_for_with_the_key_it_answers(kind: WrittenKind) -> None:
    prompt, completion = render_written(a_written(kind=kind, path="f.py", function="Cart.price", text='Say "no".'))
    key = completion.content.split('"')[1]
    assert f'"{key}"' in prompt[0].content
    assert prompt[1].content.startswith("f.py Cart.price\n")
    assert completion.content == f'{{"{key}": "Say \\"no\\"."}}'


def test_a_long_context_is_cut_at_a_line_and_says_so() -> None:
    context = "\n".join(f"+line {number}" for number in range(2000))
    prompt, _ = render_written(a_written(context=context))
    *shown, note = prompt[1].content.split("\n")
    assert all(line.startswith("+line ") for line in shown)
    assert len("\n".join(shown)) <= CONTEXT_CHARACTERS
    assert note == f"(cut: {len(context) - len(chr(10).join(shown))} more characters)"


def test_without_pull_requests_the_newest_fifth_is_held_out() -> None:
    parts = render_written_parts([a_written(day) for day in range(10, 0, -1)], NO_PULLS)
    assert [row.created_at.day for row in parts.rows["train"]] == list(range(1, 9))
    assert [row.created_at.day for row in parts.rows["heldout"]] == [9, 10]


def test_what_belongs_to_a_pull_request_goes_where_it_goes_and_the_rest_by_time() -> None:
    split = decide_split((datetime(2026, 1, day, tzinfo=UTC), ("acme/store", day)) for day in range(1, 11))
    late = a_written(20, pull_request=1)
    parts = render_written_parts([a_written(8), a_written(9), late], split)
    assert split.heldout_from == datetime(2026, 1, 9, tzinfo=UTC)
    assert [row.created_at.day for row in parts.rows["train"]] == [8, 20]
    assert [row.created_at.day for row in parts.rows["heldout"]] == [9]


def test_one_answer_per_prompt_and_no_prompt_on_both_sides() -> None:
    same = {"context": "+x = 1"}
    examples = [a_written(1, text="Old", **same), a_written(2, text="New", **same), a_written(3), a_written(4)]
    examples += [a_written(9, context=a_written(3).context)]
    split = Split(parts={}, rule="", heldout_from=datetime(2026, 1, 5, tzinfo=UTC))
    parts = render_written_parts(examples, split)
    assert [row.completion[0].content for row in parts.rows["train"]] == [
        '{"message": "New"}',
        '{"message": "Count to 4"}',
    ]
    assert parts.left_out == {"written.train:contradiction": 1, "written.train:prompt_in_heldout": 1}


def test_a_snapshot_of_written_ones_alone_is_a_snapshot() -> None:
    assembled = assemble(
        [],
        NO_PULLS,
        installation="1",
        source="approved",
        created_at=datetime(2026, 2, 1, tzinfo=UTC),
        written=[a_written(1), a_written(2)],
    )
    assert assembled.manifest.counts["written.train.jsonl"] == 1
    row = WrittenRow.model_validate_json(assembled.files["written.heldout.jsonl"])
    assert (row.author, row.created_at.day) == ("dev", 2)
