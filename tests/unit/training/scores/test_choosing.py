"""An arm is chosen by what it finds; where none finds much, by how it orders the lines."""

from training.scores.choosing import Operating, choose_arm


def _found(found: float, ranking: float) -> Operating:
    return Operating(threshold=0.5, found=found, alarms=0.05, ranking=ranking)


def test_house_rules_go_to_the_arm_that_finds_most() -> None:
    tried = {("line", 10.0): _found(0.6, 0.99), ("pairs", 10.0): _found(0.9, 0.95)}
    assert choose_arm(tried) == ("pairs", 10.0)


def test_a_heavier_arm_must_be_worth_it() -> None:
    tried = {("line", 10.0): _found(0.9, 0.9), ("pairs", 10.0): _found(0.905, 0.99)}
    assert choose_arm(tried) == ("line", 10.0)


def test_where_hardly_anything_is_found_the_order_of_lines_decides() -> None:
    """A share found of a few percent is a handful of lines: measured on real history it changed with the fold."""
    tried = {("line", 10.0): _found(0.18, 0.75), ("shape", 3.0): _found(0.0, 0.81)}
    assert choose_arm(tried) == ("shape", 3.0)
