"""Near-duplicates are found whatever the order, and only near ones."""

import random

from hypothesis import given
from hypothesis import strategies as st

from app.screening.duplicates import LEAST_SHINGLES, NEAR, likeness, select_twins, shingles, sketch

PROMPT = "\n".join(
    ["app/orders.py", *(f" +    total_{at} = price(order_{at}, rate={at}) + tax({at})" for at in range(9)), "line: tax"]
)
RENAMED = PROMPT.replace("total_3", "sum_3")
OTHER = PROMPT.replace("price", "load").replace("tax", "fee")
SHORT = "f.py\n+    print(x)\nline: print(x)"


def test_one_name_changed_is_a_twin_of_what_comes_first() -> None:
    (twin,) = select_twins([RENAMED, OTHER, PROMPT], ["a", "a", "a"])
    assert (twin.index, twin.kept) == (2, 0)
    assert NEAR <= twin.likeness < 1


def test_other_keys_other_rows() -> None:
    assert select_twins([RENAMED, PROMPT], ["Use the logger.", "Close it."]) == []


def test_in_few_lines_one_name_is_the_difference() -> None:
    assert select_twins([SHORT, SHORT.replace("f.py", "g.py")], [0, 0]) == []
    assert [twin.likeness for twin in select_twins([SHORT, SHORT], [0, 0])] == [1.0]


def test_what_stands_stays_and_what_is_not_among_them_has_no_twins() -> None:
    texts = [PROMPT, PROMPT, RENAMED, OTHER, OTHER]
    assert [(twin.index, twin.kept) for twin in select_twins(texts, [0] * 5, standing=2, among=2)] == [(2, 0)]


def test_a_chain_of_small_steps_is_not_one_group() -> None:
    chain = [PROMPT]
    for at in range(9):
        chain.append(chain[-1].replace(f"total_{at} =", f"other_{at} ="))
    kept = set(range(len(chain))) - {twin.index for twin in select_twins(chain, [0] * len(chain))}
    assert len(kept) > 1
    assert all(likeness(chain[one], chain[two]) < NEAR for one in kept for two in kept if one < two)


@given(st.permutations(sorted(shingles(PROMPT))))
def test_a_signature_does_not_depend_on_the_order_of_shingles(turned: list[str]) -> None:
    one, other = sketch([shingles(PROMPT), turned])
    assert one.jaccard(other) == 1.0


@given(st.integers(0, 2**32))
def test_which_groups_there_are_does_not_depend_on_the_order(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - drawn by hypothesis
    blocks = ["".join(f" + v{block}_{at} = call_{block}({at})\n" for at in range(12)) for block in range(6)]
    texts = [f"{block}# {copy}" for block in blocks for copy in range(3)]
    chance.shuffle(texts)
    kept = set(range(len(texts))) - {twin.index for twin in select_twins(texts, [0] * len(texts))}
    assert sorted(texts[at][:20] for at in kept) == sorted(block[:20] for block in blocks)


@given(st.text(), st.text())
def test_likeness_is_a_share_and_goes_both_ways(one: str, other: str) -> None:
    assert 0 <= likeness(one, other) == likeness(other, one) <= 1
    assert likeness(one, one) == 1
    assert len(shingles(PROMPT)) >= LEAST_SHINGLES
