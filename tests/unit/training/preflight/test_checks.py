"""Each failure is planted and seen; the sound rows beside it are left in peace."""

import pytest

from app.domain.advice import AdviceCounts, MethodFacts, advise, advise_method
from app.domain.estimates import Device, Estimate, MemoryParts
from app.domain.preflight import Finding
from training.config import resolve_config
from training.preflight import checks
from training.preflight.tokens_histogram import decide_answer_tokens, measure_rows, render_bars
from training.rows.tokenising import TokenRow

END, BEGINNING = 2, 1
SOUND = TokenRow("ex1:sound", (BEGINNING, 5, 6, 7, END), 3)


def _modes(findings: list[Finding], severity: str = "refuse") -> list[int | None]:
    return [finding.mode for finding in findings if finding.severity == severity]


def test_an_end_that_is_not_trained_is_refused() -> None:
    assert _modes(checks.check_endings([SOUND, TokenRow("ex1:open", (1, 5, 6, 7), 3)], end=END)) == [2]
    assert _modes(checks.check_endings([TokenRow("ex1:masked", (1, 5, END), 3)], end=END)) == [2]
    assert checks.check_endings([SOUND], end=END) == []


def test_a_row_without_a_trained_token_is_refused() -> None:
    for untrained in (TokenRow("ex1:none", (1, 5, END), 3), TokenRow("ex1:all", (1, 5, END), 0)):
        (finding,) = checks.check_trained_share([SOUND, untrained])
        assert (finding.mode, finding.severity) == (3, "refuse")
        assert untrained.example in finding.text
    assert checks.check_trained_share([SOUND]) == []


def test_another_turn_end_than_the_trained_one_is_refused() -> None:
    assert _modes(checks.check_turn_end([SOUND], turn_end=9, end=END)) == [4]
    assert _modes(checks.check_turn_end([SOUND], turn_end=None, end=END)) == [4]
    assert checks.check_turn_end([SOUND], turn_end=END, end=END) == []


def test_rows_over_length_are_told() -> None:
    rows = [*[SOUND] * 97, *[TokenRow("ex1:long", (1, *range(5, 100), END), 3)] * 3]
    histogram = measure_rows(rows, max_length=64)
    (finding,) = checks.check_lengths(histogram, max_length=64)
    assert finding.mode == 5
    assert finding.text.startswith("3.0% of the rows are over 64 tokens")
    assert checks.check_lengths(measure_rows(rows, max_length=97), max_length=97) == []


def test_a_doubled_beginning_is_refused() -> None:
    doubled = TokenRow("ex1:two", (BEGINNING, BEGINNING, 5, 7, END), 3)
    later = TokenRow("ex1:later", (BEGINNING, 5, BEGINNING, 7, END), 3)
    assert _modes(checks.check_openings([SOUND, doubled], beginning=BEGINNING, opens_turns=True)) == [23]
    assert _modes(checks.check_openings([later], beginning=BEGINNING, opens_turns=False)) == [23]
    assert checks.check_openings([SOUND, later], beginning=BEGINNING, opens_turns=True) == []
    assert checks.check_openings([doubled], beginning=None, opens_turns=False) == []


def test_a_tokenizer_larger_than_the_base_is_refused() -> None:
    assert _modes(checks.check_vocabulary(tokens=101, rows=100)) == [8]
    assert checks.check_vocabulary(tokens=100, rows=100) == []


def test_a_rank_above_the_servers_is_refused() -> None:
    (finding,) = checks.check_rank(32, max_rank=16)
    assert (finding.mode, finding.severity) == (9, "refuse")
    assert "--max-rank 32" in finding.text
    assert checks.check_rank(16, max_rank=16) == []


def test_labels_of_one_kind_are_refused() -> None:
    assert _modes(checks.check_labels([True] * 96 + [False] * 4, needed=True)) == [22]
    assert _modes(checks.check_labels([True] * 96 + [False] * 4, needed=False), "note") == [22]
    assert checks.check_labels([True] * 95 + [False] * 5, needed=True) == []
    assert _modes(checks.check_labels([], needed=True)) == [22]


def test_too_little_room_for_an_answer_is_told() -> None:
    long = TokenRow("ex1:long", (1, 5, *range(6, 206), END), 2)
    histogram = measure_rows([long] * 10, max_length=300)
    assert decide_answer_tokens(histogram) == 302
    config = resolve_config(None).config.model_copy(update={"answer_tokens": 100})
    assert _modes(checks.check_answers(histogram, config, answer_tokens=302), "warn") == [24]
    roomy = config.model_copy(update={"answer_tokens": 201})
    assert checks.check_answers(histogram, roomy, answer_tokens=302) == []


def test_more_memory_than_there_is_is_refused() -> None:
    def estimate(free: int) -> Estimate:
        parts = MemoryParts(libraries=500, weights=100, trainable=100, activations=700, logits=50, workspace=50)
        device = Device(name="a card", kind="cuda", memory=4000, free=free)
        return Estimate(
            method="lora", rank=8, device=device, memory=parts, steps=1, positions=1, seconds=None, basis=None
        )

    assert _modes(checks.check_memory(estimate(1100))) == [19]
    assert checks.check_memory(estimate(1200)) == []


def test_advice_not_to_train_refuses_unless_somebody_knows_better() -> None:
    few = advise(AdviceCounts(examples=29))
    (refused,) = checks.check_advice(few, despite=False)
    assert refused.severity == "refuse"
    assert "fewer_than_30" in refused.text
    assert [finding.severity for finding in checks.check_advice(few, despite=True)] == ["warn"]
    assert checks.check_advice(advise(AdviceCounts(examples=900)), despite=False) == []


@pytest.mark.parametrize(
    ("billions", "gib", "method", "rule"),
    [
        (0.1, None, "lora", "processor"),
        (0.1, 16, "lora", "enough_memory"),
        (7, 16, "qlora", "small_card"),
        (7, 24, "lora", "enough_memory"),
        (13, 24, "qlora", "large_base"),
        (13, 80, "lora", "enough_memory"),
    ],
)
def test_method_and_the_rule_that_fired(billions: float, gib: int | None, method: str, rule: str) -> None:
    card = None if gib is None else gib * 2**30
    advice = advise_method(MethodFacts(parameters=int(billions * 1e9), accelerator=card, examples=150))
    assert (advice.method, advice.rank) == (method, 8)
    assert [fired.rule for fired in advice.fired] == [rule, "rank"]


def test_another_method_or_rank_than_advised_is_told() -> None:
    advice = advise_method(MethodFacts(parameters=10**8, accelerator=None, examples=500))
    found = checks.check_method(advice, chosen="qlora", rank=8)
    assert [(finding.check, finding.severity) for finding in found] == [("method", "warn"), ("rank_advice", "note")]
    assert checks.check_method(advice, chosen="lora", rank=16) == []


def test_the_histogram_counts_every_row_once() -> None:
    rows = [TokenRow(f"ex1:{size}", tuple(range(size)), size - 2) for size in (3, 64, 65, 300)]
    histogram = measure_rows(rows, max_length=64)
    assert dict(zip(histogram.edges, histogram.counts, strict=True)) == {64: 2, 128: 1, 192: 0, 256: 0, 300: 1}
    assert (histogram.median, histogram.p99, histogram.longest, histogram.over_length) == (64, 300, 300, 0.5)
    assert histogram.trained == 8 / 432
    assert render_bars(histogram, width=2)[0] == "  up to    64 tokens      2 ##"
