"""Log-probabilities do not depend on how rows are batched; greedy answers stop at the end token."""

from pathlib import Path

import pytest

from app.domain.prompt import Message
from training.base.tokens import load_tokenizer
from training.evaluation.scoring import Scorer
from training.rows.snapshot import load_snapshot
from training.rows.tokenising import encode_comment


def test_a_row_scores_alike_alone_and_in_a_batch(tiny_base: Path, small_snapshot: Path) -> None:
    tokenizer = load_tokenizer(tiny_base)
    rows = [encode_comment(tokenizer, row) for row in load_snapshot(small_snapshot).comments("heldout")]
    scorer = Scorer(tiny_base, None, tokenizer)
    together = scorer.logprobs(rows)
    assert together == pytest.approx([scorer.logprobs([row])[0] for row in rows], abs=0.02)
    assert all(-12 < value < -9 for value in together)  # random weights: about log(1/49152)


def test_an_answer_ends_within_its_limit(tiny_base: Path) -> None:
    tokenizer = load_tokenizer(tiny_base)
    scorer = Scorer(tiny_base, None, tokenizer)
    prompts = [[Message(role="user", content="a" * size)] for size in (3, 90)]
    answers = scorer.answers(prompts, 5)
    assert len(answers) == 2
    assert not any(answer.stopped for answer in answers)
    assert all(len(tokenizer.raw(answer.text)["input_ids"]) <= 8 for answer in answers)
