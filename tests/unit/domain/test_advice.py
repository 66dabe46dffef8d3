"""The advisor against the guides' table."""

from typing import Any

import pytest

from app.domain.advice import AdviceCounts, advise


def fired(**counts: Any) -> set[str]:
    return {each.rule for each in advise(AdviceCounts(**counts)).fired}


@pytest.mark.parametrize(
    ("examples", "verdict", "rules", "rank"),
    [
        (0, "use_as_examples", {"fewer_than_30"}, None),
        (29, "use_as_examples", {"fewer_than_30"}, None),
        (30, "format_only", {"format", "prompt_below_500"}, 8),
        (99, "format_only", {"format", "prompt_below_500"}, 8),
        (100, "prompt_meanwhile", {"format", "style_shows", "prompt_below_500"}, 8),
        (200, "prompt_meanwhile", {"format", "style_shows", "prompt_below_500"}, 16),
        (201, "prompt_meanwhile", {"style_shows", "prompt_below_500"}, 16),
        (301, "prompt_meanwhile", {"prompt_below_500"}, 16),
        (500, "train", {"comfortable"}, 16),
        (800, "train", {"comfortable", "target"}, 16),
        (1000, "train", {"comfortable", "target"}, 16),
        (1001, "train", {"target"}, 32),
        (2001, "train", {"quality"}, 32),
    ],
)
def test_bands_of_examples(examples: int, verdict: str, rules: set[str], rank: int | None) -> None:
    advice = advise(AdviceCounts(examples=examples))
    assert (advice.verdict, advice.rank) == (verdict, rank)
    assert {each.rule for each in advice.fired} == rules


@pytest.mark.parametrize(
    ("passes", "verdict", "rules"),
    [
        (0.39, "check_the_data", {"base_weak"}),
        (0.45, "train", set()),
        (0.50, "train", {"base_gap"}),
        (0.70, "train", {"base_gap"}),
        (0.75, "train", set()),
        (0.80, "fix_the_prompt", {"base_strong"}),
    ],
)
def test_what_the_base_passes(passes: float, verdict: str, rules: set[str]) -> None:
    advice = advise(AdviceCounts(examples=600, base_pass=passes))
    assert advice.verdict == verdict
    assert {each.rule for each in advice.fired} == rules | {"comfortable"}


def test_one_voice_open_contradictions_and_a_thin_held_out_part_are_told() -> None:
    counts: dict[str, Any] = {"examples": 600, "heldout": 30, "top_author": "dev", "top_author_share": 0.81}
    assert fired(**counts, contradictions=2, repeated=3, base_leak=0.25) == {
        "comfortable",
        "one_author",
        "contradictions",
        "repeated",
        "base_leak",
        "heldout",
    }
    assert advise(AdviceCounts(examples=600, contradictions=1)).verdict == "check_the_data"
    assert "one_author" not in fired(examples=600, top_author="dev", top_author_share=0.8)
    assert "heldout" not in fired(examples=600, heldout=60) | fired(examples=600, heldout=120) | fired(examples=600)
