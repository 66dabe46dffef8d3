"""When a learning round is worth its hours, and why: pure functions over counts. The reason is kept with its round."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import PurePosixPath

from croniter import croniter

from app.domain.adapters import BaseCheckpoint
from app.domain.errors import UserError
from app.domain.intervals import wilson_interval

#: Approved comments below which nothing is trained: fewer are few-shot material.
LEAST_COMMENTS = 30
#: New approved comments since the last snapshot that are worth a round.
LEAST_NEW = 20
#: New approved comments below which nothing is said about drift.
LEAST_DRIFTED = 8
#: Drift: with 95 % confidence more than this share of them is about code unlike any that was learned from. Ours: at a
#: half, most of what the team now talks about is new to the adapter; no guide has a figure.
DRIFT_SHARE = 0.5


class Trigger(StrEnum):
    OPERATOR = "operator"
    ERASURE = "erasure"
    FIRST = "first"
    NEW_COMMENTS = "new_comments"
    BASE_UPGRADE = "base_upgrade"
    DRIFT = "drift"
    SCHEDULE = "schedule"


@dataclass(frozen=True)
class Due:
    """Why a round begins. `sentence` is for a person and holds figures only."""

    trigger: Trigger
    sentence: str

    def __str__(self) -> str:
        return f"{self.trigger}: {self.sentence}"


@dataclass(frozen=True)
class Standing:
    """What is known of an installation before a round.

    `known` and `recent` count approved comments by territory, up to the last snapshot and since. `served` is the base
    that is configured now, `learned` are the bases its adapters were trained on; None where no base is readable.
    """

    known: Mapping[str, int] = field(default_factory=dict)
    recent: Mapping[str, int] = field(default_factory=dict)
    learned_before: bool = False
    stale: bool = False
    served: BaseCheckpoint | None = None
    learned: tuple[BaseCheckpoint, ...] = ()


def decide_due(standing: Standing, *, scheduled: bool = False) -> Due | None:
    """The first reason that holds, the weightiest first. `scheduled`: the installation's own schedule says now."""
    new = sum(standing.recent.values())
    approved = new + sum(standing.known.values())
    if approved < LEAST_COMMENTS:
        return None
    drift = measure_drift(standing.known, standing.recent) or 0.0
    unlike = f"of {new} new comments at least {drift:.0%} are about code unlike any that was learned from"
    reasons = (
        (standing.stale, Due(Trigger.ERASURE, "something that was learned from was erased since")),
        (not standing.learned_before, Due(Trigger.FIRST, f"{approved} approved comments, and nothing was learned yet")),
        (
            is_base_new(standing.served, standing.learned),
            Due(Trigger.BASE_UPGRADE, "the configured base is another than any adapter was trained on"),
        ),
        (new >= LEAST_NEW, Due(Trigger.NEW_COMMENTS, f"{new} newly approved comments")),
        (drift > DRIFT_SHARE, Due(Trigger.DRIFT, unlike)),
        (scheduled, Due(Trigger.SCHEDULE, "the installation's schedule")),
    )
    return next((due for holds, due in reasons if holds), None)


def is_base_new(served: BaseCheckpoint | None, learned: Iterable[BaseCheckpoint]) -> bool:
    """Whether adapters exist, and none for the base in use: a rejected one counts, or it would be tried every night."""
    trained = list(learned)
    return served is not None and bool(trained) and served not in trained


def find_territory(path: str) -> str:
    """Which part of the code a file belongs to: its top folder and its suffix, a language in most projects."""
    place = PurePosixPath(path)
    return f"{place.parts[0] if len(place.parts) > 1 else ''}/*{place.suffix.lower()}"


def count_territories(paths: Iterable[str]) -> dict[str, int]:
    return dict(Counter(map(find_territory, paths)))


def measure_drift(known: Mapping[str, int], recent: Mapping[str, int]) -> float | None:
    """The least share, 0..1, of recent comments in territories without a known one: the lower end of its 95 % interval.
    None for fewer than `LEAST_DRIFTED`.

    It sees where the team talks, not what it says: a change of taste in the same code is left to the newly approved
    comments. Whether our own findings are accepted less than before is not kept yet, so nothing rests on it.
    """
    total = sum(recent.values())
    if total < LEAST_DRIFTED:
        return None
    share = wilson_interval(sum(count for territory, count in recent.items() if not known.get(territory)), total)
    return None if share is None else share.low


def parse_schedules(texts: Iterable[str]) -> dict[int, str]:
    """From `7=0 3 * * 0`: installation → cron of five fields, in UTC.

    Raises:
        UserError: naming what is none.
    """
    found: dict[int, str] = {}
    for text in texts:
        number, _, cron = (part.strip() for part in text.partition("="))
        if not number.isdigit() or len(cron.split()) != 5 or not croniter.is_valid(cron):
            raise UserError(
                f"expected in UNDERSTUDY_SCHEDULES a schedule such as `7=0 3 * * 0` (installation=cron), got {text!r}; "
                "put a semicolon between several"
            )
        found[int(number)] = cron
    return found


def is_scheduled(cron: str, since: datetime, until: datetime) -> bool:
    """Whether the schedule names a moment after `since` and not after `until`."""
    following: datetime = croniter(cron, since).get_next(datetime)
    return following <= until
