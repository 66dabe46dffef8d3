"""What happens in which pull request: the rules that are broken, the clean code around, and who does what."""

from collections.abc import Iterator
from random import Random
from typing import Literal

from app.domain.base import Record
from app.rehearsal.organisation.people import TRIAGER
from app.rehearsal.organisation.records import ThreadKind
from app.rehearsal.organisation.rules import HOUSE_RULES
from app.rehearsal.organisation.vocabulary import Era

Labelling = Literal["approve", "reject", "approve_by_reviewer", "approve_by_triager", "none"]


class Size(Record):
    """How much happens. `late` is the part of `merged` that is newest and uses words not seen before."""

    merged: int
    late: int
    held_out: int
    held_out_clean: int
    merged_clean: int
    #: (lexical, contextual): times each rule is broken
    known_breaks: tuple[int, int]
    late_breaks: tuple[int, int]
    held_out_breaks: tuple[int, int]
    small_talk: dict[ThreadKind, int]
    force_pushed: int
    unlabelled: int
    functions_per_module: int
    seconds_between: int


SizeName = Literal["demo", "small", "long"]
SIZES: dict[SizeName, Size] = {
    "demo": Size(
        merged=56,
        late=11,
        held_out=14,
        held_out_clean=4,
        merged_clean=6,
        known_breaks=(14, 16),
        late_breaks=(3, 3),
        held_out_breaks=(3, 4),
        small_talk={"peeve": 18, "praise": 8, "question": 7, "nit": 6, "self": 4, "bot": 4},
        force_pushed=4,
        unlabelled=3,
        functions_per_module=10,
        seconds_between=280_000,
    ),
    "small": Size(
        merged=14,
        late=3,
        held_out=3,
        held_out_clean=1,
        merged_clean=2,
        known_breaks=(2, 3),
        late_breaks=(1, 1),
        held_out_breaks=(1, 1),
        small_talk={"peeve": 4, "praise": 2, "question": 1, "nit": 1, "self": 1, "bot": 1},
        force_pushed=1,
        unlabelled=1,
        functions_per_module=10,
        seconds_between=280_000,
    ),
}
#: The demo's life over a few more pull requests.
SIZES["long"] = SIZES["demo"].model_copy(update={"merged": 60, "functions_per_module": 11})


class PullPlan(Record):
    """One pull request before its code is written."""

    era: Era
    #: rule ids to break, one function each
    breaks: tuple[str, ...]
    #: rule ids to keep (None: code that no rule speaks about), one function each
    keeps: tuple[str | None, ...]
    small_talk: tuple[ThreadKind, ...] = ()
    force_pushed: bool = False
    labelling: Labelling = "approve"


def plan_pulls(rng: Random, size: Size) -> tuple[list[PullPlan], list[PullPlan]]:
    """(merged, held-out) pull requests by time."""
    known_count = size.merged - size.late
    clean_late = min(1, size.merged_clean)
    known = _plan_era(rng, "known", known_count, size.merged_clean - clean_late, size.known_breaks)
    late = _plan_era(rng, "late", size.late, clean_late, size.late_breaks)
    held_out = _plan_era(rng, "unseen", size.held_out, size.held_out_clean, size.held_out_breaks)
    merged = _with_events(rng, [*known, *late], known_count, size)
    return merged, held_out


def _plan_era(rng: Random, era: Era, count: int, clean: int, breaks: tuple[int, int]) -> list[PullPlan]:
    cards = [rule.id for rule in HOUSE_RULES for _ in range(breaks[rule.needs_surroundings])]
    rng.shuffle(cards)
    hands: list[list[str]] = [cards[seat :: count - clean] for seat in range(count - clean)]
    hands += [[] for _ in range(clean)]
    rng.shuffle(hands)
    deck = _clean_deck(rng)
    return [
        PullPlan(era=era, breaks=tuple(hand), keeps=tuple(next(deck) for _ in range(6 if hand else 7)))
        for hand in hands
    ]


def _clean_deck(rng: Random) -> Iterator[str | None]:
    """Endless clean functions, dealt in rounds; code that depends on its surroundings comes up four times as often."""
    while True:
        cards = [rule.id for rule in HOUSE_RULES for _ in range(4 if rule.needs_surroundings else 1)]
        deck: list[str | None] = [*cards, *([None] * 9)]
        rng.shuffle(deck)
        yield from deck


def _with_events(rng: Random, plans: list[PullPlan], known: int, size: Size) -> list[PullPlan]:
    """Small talk anywhere; force-pushes and odd labels only where there is something to learn, and not at the end."""
    cards = [kind for kind, times in size.small_talk.items() for _ in range(times)]
    rng.shuffle(cards)
    talk = {seat: cards[start :: len(plans)] for start, seat in enumerate(rng.sample(range(len(plans)), len(plans)))}
    busy = [index for index in range(known) if plans[index].breaks]
    forced = rng.sample(busy, size.force_pushed)
    unlabelled: list[Labelling] = ["none"] * size.unlabelled
    odd: list[Labelling] = ["reject", "approve_by_triager", "approve_by_reviewer", *unlabelled]
    labels: dict[int, Labelling] = dict(zip(rng.sample(busy, len(odd)), odd, strict=True))
    return [
        plan.model_copy(
            update={
                "small_talk": tuple(talk[index]),
                "force_pushed": index in forced,
                "labelling": labels.get(index, "approve"),
            }
        )
        for index, plan in enumerate(plans)
    ]


def labeller(labelling: Labelling, maintainer: str, reviewer: str) -> str:
    return {"approve_by_reviewer": reviewer, "approve_by_triager": TRIAGER}.get(labelling, maintainer)
