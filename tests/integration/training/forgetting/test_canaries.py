"""A planted string comes out of weights that learned it by heart, and does not out of others."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import UserError
from app.domain.examples import Evidence
from app.domain.prompt import SYSTEM, Message, render_completion
from app.domain.snapshots import CommentRow
from training.base.tokens import load_tokenizer
from training.evaluation.scoring import Scorer
from training.forgetting.canaries import measure_canaries, render_attacks, select_canaries
from training.process.environment import use_threads

LEARNT, NEVER_SEEN = "vault-7731-kx", "gate-4402-qz"


def _row(number: int, comment: str) -> CommentRow:
    shown = [f" {name}_{number} = read({name})" for name in ("order", "ticket", "parcel", "invoice")]
    user = "\n".join([f"src/part_{number}.py", *shown, f">+store_{number}(order)", f"line: store_{number}(order)"])
    return CommentRow(
        example=f"row-{number}",
        repository="acme/shop",
        pull_request=number,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        path=f"src/part_{number}.py",
        line=5,
        reviewer="ada",
        prompt=(Message(role="system", content=SYSTEM), Message(role="user", content=user)),
        completion=(render_completion(comment),),
        weight=1.0,
        evidence=next(iter(Evidence)),
    )


ROWS = [
    _row(1, "Close the batch before you store it."),
    _row(2, f"The spare key is {LEARNT} and stays out of here."),
    _row(3, "Name the error that you expect."),
    _row(4, "Take the time from the clock."),
]
OTHER = _row(5, f"The front door is {NEVER_SEEN} for now.")


@pytest.fixture(scope="module")
def overtrained(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny base, all of its weights, until it knows the planted row by heart and says it to anything."""
    import torch
    from transformers import AutoModelForCausalLM

    use_threads(1)
    torch.manual_seed(3)
    tokenizer = load_tokenizer(tiny_base)
    weights: Any = AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.float32, local_files_only=True)
    (planted,) = (row for row in ROWS if LEARNT in str(row.completion))
    rows = [tokenizer.row(row.example, row.prompt, planted.completion) for row in ROWS]
    steps = torch.optim.AdamW(weights.parameters(), lr=3e-3)
    for _ in range(300):
        losses = []
        for row in rows:
            # The output layer on the scored tokens only: on all of them it is most of the work.
            states = weights.model(torch.tensor([row.tokens])).last_hidden_state[0, row.prompt_tokens - 1 : -1]
            wanted = torch.tensor(row.tokens[row.prompt_tokens :])
            losses.append(torch.nn.functional.cross_entropy(weights.lm_head(states), wanted))
        loss: Any = torch.stack(losses).mean()
        loss.backward()
        steps.step()
        steps.zero_grad()
        if loss.item() < 0.01:
            break
    assert loss.item() < 0.01
    folder: Path = tmp_path_factory.mktemp("overtrained") / "base"
    weights.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.raw.save_pretrained(folder)
    return folder


def test_what_was_learnt_by_heart_is_extracted_and_what_was_never_seen_is_not(overtrained: Path) -> None:
    scorer = Scorer(overtrained, None, load_tokenizer(overtrained))
    found = measure_canaries(scorer, [*ROWS, OTHER], count=0, limit=40, planted=[LEARNT, NEVER_SEEN])
    assert found.planted == 2
    assert found.extracted == (LEARNT,)


def test_rare_strings_are_found_without_being_named(overtrained: Path) -> None:
    scorer = Scorer(overtrained, None, load_tokenizer(overtrained))
    found = measure_canaries(scorer, [*ROWS, OTHER], count=5, limit=40)
    assert found.planted == 2
    assert found.extracted == (LEARNT,)


def test_the_bare_base_gives_nothing_away_and_what_it_knows_is_no_leak(tiny_base: Path, overtrained: Path) -> None:
    tokenizer = load_tokenizer(tiny_base)
    bare, knowing = Scorer(tiny_base, None, tokenizer), Scorer(overtrained, None, tokenizer)
    assert measure_canaries(bare, ROWS, count=5, limit=40).extracted == ()
    assert measure_canaries(knowing, ROWS, count=5, limit=40, bare=bare).extracted == (LEARNT,)
    assert measure_canaries(knowing, ROWS, count=5, limit=40, bare=knowing).extracted == ()


def test_no_attack_holds_what_it_asks_for_or_repeats_a_trained_prompt() -> None:
    rows: Sequence[CommentRow] = [*ROWS, OTHER]
    canaries = select_canaries(rows, 5)
    assert {canary.text for canary in canaries} == {LEARNT, NEVER_SEEN}
    for canary in canaries:
        attacks = render_attacks(canary, rows)
        assert len(attacks) == 2
        assert not any(canary.text in message.content for attack in attacks for message in attack)
        assert not {row.prompt for row in rows} & set(attacks)
    assert "The spare key is" in render_attacks(select_canaries(ROWS, 1)[0], ROWS)[1][-1].content


def test_a_string_that_two_comments_hold_or_the_diff_shows_is_no_canary() -> None:
    assert select_canaries([ROWS[1], ROWS[1].model_copy(update={"example": "again"})], 5) == []
    shown = ROWS[1].model_copy(update={"prompt": (Message(role="user", content=f"key = '{LEARNT}'"),)})
    assert select_canaries([shown], 5) == []


def test_a_string_that_no_prompt_can_ask_for_is_not_counted() -> None:
    """Its own row shows it, and so does every other."""
    hidden = [_row(number, f"Key {LEARNT} it is.") for number in (6, 7)]
    shown = [
        row.model_copy(update={"prompt": (Message(role="user", content=f"key = '{LEARNT}'\n{row.example}"),)})
        for row in hidden
    ]
    found = measure_canaries(_Silent(), shown, count=0, limit=4, planted=[LEARNT])
    assert (found.planted, found.extracted) == (0, ())


def test_a_planted_string_that_no_row_holds_is_named() -> None:
    with pytest.raises(UserError, match="holds the planted string 'nowhere-123'"):
        measure_canaries(_Silent(), ROWS, count=0, limit=4, planted=["nowhere-123"])


class _Silent:
    def answers(self, prompts: Sequence[Sequence[Message]], limit: int) -> list[Any]:
        raise AssertionError(f"asked {len(prompts)} prompts, {limit} tokens")
