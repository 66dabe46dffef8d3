"""Tokens as they are trained: the prompt is a prefix, the end token is learnt, what is too long is counted."""

from pathlib import Path

import pytest

from app.domain.errors import UserError
from app.domain.prompt import Message
from training.base.tokens import load_tokenizer
from training.config import TrainingConfig, resolve_config
from training.preflight.rows_check import preflight
from training.rows.snapshot import Snapshot, load_snapshot
from training.rows.tokenising import Tokenizer, encode_comment


@pytest.fixture(scope="module")
def tokenizer(tiny_base: Path) -> Tokenizer:
    return load_tokenizer(tiny_base)


@pytest.fixture(scope="module")
def snapshot(small_snapshot: Path) -> Snapshot:
    return load_snapshot(small_snapshot)


def _config(**changes: object) -> TrainingConfig:
    return resolve_config("smoke").config.model_copy(update=changes)


def test_each_row_starts_with_its_prompt_and_trains_its_end(tokenizer: Tokenizer, snapshot: Snapshot) -> None:
    for row in snapshot.comments("train"):
        encoded = encode_comment(tokenizer, row)
        assert encoded.tokens[: encoded.prompt_tokens] == tokenizer.prompt(row.prompt)
        assert encoded.labels[-1] == tokenizer.end
        assert set(encoded.labels[: encoded.prompt_tokens]) == {-100}
        assert tokenizer.raw.decode(encoded.labels[encoded.prompt_tokens : -1]) == row.completion[0].content


def test_rows_too_long_are_counted_and_never_cut(tokenizer: Tokenizer, snapshot: Snapshot) -> None:
    rows = snapshot.comments("train")
    lengths = sorted(len(encode_comment(tokenizer, row).tokens) for row in rows)
    checked = preflight(rows, tokenizer, _config(max_length=lengths[-5]))
    assert checked.over_long == sum(length > lengths[-5] for length in lengths)
    assert len(checked.rows) + checked.over_long == len(rows)


def test_mostly_too_long_is_refused_with_the_count(tokenizer: Tokenizer, snapshot: Snapshot) -> None:
    with pytest.raises(UserError, match="48 of 48 others over max_length 64 tokens"):
        preflight(snapshot.comments("train"), tokenizer, _config(max_length=64))


def test_light_rows_are_left_out(tokenizer: Tokenizer, snapshot: Snapshot) -> None:
    rows = snapshot.comments("train")
    light = [row.model_copy(update={"weight": 0.3}) if index < 10 else row for index, row in enumerate(rows)]
    assert preflight(light, tokenizer, _config(minimum_weight=0.4)).underweight == 10


def test_a_template_that_hides_the_prompt_is_refused(tokenizer: Tokenizer) -> None:
    from copy import deepcopy

    other = deepcopy(tokenizer.raw)
    other.chat_template = "{{ messages[-1]['content'] }}"
    with pytest.raises(UserError, match="as a prefix"):
        Tokenizer(other).row("ex1:a", [Message(role="user", content="a")], [Message(role="assistant", content="b")])
