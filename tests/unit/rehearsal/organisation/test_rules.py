"""The house rules as data: each recognisable by its marker, each with code that breaks and keeps it."""

import pytest

from app.rehearsal.organisation.chance import seeded
from app.rehearsal.organisation.code import write_draft
from app.rehearsal.organisation.people import REVIEWERS, SMALL_TALK
from app.rehearsal.organisation.rules import HOUSE_RULES, NEUTRAL, HouseRule
from app.rehearsal.organisation.score import named_rules
from app.rehearsal.organisation.vocabulary import LEXICONS

WINDOW = 4
every_rule = pytest.mark.parametrize("rule", HOUSE_RULES, ids=lambda rule: rule.id)


def test_there_are_eight_lexical_and_three_contextual_rules_kept_by_four_reviewers() -> None:
    assert [rule.needs_surroundings for rule in HOUSE_RULES].count(False) == 8
    assert [rule.needs_surroundings for rule in HOUSE_RULES].count(True) == 3
    assert {login for rule in HOUSE_RULES for login in rule.phrasings} == set(REVIEWERS)
    assert len(REVIEWERS) == 4


@every_rule
def test_every_phrasing_names_its_own_rule_and_no_other_in_at_most_25_words(rule: HouseRule) -> None:
    assert len(rule.phrasings) == 2
    for text in rule.phrasings.values():
        assert named_rules(text) == {rule.id}
        assert len(text.split()) <= 25


def test_small_talk_names_no_rule() -> None:
    assert not any(named_rules(text) for texts in SMALL_TALK.values() for text in texts)


@every_rule
def test_every_shape_can_be_written_right_and_wrong(rule: HouseRule) -> None:
    assert {shape.unseen for shape in rule.shapes} == {True, False}
    for number, shape in enumerate(rule.shapes):
        draft = write_draft(seeded(rule.id, number), "known", shape, rule.id, set())
        assert draft.wrong != draft.right
        assert 5 <= len(draft.right) <= 9
        assert all(len(line) <= 90 and "$" not in line for line in (*draft.right, *draft.wrong))


@every_rule
def test_only_contextual_rules_break_on_lines_that_correct_code_has_too(rule: HouseRule) -> None:
    for number, shape in enumerate(rule.shapes):
        draft = write_draft(seeded(rule.id, number), "unseen", shape, rule.id, set())
        assert (draft.wrong[draft.mark] in draft.right) == rule.needs_surroundings


@pytest.mark.parametrize("rule", [rule for rule in HOUSE_RULES if rule.needs_surroundings], ids=lambda rule: rule.id)
def test_the_evidence_stands_within_the_locators_window(rule: HouseRule) -> None:
    for number, shape in enumerate(rule.shapes):
        draft = write_draft(seeded(rule.id, number), "unseen", shape, rule.id, set())
        at = draft.right.index(draft.wrong[draft.mark])
        near = draft.right[max(0, at - WINDOW) : at + WINDOW + 1]
        assert any(rule.marker in line for line in near)
        assert not any(rule.marker in line for line in draft.wrong)


def test_neutral_code_and_the_eras_share_nothing_they_should_not() -> None:
    assert {shape.unseen for shape in NEUTRAL} == {True, False}
    for field in ("nouns", "topics", "amounts", "quals", "ports", "flags"):
        words = [word for lexicon in LEXICONS.values() for word in getattr(lexicon, field)]
        assert len(words) == len(set(words)), field
