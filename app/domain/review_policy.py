"""What owners say about reviews: the section `review` of `.github/understudy.yml`. Pure."""

import functools
import hashlib
from enum import StrEnum
from typing import Annotated, Literal

import pathspec
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StringConstraints

from app.domain.base import Record
from app.domain.findings import Severity
from app.domain.globs import parse_patterns

#: Stars of one pattern: nobody needs more, and time grows with them (app/domain/globs.py).
STARS = 8
_HOLDBACK = "holdback/1"


class ReviewMode(StrEnum):
    """`POST`: comments are posted · `SHADOW`: they are kept and counted, never posted · `OFF`: nothing is read."""

    POST = "post"
    SHADOW = "shadow"
    OFF = "off"


class WithoutAdapter(StrEnum):
    """Until an adapter passed the gate: `SILENT` says nothing, `BASE` asks the base model and says so."""

    SILENT = "silent"
    BASE = "base"


def unquoted_off(value: object) -> object:
    """YAML 1.1 makes False of a bare `off`."""
    return "off" if value is False else value


def _pattern(text: str) -> str:
    """Raises:
    ValueError: when git could not read it either.
    """
    if text.count("*") > STARS:
        raise ValueError("too many stars")
    parse_patterns((text,))
    return text


@functools.lru_cache(maxsize=64)
def _spec(patterns: tuple[str, ...]) -> pathspec.GitIgnoreSpec:
    return parse_patterns(patterns)


Pattern = Annotated[str, StringConstraints(min_length=1, max_length=300), AfterValidator(_pattern)]
Patterns = Annotated[tuple[Pattern, ...], Field(strict=False, max_length=200)]


class ReviewPolicy(Record):
    """How reviews are made and whether they are posted. The descriptions go into the published schema."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    mode: Annotated[ReviewMode, Field(strict=False), BeforeValidator(unquoted_off)] = Field(
        ReviewMode.POST, description="post comments; shadow: keep and count them, post none; off: no review at all"
    )
    paths: Patterns = Field((), description="only files that fit one of these patterns, as .gitignore writes them")
    ignore: Patterns = Field((), description="no file that fits these patterns, as .gitignore writes them")
    max_comments: Annotated[int, Field(ge=1, le=20)] = Field(3, description="comments in one review at most")
    max_tokens: Annotated[int, Field(ge=1_000, le=1_000_000)] = Field(
        100_000, description="tokens of questions and answers that one review may cost, as an estimate"
    )
    max_seconds: Annotated[int, Field(ge=10, le=3_600)] = Field(
        900, description="seconds that one review waits for answers; what is not answered then counts as not reviewed"
    )
    agreement: Annotated[int, Field(ge=1, le=5)] = Field(
        1, description="samples of each answer; a comment is kept when more than half say the same. 1: one answer alone"
    )
    min_severity: Severity = Field("nit", description="the least that a comment must be about to be posted")
    instructions: Annotated[str, StringConstraints(max_length=2_000)] = Field(
        "", description="what the base model is told while there is no adapter; an adapter learned from you instead"
    )
    tone: Annotated[str, StringConstraints(max_length=200)] = Field(
        "", description="how the base model is to speak while there is no adapter"
    )
    read_agents_file: bool = Field(
        default=False,
        description="tell the base model what AGENTS.md, CLAUDE.md or .github/copilot-instructions.md says, too",
    )
    drafts: bool = Field(default=False, description="review drafts, too")
    without_adapter: Annotated[WithoutAdapter, Field(strict=False)] = Field(
        WithoutAdapter.SILENT, description="until an adapter passed the gate: silent, or the base model with a notice"
    )
    holdback: Annotated[float, Field(ge=0, le=0.5)] = Field(
        0.0, description="random share of pull requests that get no comments, to measure what reviews change"
    )

    def decide_left_out(self, path: str) -> Literal["outside_paths", "ignored"] | None:
        """Why the owners want a file left out, None when they want it read."""
        if self.paths and not _spec(self.paths).match_file(path):
            return "outside_paths"
        return "ignored" if self.ignore and _spec(self.ignore).match_file(path) else None


#: What is in force where owners say nothing.
DEFAULT_REVIEW = ReviewPolicy()


def is_held_back(share: float, repository_id: int, number: int) -> bool:
    """Whether a pull request is one of the random share, in 0..1, that stays without comments as a control group.

    The same answer for ever: a hash, uniform over [0, 1), of the repository's id and the number. A larger share holds
    back all that a smaller one does.
    """
    digest = hashlib.blake2b(f"{_HOLDBACK}:{repository_id}:{number}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) < share * 2**64
