"""Machines that have a person's account, told by how they comment: faster than anyone types, or always the same. Pure.

Names tell only some of them. In one public project 30 % of the review comments came from an account whose name says
nothing, so both rules look at what was written and when, and both need much of it: a person who repeats a house
rule, or pastes three comments in a row, stays a person.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from app.domain.base import Record

#: Characters a second. The fastest typists hold 17 over a minute; drafts pasted one by one stay below too.
TYPED_PER_SECOND = 25.0
#: Comments in a row, each faster than that after the one before, that no person writes, and as many that repeat one
#: text. Of 4,113 successive comments by people in two public projects none came within three seconds.
BURST, REPEATED_BURST = 10, 5
#: Seconds between two comments of a burst at most, whatever their length.
BURST_GAP_SECONDS = 10.0
#: Comments of a login before its repetition is judged, and pull requests they are spread over.
LEAST_COMMENTS, LEAST_PULLS = 40, 20
#: Words of a text before its repetition counts: people repeat short ones all day.
LEAST_WORDS = 8
#: Share of a login's comments that repeat a text from another pull request, from which it is a machine. A person who
#: watches over one house rule comes to four fifths (the strictest reviewer of the demo organisation: 81 %).
MOST_REPEATED = 0.95

_CHANGING = re.compile(r"`[^`\n]*`|\"[^\"\n]*\"|'[^'\n]*'|https?://\S+|[\w./\\-]*\d[\w./\\-]*|\S+[/\\.]\S+")


class Said(Record):
    """One comment. `pull` is repository and number."""

    login: str
    pull: tuple[str, int]
    body: str
    created_at: datetime


def normalise(body: str) -> str:
    """The text without what a machine fills in: code, quotes, addresses, paths and numbers."""
    return " ".join(re.sub(r"[^\w\s*]", " ", _CHANGING.sub("*", body).lower()).split())


def decide_automatic(comments: Collection[Said]) -> dict[str, str]:
    """Login → why its comments are a machine's, in words for a person. The order of the comments does not matter."""
    return _judge_each(comments, _judge_speed) | decide_repeating(comments)


def decide_repeating(comments: Collection[Said]) -> dict[str, str]:
    """The same by repetition alone, for comments whose own times are not known."""
    return _judge_each(comments, _judge_repetition)


def _judge_each(comments: Collection[Said], judge: Callable[[Sequence[Said]], str | None]) -> dict[str, str]:
    by_login: dict[str, list[Said]] = defaultdict(list)
    for said in comments:
        by_login[said.login].append(said)
    judged = ((login, judge(sorted(said, key=_order))) for login, said in sorted(by_login.items()))
    return {login: why for login, why in judged if why is not None}


def _order(said: Said) -> tuple[object, ...]:
    return said.created_at, said.pull, said.body


def _judge_speed(said: Sequence[Said]) -> str | None:
    bursts = list(_bursts(said))
    if any(len(burst) >= BURST for burst in bursts):
        return f"at least {BURST} comments in a row, each faster than anyone types"
    if any(_most_alike(burst) >= REPEATED_BURST for burst in bursts):
        return f"one text {REPEATED_BURST} times in a row, faster than anyone types"
    return None


def _judge_repetition(said: Sequence[Said]) -> str | None:
    share = repeated_share(said)
    if share >= MOST_REPEATED:
        return f"{share:.0%} of {len(said)} comments repeat a text from another pull request"
    return None


def _bursts(said: Sequence[Said]) -> Iterator[list[Said]]:
    """Runs of comments that each came faster than typed after the one before."""
    run = list(said[:1])
    for before, after in pairwise(said):
        gap = (after.created_at - before.created_at).total_seconds()
        if gap > BURST_GAP_SECONDS or len(after.body) <= TYPED_PER_SECOND * gap:
            yield run
            run = []
        run.append(after)
    yield run


def _most_alike(said: Sequence[Said]) -> int:
    texts = Counter(text for text in (normalise(each.body) for each in said) if len(text.split()) >= LEAST_WORDS)
    return max(texts.values(), default=0)


def repeated_share(said: Sequence[Said]) -> float:
    """Share of comments whose text, long enough to tell, stands in another pull request too; 0 for too few."""
    if len(said) < LEAST_COMMENTS or len({each.pull for each in said}) < LEAST_PULLS:
        return 0.0
    texts = [normalise(each.body) for each in said]
    pulls: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for text, each in zip(texts, said, strict=True):
        pulls[text].add(each.pull)
    counts = Counter(texts)
    repeated = sum(count for text, count in counts.items() if len(pulls[text]) > 1 and len(text.split()) >= LEAST_WORDS)
    return repeated / len(said)
