"""What the base model answered, and which of it counts. Pure."""

from collections.abc import Sequence

from pydantic import ValidationError

from app.domain.base import Record
from app.domain.diff import Hunk
from app.domain.lines import LineSite, render_sites
from app.domain.prompt import COMMENT_CHARACTERS
from app.review.agreement import select_agreed
from app.review.base_prompt import BLANK_MARK, COMMENTS_ASKED, Question, is_folded, select_numbers
from app.review.selection import Answered, Candidate
from app.review.suggesting import find_fault, is_range


class Remark(Record):
    """One comment as the model gave it; `replacement` stands for lines `start_line` to `line`."""

    line: int
    comment: str
    start_line: int | None = None
    replacement: str | None = None


class _Answer(Record):
    comments: tuple[Remark, ...]


class Placed(Record):
    """A remark on its lines; `unapplied` when its change does not fit them and was left out."""

    answered: Answered
    unapplied: bool


def parse_base_answer(text: str, question: Question) -> tuple[Remark, ...] | None:
    """The comments with words, None when the answer is of no use: of another shape, or on a line that has no number."""
    try:
        answer = _Answer.model_validate_json(text)
    except ValidationError:
        return None
    numbers = set(select_numbers(question.hunks))
    said = tuple(one.model_copy(update={"comment": one.comment.strip()}) for one in answer.comments)
    if len(said) > COMMENTS_ASKED or not all(
        one.line in numbers and len(one.comment) <= COMMENT_CHARACTERS for one in said
    ):
        return None
    return tuple(one for one in said if one.comment)


def merge_samples(samples: Sequence[tuple[Remark, ...] | None]) -> tuple[tuple[Remark, ...], int]:
    """What most samples say of a line, and how many lines had something said that most did not say."""
    if len(samples) == 1:
        return samples[0] or (), 0
    kept: list[Remark] = []
    lines = sorted({one.line for sample in samples for one in sample or ()})
    for line in lines:
        here = [next((one for one in sample or () if one.line == line), None) for sample in samples]
        agreed = select_agreed([one.comment if one else None for one in here], len(samples))
        spoken = here[agreed.chosen] if agreed else None
        kept += [spoken] if spoken else []
    return tuple(kept), len(lines) - len(kept)


def place_remark(question: Question, remark: Remark) -> Placed:
    """On its line, or on its range where all of it stands in one hunk; with its change where that applies cleanly."""
    hunk = next(hunk for hunk in question.hunks if remark.line in select_numbers([hunk]))
    first = remark.line if remark.start_line is None else remark.start_line
    fits = first == remark.line or is_range(hunk, first, remark.line)
    first = first if fits else remark.line
    change = (remark.replacement or "").removesuffix("\n")
    is_true = fits and BLANK_MARK not in change and not is_folded(hunk, first, remark.line)
    applies = bool(change) and is_true and find_fault(hunk, first, remark.line, change) is None
    answered = Answered(
        candidate=Candidate(hunk=hunk, site=_site(question.path, hunk, remark.line), score=0.0),
        comment=remark.comment,
        acceptance=0.0,
        start_line=first if first != remark.line else None,
        replacement=change if applies else None,
    )
    return Placed(answered=answered, unapplied=bool(change) and not applies)


def _site(path: str, hunk: Hunk, line: int) -> LineSite:
    return next(site for site in render_sites(path, hunk) if site.line == line)
