"""What curation says: whole messages, and that nothing of others gets out of it."""

import html
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app.curation.accounts import CandidateAccount, PullAccount
from app.curation.decision import POLICY_ACTOR
from app.curation.messages import NAMED, render_summary, render_why
from app.domain.examples import Evidence


def a_candidate(**more: Any) -> CandidateAccount:
    about = {"comment_id": 7, "path": "a/b.py", "line": 3, "evidence": Evidence.LINE, "reviewer": "mara"}
    return CandidateAccount.model_validate(about | more)


def a_pull(*candidates: CandidateAccount, **more: Any) -> PullAccount:
    about = {"is_private": False, "candidates": candidates, "silent": {}, "policy_problem": None, "refusals": ()}
    return PullAccount.model_validate(about | more)


@pytest.mark.parametrize(
    ("account", "said"),
    [
        (a_candidate(), "**Waiting**: nobody with write access has decided; the commented line changed afterwards."),
        (
            a_candidate(verdict="approve", actor="root", role="admin", source="label:understudy:approve@x"),
            "**Kept**: label `understudy:approve` by `root` (admin); the commented line changed afterwards.",
        ),
        (
            a_candidate(verdict="approve", actor=POLICY_ACTOR, role="write", source=POLICY_ACTOR, basis="mara"),
            "**Kept**: by the policy `evidence`, as `mara` has the permission write; the commented line changed "
            "afterwards.",
        ),
        (
            a_candidate(verdict="void", reason="the content is not what it was"),
            "**Waiting**: a former decision no longer holds (the content is not what it was); the commented line "
            "changed afterwards.",
        ),
        (a_candidate(rejection="the comment is a bare link"), "**No candidate**: the comment is a bare link."),
        (None, "Not looked at yet: threads are harvested when their pull request is merged."),
    ],
)
def test_why(account: CandidateAccount | None, said: str) -> None:
    assert render_why(9, account, is_private=False) == f"{said}\n\n<!-- understudy:answer:9 -->"


def test_the_whole_summary() -> None:
    text = render_summary(
        a_pull(
            a_candidate(verdict="reject", actor="max", role="write", source="comment:8@x", reason="too vague"),
            silent={"waiting": 2, "kept": 1},
            policy_problem="expected only the keys curation, opt_out, summary, got x",
            refusals=("tim set understudy:approve with the permission read; write or admin is needed",),
        )
    )
    assert text.splitlines() == [
        "<!-- understudy:summary -->",
        "**Understudy: what the review comments here may teach**",
        "",
        "- [`a/b.py:3`](#discussion_r7) by `mara` · **dropped**: a reply by `max` (write), who said: too vague; "
        "the commented line changed afterwards",
        "- and 3 hunks that reviewers left alone: 1 kept, 2 waiting",
        "",
        "`.github/understudy.yml` could not be used, so the policy `manual` is in force: expected only the keys "
        "curation, opt_out, summary, got x",
        "",
        "Did not count:",
        "- tim set understudy:approve with the permission read; write or admin is needed",
        "",
        "<sub>To decide about all: label `understudy:approve`, `understudy:reject` or `understudy:private`. About one: "
        "reply `/understudy keep`, `/understudy drop <reason>` or `/understudy why` on its thread. Only people with "
        "write access count.</sub>",
    ]


EVIL = st.lists(
    st.one_of(
        st.sampled_from(
            ["![x](https://e.vil/a.png)", "](https://e.vil)", "<img src=x>", "<!-- ", "-->", "@org/team", "#12", "`",
             "``", "```suggestion\n", "\n", "https://e.vil", "[a](b)", "\u202e", "</sub>", "\\", "|", "### "]
        ),
        st.text(max_size=8),
    ),
    max_size=8,
).map("".join)  # fmt: skip


@settings(max_examples=200)
@given(EVIL, EVIL, EVIL, EVIL)
def test_nothing_of_others_loads_links_or_notifies(path: str, login: str, reason: str, problem: str) -> None:
    said = a_candidate(
        path=path, reviewer=login, verdict="reject", actor=login, role="write", source="c", reason=reason
    )
    text = render_summary(a_pull(said, a_candidate(rejection=reason), policy_problem=problem, refusals=(reason,)))
    tokens = [
        token
        for block in MarkdownIt("commonmark").enable("table").parse(text)
        for token in [block, *(block.children or [])]
    ]
    links = [token.attrs["href"] for token in tokens if token.type == "link_open"]
    assert links == ["#discussion_r7", "#discussion_r7"]
    markup = {token.content.strip() for token in tokens if token.type in ("html_inline", "html_block")}
    assert markup <= {"<!-- understudy:summary -->", "<sub>", "</sub>"}
    assert not [token for token in tokens if token.type == "image"]
    assert not re.search(r"[@#]\w", html.unescape(re.sub(r"`[^`\n]+`|\(#discussion_r7\)", " ", text)))


def test_a_long_list_is_cut_and_stays_within_what_github_takes() -> None:
    many = [
        a_candidate(
            comment_id=number, path="p" * 500, reviewer="r" * 99, verdict="reject", actor="a" * 99, reason="[" * 999
        )
        for number in range(3 * NAMED)
    ]
    text = render_summary(a_pull(*many, refusals=("x" * 999,) * 99, policy_problem="<" * 9_999))
    assert f"- and {2 * NAMED} more: {2 * NAMED} dropped" in text
    assert len(text) < 65_536


def test_a_private_pull_request_is_named_by_nothing() -> None:
    text = render_summary(a_pull(a_candidate(), is_private=True))
    assert "a/b.py" not in text
    assert "mara" not in text
