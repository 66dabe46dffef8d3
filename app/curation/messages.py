"""Every word that curation says to people, in one place. What others wrote is shown as code or without any markup."""

from collections import Counter
from collections.abc import Sequence

from app.curation.accounts import CandidateAccount, PullAccount
from app.curation.decision import APPROVE_LABEL, POLICY_ACTOR, PRIVATE_LABEL, REJECT_LABEL
from app.domain.commands import PREFIX
from app.domain.examples import Evidence
from app.domain.policies import POLICY_PATH
from app.domain.safe_markdown import render_safe_code, render_safe_markdown

SUMMARY_MARKER = "<!-- understudy:summary -->"
#: Candidates named one by one; GitHub cuts a comment at 65,536 characters.
NAMED = 40
_REFUSALS = 5
_PATH, _LOGIN, _REASON = 160, 60, 200
_EVIDENCE = {
    Evidence.SUGGESTION_APPLIED: "its suggestion was applied",
    Evidence.LINE: "the commented line changed afterwards",
    Evidence.NEAR: "a line close by changed afterwards",
    Evidence.FILE: "only other lines of the file changed afterwards",
    Evidence.UNCHANGED: "the file did not change afterwards",
    Evidence.UNKNOWN: "git cannot tell what became of the line",
}
HELP = f"""\
The command stands on the first line of a comment; only people with write access are heard.

On any thread: `{PREFIX} keep` lets it be learned from, `{PREFIX} drop <reason>` keeps it out, `{PREFIX} why` says \
what became of it or, on one of mine, where it comes from.
On a thread of mine: `{PREFIX} dismiss <reason>` takes the comment back for good.
Anywhere: `{PREFIX} review` and `{PREFIX} full review` ask for a review of the newest commit, `{PREFIX} pause` and \
`{PREFIX} resume` stop and start reviews of this pull request, `{PREFIX} config` shows what is in force and why, \
`{PREFIX} help` shows this."""


def render_answer_marker(comment_id: int, key: str = "") -> str:
    """Hidden in our answer to one command, so that it is found again after a crash or a lost reply. The `key` tells
    what the comment said when it was answered."""
    return f"<!-- understudy:answer:{comment_id}{key and ':'}{key} -->"


def render_help(comment_id: int) -> str:
    return f"{HELP}\n\n{render_answer_marker(comment_id)}"


def render_why(comment_id: int, account: CandidateAccount | None, *, is_private: bool) -> str:
    """The answer to `why` on one thread: what became of it, the evidence, who decided."""
    if is_private:
        said = f"Nothing of this pull request is kept: it is labelled `{PRIVATE_LABEL}`."
    elif account is None:
        said = "Not looked at yet: threads are harvested when their pull request is merged."
    else:
        outcome, why = _outcome(account)
        said = f"**{outcome.capitalize()}**: {why}."
    return f"{said}\n\n{render_answer_marker(comment_id)}"


def render_summary(pull: PullAccount) -> str:
    """The one comment on a merged pull request: each candidate, what became of it and why."""
    if pull.is_private:
        lines = [f"Nothing of this pull request is kept: it is labelled `{PRIVATE_LABEL}`."]
    else:
        lines = [*_listed(pull.candidates), *_silent(pull.silent)]
    return "\n".join(
        [
            SUMMARY_MARKER,
            "**Understudy: what the review comments here may teach**",
            "",
            *lines,
            *_problem(pull.policy_problem),
            *_refused(pull.refusals),
            "",
            f"<sub>To decide about all: label `{APPROVE_LABEL}`, `{REJECT_LABEL}` or `{PRIVATE_LABEL}`. About one: "
            f"reply `{PREFIX} keep`, `{PREFIX} drop <reason>` or `{PREFIX} why` on its thread. "
            "Only people with write access count.</sub>",
        ]
    )


def _listed(candidates: Sequence[CandidateAccount]) -> list[str]:
    if not candidates:
        return ["Nothing here is a candidate any more."]
    lines = [_line(one) for one in candidates[:NAMED]]
    rest = Counter(_outcome(one)[0] for one in candidates[NAMED:])
    if rest:
        told = ", ".join(f"{count} {outcome}" for outcome, count in rest.most_common())
        lines.append(f"- and {rest.total()} more: {told}")
    return lines


def _line(one: CandidateAccount) -> str:
    place = render_safe_code(f"{one.path}:{one.line}" if one.line else one.path, _PATH)
    by = f" by {render_safe_code(one.reviewer, _LOGIN)}" if one.reviewer else ""
    outcome, why = _outcome(one)
    return f"- [{place}](#discussion_r{one.comment_id}){by} · **{outcome}**: {why}"


def _outcome(one: CandidateAccount) -> tuple[str, str]:
    """One word, and why."""
    evidence = _EVIDENCE[one.evidence]
    if one.rejection is not None:
        return "no candidate", render_safe_markdown(one.rejection)
    if one.verdict == "approve":
        return "kept", f"{_by(one)}; {evidence}"
    if one.verdict == "reject":
        reason = render_safe_markdown(one.reason[:_REASON])
        return "dropped", f"{_by(one)}{f', who said: {reason}' if reason else ''}; {evidence}"
    if one.verdict == "void":
        return "waiting", f"a former decision no longer holds ({render_safe_markdown(one.reason)}); {evidence}"
    return "waiting", f"nobody with write access has decided; {evidence}"


def _by(one: CandidateAccount) -> str:
    if one.actor == POLICY_ACTOR:
        who = render_safe_code(one.basis or "unknown", _LOGIN)
        return f"by the policy `evidence`, as {who} has the permission {one.role}"
    how = f"label `{one.source.split('@')[0].removeprefix('label:')}`" if one.source.startswith("label:") else "a reply"
    return f"{how} by {render_safe_code(one.actor, _LOGIN)} ({one.role})"


def _silent(silent: dict[str, int]) -> list[str]:
    total = sum(silent.values())
    if not total:
        return []
    told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(silent.items()))
    return [f"- and {total} hunk{'' if total == 1 else 's'} that reviewers left alone: {told}"]


def _problem(problem: str | None) -> list[str]:
    if problem is None:
        return []
    told = render_safe_markdown(problem[:500])
    return ["", f"`{POLICY_PATH}` could not be used, so the policy `manual` is in force: {told}"]


def _refused(details: Sequence[str]) -> list[str]:
    return (
        ["", "Did not count:", *(f"- {render_safe_markdown(one[:300])}" for one in details[:_REFUSALS])]
        if details
        else []
    )
