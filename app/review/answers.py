"""Every word that answers a command about reviews. What others wrote is shown as code or without any markup. Pure."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from app.domain.base import Record
from app.domain.commands import PREFIX
from app.domain.findings import Finding
from app.domain.policies import POLICY_PATH
from app.domain.safe_markdown import render_safe_code, render_safe_markdown
from app.domain.serving import BASE_NAME
from app.github.policy_file import PolicyFile
from app.review.nearest import NearReview

_LOGIN, _VALUE, _PATH, _REASON = 60, 80, 160, 300
ASK_ON_A_THREAD = (
    f"`{PREFIX} why`, `keep`, `drop` and `dismiss` are about one thread: reply on it. `{PREFIX} help` lists the others."
)
NOT_OURS = "Only a comment of mine that came with a review can be dismissed; this thread begins with another."
CLOSED = "This pull request is closed: there is nothing to review."
SWITCHED_OFF = f"Reviews are switched off in `{POLICY_PATH}` of the default branch, so nothing was started."


class Acted(Record):
    """Who did it, and as what."""

    login: str
    role: str
    at: datetime | None = None

    @property
    def told(self) -> str:
        return f"{render_safe_code(self.login, _LOGIN)} ({self.role})"


def render_reviewed(state: str, head_sha: str, *, full: bool) -> str:
    """Why no review was started: the head has one, or is getting one."""
    commit = render_safe_code(head_sha[:12], _PATH)
    if state in ("planned", "drafted"):
        return f"A review of {commit} is being made."
    asked = " It was of the whole patch." if full else ""
    return f"{commit} has its review already, and a commit gets one: push, and the next one is reviewed.{asked}"


def render_paused_answer(by: Acted, *, is_new: bool) -> str:
    said = "are" if is_new else "were already"
    return f"Reviews of this pull request {said} paused by {by.told}; `{PREFIX} resume` goes on."


def render_resumed_answer(by: Acted, *, was_paused: bool) -> str:
    return f"Resumed by {by.told}." if was_paused else "Reviews of this pull request were not paused."


def render_dismissed(by: Acted, reason: str, *, is_new: bool) -> str:
    if not is_new:
        return "This comment was dismissed already."
    why = f" Reason: {render_safe_markdown(reason[:_REASON])}." if reason else ""
    return (
        f"Dismissed by {by.told}.{why} It will not be said again on this pull request, nor the same words about the "
        "same line anywhere in this repository."
    )


def render_origin(
    finding: Finding, snapshot: str | None, near: Sequence[tuple[NearReview, str]], *, dismissed: bool = False
) -> str:
    """`why` on a comment of ours. `near`: past reviews, each with its address."""
    if finding.adapter == BASE_NAME:
        return "The base model wrote this alone: no adapter had passed the gate, so nothing of it was learned from you."
    lines = [
        f"**Adapter** {render_safe_code(finding.adapter, _VALUE)}, trained on the snapshot "
        f"{render_safe_code(snapshot, _VALUE) if snapshot else 'that is no longer kept'}.",
        f"**Where:** its Locator gave this line {_chance(finding.locator_score)} that your reviewers comment on it.",
        f"**Whether:** its AcceptanceFilter gave these words {_chance(finding.acceptance_score)} that you act on them.",
        "",
        *_near(near),
    ]
    return "\n".join([*lines, *(["", "It is dismissed."] if dismissed else [])])


def _near(near: Sequence[tuple[NearReview, str]]) -> list[str]:
    if not near:
        return ["**Learned from:** no near example. No approved review of this repository is like it."]
    rows = [
        f"- [#{one.pull_request}]({address}) {render_safe_code(one.path, _PATH)}, similarity {one.similarity:.2f}"
        for one, address in near
    ]
    return ["**Nearest approved reviews here,** by the names in code and words:", *rows]


def _chance(score: float) -> str:
    """In words, with the figure."""
    words = ((0.9, "a very high"), (0.7, "a high"), (0.5, "a fair"), (0.3, "some"))
    said = next((word for least, word in words if score >= least), "a low")
    return f"{said} chance ({score:.2f})"


def render_config(found: PolicyFile, *, adapter: str | None, paused: Acted | None) -> str:
    """Each value that is in force, and where it comes from."""
    values = found.policy.model_dump(mode="json")
    section = values.pop("review")
    rows = [
        f"| `{key}` | {_shown(value)} | {_source(found, key)} |"
        for key, value in [*values.items(), *((f"review.{name}", value) for name, value in section.items())]
    ]
    problem = (
        [f"`{POLICY_PATH}` can't be used: {render_safe_markdown(found.problem[:500])}", ""] if found.problem else []
    )
    return "\n".join(
        [
            *problem,
            f"Adapter: {render_safe_code(adapter, _VALUE) if adapter else 'none has passed the gate'}.",
            f"Paused here by {paused.told}." if paused else "Not paused here.",
            "",
            "| key | value | from |",
            "|---|---|---|",
            *rows,
        ]
    )


def _shown(value: Any) -> str:  # noqa: ANN401  JSON
    return render_safe_code(json.dumps(value, ensure_ascii=False).replace("|", "¦"), _VALUE)


def _source(found: PolicyFile, key: str) -> str:
    line = found.lines.get(key)
    return "default" if line is None else f"`{POLICY_PATH}`, line {line}"
