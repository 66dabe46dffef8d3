"""What became of one comment: the rules of `evidence` over what the history answers."""

from app.domain.base import Record
from app.domain.diff import Side
from app.domain.examples import Evidence, Fix
from app.harvest.evidence import NEAR, decide_evidence, decide_left_evidence
from app.harvest.fixes import Place, find_fix
from app.harvest.history import History
from app.harvest.positions import follow, nearest


class Outcome(Record):
    evidence: Evidence
    fix: Fix | None = None


UNKNOWN = Outcome(evidence=Evidence.UNKNOWN)
_ACTED = (Evidence.LINE, Evidence.NEAR, Evidence.SUGGESTION_APPLIED)


def read_outcome(history: History, place: Place, side: Side, *, base_sha: str, head_sha: str, body: str) -> Outcome:
    """The evidence for a comment at `place` and the fix, both from its commit to the pull request's head."""
    if not (history.has(place.sha) and history.has(head_sha)):
        return UNKNOWN
    if side == "LEFT":
        return _read_left(history, place, base_sha=base_sha, head_sha=head_sha, body=body)
    fate = history.fate(place.path, place.sha, head_sha)
    return _with_fix(history, place, head_sha, decide_evidence(fate, first=place.first, last=place.last, body=body))


def _with_fix(history: History, place: Place, head_sha: str, evidence: Evidence) -> Outcome:
    if evidence not in _ACTED:
        return Outcome(evidence=evidence)
    fate = history.fate(place.path, place.sha, head_sha)
    distance = nearest(fate.changes, place.first, place.last) if fate else None
    fix = find_fix(history, place, head_sha, 0 if distance == 0 else NEAR)
    return Outcome(evidence=evidence, fix=fix)


def _read_left(history: History, place: Place, *, base_sha: str, head_sha: str, body: str) -> Outcome:
    """The lines of `place` are those of the merge base: the left side of the pull request's diff."""
    base = history.merge_base(base_sha, place.sha)
    old = None if base is None else history.old_name(place.path, base, place.sha)
    shown = None if base is None or old is None else history.fate(old, base, place.sha)
    if base is None or old is None or shown is None:
        return UNKNOWN
    first, last = (follow(shown.changes, line) for line in (place.first, place.last))
    here = place.model_copy(update={"first": first, "last": last})
    fate = history.fate(place.path, place.sha, head_sha)
    if nearest(shown.changes, place.first, place.last) != 0:  # a line that stays, only shown on the left
        return _with_fix(history, here, head_sha, decide_evidence(fate, first=first, last=last, body=body))
    removed = _is_removed(
        history, old, place, base=base, head_base=history.merge_base(base_sha, head_sha), head=head_sha
    )
    evidence = decide_left_evidence(fate, removed_at_head=removed, new_first=first, new_last=last + 1)
    return _with_fix(history, here, head_sha, evidence)


def _is_removed(
    history: History, old: str, place: Place, *, base: str, head_base: str | None, head: str
) -> bool | None:
    """Whether the pull request at its head still removes the lines; None when that cannot be told."""
    moved = None if head_base is None else history.fate(old, base, head_base)
    name = None if head_base is None else history.follow_name(old, base, head_base)
    if head_base is None or moved is None or name is None:
        return None
    final = history.fate(name, head_base, head)
    if final is None:
        return None
    first, last = (follow(moved.changes, line) for line in (place.first, place.last))
    return nearest(final.changes, first, last) == 0
