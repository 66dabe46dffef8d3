"""What goes into a training: whole pull requests aside, written rows and general rows within their shares."""

from datetime import UTC, datetime, timedelta
from typing import Any

from app.domain.examples import Evidence
from app.domain.prompt import Message
from app.domain.snapshots import CommentRow, WrittenRow
from app.domain.written import WrittenKind
from training.config import TrainingConfig, resolve_config
from training.rows.general import load_general, read_functions
from training.rows.mixture import mix_rows, select_validation
from training.rows.tokenising import Tokenizer, TokenRow

START = datetime(2026, 1, 5, tzinfo=UTC)
ASKED = (Message(role="user", content="?"),)
SAID = (Message(role="assistant", content="!"),)


class _Raw:
    eos_token_id = pad_token_id = 2

    def __call__(self, text: str, *, add_special_tokens: bool) -> dict[str, list[int]]:
        assert not add_special_tokens
        return {"input_ids": list(map(ord, text))}


class _Letters(Tokenizer):
    """A token per letter: shares are about lengths, not about words."""

    def __init__(self) -> None:
        super().__init__(_Raw())

    def row(self, example: str, prompt: Any, completion: Any) -> TokenRow:
        text = "".join(message.content for message in (*prompt, *completion))
        return TokenRow(example, tuple(map(ord, text)), 1)


def _config(**changes: object) -> TrainingConfig:
    shares = {"validation_share": 0.0, "general_share": 0.0, "written_share": 0.0}
    return resolve_config().config.model_copy(update=shares | changes)


def _comment(number: int) -> CommentRow:
    return CommentRow(
        example=f"ex1:c{number}",
        repository="acme/depot",
        pull_request=number // 3,
        created_at=START,
        path="a.py",
        line=1,
        reviewer="ada",
        prompt=ASKED,
        completion=SAID,
        weight=0.9,
        evidence=Evidence.LINE,
    )


def _written(number: int, weight: float = 0.9, length: int = 100) -> WrittenRow:
    return WrittenRow(
        example=f"ex1:w{number}",
        kind=WrittenKind.COMMIT,
        repository="acme/depot",
        pull_request=None,
        created_at=START + timedelta(days=number),
        commit_sha="a" * 40,
        path=None,
        author=None,
        prompt=ASKED,
        completion=(Message(role="assistant", content="w" * (length - 1)),),
        weight=weight,
    )


COMMENTS = [_comment(number) for number in range(300)]
ENCODED = [TokenRow(row.example, (5,) * 100, 80) for row in COMMENTS]


def test_whole_pull_requests_are_set_aside_and_none_of_them_is_trained_on() -> None:
    config = _config(validation_share=0.1)
    aside = select_validation(ENCODED, COMMENTS, config)
    pulls = {row.pull_request for row in COMMENTS if row.example in aside}
    assert {row.example for row in COMMENTS if row.pull_request in pulls} == aside
    assert 30 <= len(aside) <= 32
    mixture = mix_rows(ENCODED, COMMENTS, [], _Letters(), config)
    assert {row.example for row in mixture.validation} == aside
    assert {row.example for row in mixture.rows}.isdisjoint(aside)
    assert len(mixture.rows) == mixture.comments == 300 - len(aside)
    assert select_validation(ENCODED, COMMENTS, _config(validation_share=0.1, seed=8)) != aside


def test_too_few_rows_set_none_aside() -> None:
    assert not select_validation(ENCODED[:90], COMMENTS, _config(validation_share=0.1))


def test_written_rows_are_the_newest_that_fit_their_share() -> None:
    mixture = mix_rows(ENCODED, COMMENTS, [_written(n) for n in range(400)], _Letters(), _config(written_share=0.25))
    assert [row.example for row in mixture.written] == [f"ex1:w{number}" for number in range(399, 299, -1)]
    assert mixture.weights["ex1:w399"] == 0.9


def test_written_rows_that_are_too_light_or_too_long_are_left_out() -> None:
    rows = [_written(1, weight=0.1), _written(2, length=5000), _written(3)]
    mixture = mix_rows(ENCODED, COMMENTS, rows, _Letters(), _config(written_share=0.25))
    assert [row.example for row in mixture.written] == ["ex1:w3"]


def test_general_rows_are_the_same_for_a_seed_and_keep_to_their_share() -> None:
    config = _config(general_share=0.1)
    encoded = [TokenRow(row.example, (5,) * 900, 80) for row in COMMENTS[:100]]  # long enough for letters as tokens
    one, two = (mix_rows(encoded, COMMENTS, [], _Letters(), config) for _ in range(2))
    assert one == two
    assert one.general is not None
    assert 0.05 < one.general.tokens / (one.general.tokens + 100 * 900) <= 0.1
    other = mix_rows(encoded, COMMENTS, [], _Letters(), _config(general_share=0.1, seed=8)).general
    assert other is not None
    assert other.hash != one.general.hash


def test_general_rows_come_in_three_shapes_in_turn() -> None:
    made = load_general(_Letters(), tokens=30_000, longest=2_000, seed=7)
    assert made is not None
    kinds = [
        row.example.rsplit(":", 1)[-1] if row.example.endswith((":body", ":prose")) else "docstring"
        for row in made.rows
    ]
    assert {"docstring", "body", "prose"} == set(kinds)
    prose = next(row for row in made.rows if row.example.endswith(":prose"))
    body = next(row for row in made.rows if row.example.endswith(":body"))
    assert prose.prompt_tokens == 1, "plain text has no turn of a chat"
    assert "".join(map(chr, body.tokens)).endswith("\n```")


def test_a_function_is_read_without_its_docstring() -> None:
    source = '''
def fold(rows, width):
    """Fold rows into blocks of a width, the last one shorter.

    Nothing is lost.
    """
    return [rows[at : at + width] for at in range(0, len(rows), width)]


def bare(rows):
    return rows
'''
    found = list(read_functions(source, "folding.py"))
    assert [one.function for one in found] == ["fold"]
    assert found[0].text == "Fold rows into blocks of a width, the last one shorter.\n\nNothing is lost."
    assert '"""' not in found[0].context
    assert found[0].context.startswith("def fold(rows, width):\n    return [")
    assert not list(read_functions("def broken(:", "broken.py"))
