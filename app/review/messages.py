"""Every word a review says to people, in one place. Tests compare whole messages."""

from collections import Counter
from typing import Any, Literal

from app.domain.base import Record
from app.domain.commands import PREFIX
from app.domain.errors import Refused, RetryLater, UnderstudyError, UserError
from app.domain.findings import Finding
from app.domain.paths import render_path
from app.domain.policies import POLICY_PATH
from app.domain.safe_markdown import render_safe_code, render_safe_markdown, render_suggestion
from app.domain.serving import BASE_NAME
from app.review.coverage import GITHUB_FILES_LIMIT, LINES_PER_REVIEW, LONGEST_PATH, Coverage
from app.review.selection import SPARE_QUESTIONS

CHECK_NAME = "Understudy review"
Conclusion = Literal["success", "neutral", "failure"]

_NAMED_FILES = 100
_NAME_WIDTH = 200
_LOGIN_WIDTH = 60
#: GitHub refuses a check run whose summary is longer than 65,535 characters.
_SUMMARY_CHARACTERS = 60_000
_REASONS = {
    "outside_paths": "not among `review.paths` of the policy file",
    "ignored": "left out by `review.ignore` of the policy file",
    "lock_file": "lock file",
    "vendored": "vendored code",
    "minified": "minified",
    "generated": "generated code",
    "says_generated": "says that a program wrote it, and no `linguist-generated` of the default branch does",
    "looks_minified": "looks minified, and no `linguist-generated` of the default branch says so",
    "long_path": f"its name is longer than {LONGEST_PATH:,} characters",
    "binary": "not text",
    "nothing_added": "no added lines",
    "too_large": "GitHub gave no diff: too large",
    "unreadable": "its diff could not be read",
    "over_limit": f"past the {LINES_PER_REVIEW:,} added lines that one review reads",
}
FailureKind = Literal["refused", "misconfigured", "later", "other"]
_FAILURES: dict[FailureKind, str] = {
    "refused": "Something that a review needs was refused; whoever runs Understudy finds in its log what and why.",
    "misconfigured": "Understudy is not set up to finish it; whoever runs it finds in its log what to change.",
    "later": "GitHub or the model server was away for too long; it is tried again every hour for a day.",
    "other": "Whoever runs Understudy finds in its log why.",
}

#: Said wherever the base speaks in an adapter's stead.
BASE_NOTICE = (
    "**Not this team's habits yet:** no model that learned from this team's reviews has been proven so far, so one "
    f"that did not wrote this alone, as `review.without_adapter` of `{POLICY_PATH}` asks."
)
#: Said once in every review, small: what a reader may do with it. Who may command is checked anew each time.
_WAYS_ON = (
    "<sub>Answer, react, resolve, or leave it. With write access, reply "
    f"`{PREFIX} dismiss <reason>`, `{PREFIX} why` or `{PREFIX} help`. "
    f"What was read is in the check run *{CHECK_NAME}*.</sub>"
)


class CheckText(Record):
    conclusion: Conclusion
    title: str
    summary: str


def render_name(path: str) -> str:
    """A file's name as one short piece of code. git lets names hold anything, and strangers choose them."""
    shown = render_path(path).replace("`", "'").replace("|", "¦")
    return f"`{shown[:_NAME_WIDTH]}{'…' if len(shown) > _NAME_WIDTH else ''}`"


def render_marker(head_sha: str) -> str:
    """Hidden in every review of ours, so that it is found again after a crash or a lost answer."""
    return f"<!-- understudy:review:{head_sha} -->"


def render_review_body(findings: tuple[Finding, ...], head_sha: str, in_words: tuple[Finding, ...] = ()) -> str:
    """`in_words`: those of the findings whose lines GitHub refused; they are said here, with their place."""
    is_base = any(finding.adapter == BASE_NAME for finding in findings)
    whose = "a model" if is_base else "a model that learned from this team's reviews"
    said = f"{_count(len(findings), 'comment')}, by {whose}; it may be wrong, and nobody has to follow it."
    notice = [BASE_NOTICE] if is_base else []
    told = [
        f"- {render_name(one.path)}, {one.place}: {' '.join(render_safe_markdown(one.body).split())}"
        for one in in_words
    ]
    placed = ["GitHub would not take these on their lines:\n" + "\n".join(told)] if told else []
    return "\n\n".join([said, *notice, *placed, _WAYS_ON, render_marker(head_sha)])


def render_comment(finding: Finding) -> str:
    change = [] if finding.replacement is None else [render_suggestion(finding.replacement)]
    return "\n\n".join([render_safe_markdown(finding.body), *change, f"<sub>Understudy · {finding.adapter}</sub>"])


def render_place(finding: Finding) -> dict[str, Any]:
    """Where GitHub is to put it: on the new side, a range by its first line as well."""
    place: dict[str, Any] = {"path": finding.path, "line": finding.line, "side": "RIGHT"}
    return place if finding.start_line is None else place | {"start_line": finding.start_line, "start_side": "RIGHT"}


def render_check(coverage: Coverage, findings: tuple[Finding, ...], adapter: str) -> CheckText:
    """Green only when everything readable was read; what was left out is named with its reason."""
    read = len(coverage.files) - len(coverage.skipped)
    by = BASE_NOTICE if adapter == BASE_NAME else f"Read by `{adapter}`, a model that learned from this team's reviews."
    said = _count(len(findings), "comment") if findings else "nothing to say"
    title = f"Read {read} of {_count(len(coverage.files), 'file')}: {said}"
    lines = [
        f"Looked at {_count(coverage.lines_read, 'added line', bold=True)} in {_count(read, 'file', bold=True)}.",
        *_carried(coverage),
        _asked(coverage, adapter),
        *_held_back(coverage),
        *_followed(coverage),
        *_cut(coverage),
        *_skipped(coverage),
        f"\n{by}",
    ]
    return CheckText(
        conclusion="success" if coverage.complete else "neutral",
        title=title if coverage.complete else f"Partial: {title[0].lower()}{title[1:]}",
        summary="\n".join(lines)[:_SUMMARY_CHARACTERS],
    )


def render_shadow(
    coverage: Coverage, findings: tuple[Finding, ...], adapter: str, kept_address: str | None = None
) -> CheckText:
    """What would have been posted, in numbers only, and where those who may sign in read it."""
    shown = render_check(coverage, findings, adapter)
    page = "the dashboard, under *Comments*" if kept_address is None else f"[the dashboard]({kept_address})"
    where = f" Maintainers read what was kept on {page}." if findings else ""
    return CheckText(
        conclusion="neutral",
        title=f"Shadow mode: {_count(len(findings), 'comment')} kept, none posted",
        summary=f"`review.mode` of `{POLICY_PATH}` is `shadow`: nothing is posted.{where}\n\n{shown.summary}"[
            :_SUMMARY_CHARACTERS
        ],
    )


def render_held_back() -> CheckText:
    """Not how many: a control group that is told what it did not get is none."""
    return CheckText(
        conclusion="neutral",
        title="Not reviewed: in the control group",
        summary=f"`review.holdback` of `{POLICY_PATH}` leaves a random share of pull requests without comments, to "
        "measure what comments change. This is one of them, and stays one.",
    )


def render_paused(actor: str, role: str) -> CheckText:
    who = render_safe_code(actor, _LOGIN_WIDTH)
    return CheckText(
        conclusion="neutral",
        title="Not reviewed: paused",
        summary=f"{who} ({role}) paused reviews of this pull request; `{PREFIX} resume` goes on.",
    )


def render_no_adapter() -> CheckText:
    return CheckText(
        conclusion="neutral",
        title="Not reviewed: nothing learned yet",
        summary="No line was looked at, and a contributor need not do anything.\n\n"
        "For maintainers: no model that learned from this team's reviews has been proven so far. What it learns from "
        "are merged pull requests with the label `understudy:approve`. Until then pushes are passed over in silence, "
        f"or a model that learned nothing here reviews, if `review.without_adapter` of `{POLICY_PATH}` says `base`.",
    )


def decide_failure(error: UnderstudyError) -> FailureKind:
    if isinstance(error, Refused):
        return "refused"
    if isinstance(error, RetryLater):
        return "later"
    return "misconfigured" if isinstance(error, UserError) else "other"


def render_failure(kind: FailureKind, *, maybe_posted: bool) -> CheckText:
    """In our own words only: an error's text names folders and commands of the machine it happened on."""
    standing = "The review was being posted and may stand." if maybe_posted else "No review was posted for this commit."
    return CheckText(
        conclusion="failure",
        title="The review failed while it was posted" if maybe_posted else "Not reviewed: the review failed",
        summary=f"{standing} {_FAILURES[kind]}",
    )


def _count(number: int, noun: str, *, bold: bool = False) -> str:
    return f"{f'**{number}**' if bold else number} {noun}{'' if number == 1 else 's'}"


def _asked(coverage: Coverage, adapter: str) -> str:
    if adapter == BASE_NAME:
        return f"Pieces of the diff that the model was asked about: **{coverage.candidates}**."
    return f"Lines that this team might comment on: **{coverage.candidates}**."


def _held_back(coverage: Coverage) -> list[str]:
    said = {
        "because this team seldom acts on such a comment": coverage.silenced,
        "because a review has at most `review.max_comments`": coverage.capped,
        "because it was said on this pull request already": coverage.repeated,
        "because people had dismissed it": coverage.dismissed,
        "because it is less than `review.min_severity` asks for": coverage.minor,
        "because the model gave no usable answer": coverage.unanswered,
        "because the model says something else when asked again": coverage.disagreed,
        "because it speaks of code that was not shown": coverage.unseen,
        "because it repeats what looks like a secret": coverage.secret,
    }
    told = {
        "Such lines that the model was not asked about, for one review asks about the likeliest "
        f"`review.max_comments` + {SPARE_QUESTIONS} only": coverage.unasked_lines,
        "Pieces of the diff that it was not shown, or not to their end": coverage.unasked,
        "Questions that the budget of tokens or seconds did not reach": coverage.over_budget,
        "Pieces shown without the function around them, whose file could not be read": coverage.unextended,
        "Suggested changes that did not fit their lines; the comments stand without them": coverage.unapplied,
    }
    return [
        *(f"- {count} held back {why}." for why, count in said.items() if count),
        *(f"- {what}: **{count}**." for what, count in told.items() if count),
    ]


def _carried(coverage: Coverage) -> list[str]:
    count = len(coverage.carried)
    return [f"**{count}** of them had been read at an earlier commit and are the same since."] if count else []


def _followed(coverage: Coverage) -> list[str]:
    addressed, standing = len(coverage.followed.addressed), len(coverage.followed.standing)
    if not addressed + standing:
        return []
    return [
        f"Earlier comments on this pull request: **{addressed}** addressed or overtaken, their lines "
        "read otherwise or are gone; "
        f"**{standing}** stand open."
    ]


def _cut(coverage: Coverage) -> list[str]:
    if not coverage.list_cut:
        return []
    return [
        f"\nGitHub lists no more than {GITHUB_FILES_LIMIT:,} files of a pull request: what lies beyond was not read."
    ]


def _skipped(coverage: Coverage) -> list[str]:
    if not coverage.skipped:
        return []
    counts = Counter(file.reason or "" for file in coverage.skipped)
    total = ", ".join(f"{count} {_REASONS.get(reason, reason)}" for reason, count in counts.most_common())
    rows = [f"- {render_name(file.path)}: {_REASONS.get(file.reason or '', file.reason)}" for file in coverage.skipped]
    more = [f"- and {len(rows) - _NAMED_FILES} more"] if len(rows) > _NAMED_FILES else []
    return [f"\nNot read: {total}.", *rows[:_NAMED_FILES], *more]
