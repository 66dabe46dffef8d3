"""What is found before an hour is spent: `preflight.json` of a run folder, written by training."""

from datetime import datetime
from typing import Literal

from app.domain.advice import Advice, MethodAdvice
from app.domain.base import Record
from app.domain.estimates import Estimate

Severity = Literal["refuse", "warn", "note"]


class Finding(Record):
    """One check that has something to say. `mode` is the number of the failure mode in docs/failure-modes.md."""

    check: str
    severity: Severity
    text: str
    mode: int | None = None


class TokenHistogram(Record):
    """Lengths in tokens of prompt + completion. `edges[i]` is the upper end, inclusive, of the bar `counts[i]`."""

    rows: int
    edges: tuple[int, ...]
    counts: tuple[int, ...]
    median: int
    p99: int
    longest: int
    #: share of the rows over max_length, 0..1
    over_length: float
    #: tokens of an answer with its end token
    answer_p99: int
    answer_longest: int
    #: share of a row's tokens that are trained: over all rows, and the least and most of one row
    trained: float
    trained_least: float
    trained_most: float


class PreflightReport(Record):
    schema_version: Literal["preflight/1"] = "preflight/1"
    snapshot: str
    base: str
    advice: Advice
    method: MethodAdvice
    histogram: TokenHistogram
    #: None where no row could be estimated for
    estimate: Estimate | None
    #: tokens an answer may have: p99 of the trained ones times 1.5
    answer_tokens: int
    findings: tuple[Finding, ...]
    created_at: datetime

    @property
    def refusals(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "refuse")
