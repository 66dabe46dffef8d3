"""The review's decisions: what is read, what is asked, what is said, and posting once. Whole messages are compared."""

import re

import pytest

from app.domain.attributes import parse_attributes
from app.domain.commands import Verb, parse_command
from app.domain.diff import parse_patch
from app.domain.errors import Refused, RetryLater, UnderstudyError, UserError
from app.domain.findings import Finding, finding_fingerprint
from app.domain.review_policy import DEFAULT_REVIEW
from app.domain.serving import BASE_NAME
from app.review.coverage import GITHUB_FILES_LIMIT, ChangedFile, Coverage, read_files
from app.review.messages import (
    CHECK_NAME,
    FailureKind,
    decide_failure,
    render_check,
    render_comment,
    render_failure,
    render_marker,
    render_no_adapter,
    render_review_body,
)
from app.review.posting import OwnReview, PostingStep, decide_posting
from app.review.selection import (
    Answered,
    Candidate,
    Selection,
    list_sites,
    select_candidates,
    select_findings,
)

PATCH = "@@ -1,1 +1,10 @@\n context\n" + "\n".join(f"+line {number}" for number in range(2, 11))
DIFF = parse_patch("a.py", PATCH)
SITES = list_sites((DIFF,))
HEAD = "a" * 40


def _answered(score: float, comment: str, index: int, acceptance: float = 1.0) -> Answered:
    hunk, site = SITES[index]
    return Answered(candidate=Candidate(hunk=hunk, site=site, score=score), comment=comment, acceptance=acceptance)


def _select(*answered: Answered, known: frozenset[str] = frozenset(), threshold: float = 0.5) -> Selection:
    return select_findings(
        answered,
        repository="o/r",
        pull_request=1,
        adapter="42--0123456789ab",
        acceptance_threshold=threshold,
        known_fingerprints=known,
    )


def test_only_lines_at_or_over_the_threshold_are_candidates_best_first() -> None:
    scores = [0.1, 0.9, 0.5, 0.2, 0.0, 0.7, 0.0, 0.0, 0.0]
    assert [candidate.site.line for candidate in select_candidates(SITES, scores, 0.5)] == [3, 7, 4]


def test_at_most_three_comments_and_the_rest_is_counted() -> None:
    selection = _select(*(_answered(index / 10, f"comment {index}", index) for index in range(8)))
    assert [finding.body for finding in selection.findings] == [f"comment {index}" for index in (7, 6, 5)]
    assert len(selection.findings) == DEFAULT_REVIEW.max_comments
    assert selection.capped == 5


def test_what_the_team_seldom_acts_on_is_held_back() -> None:
    selection = _select(_answered(0.9, "haiku please", 0, acceptance=0.1), _answered(0.8, "use Cents", 1))
    assert [finding.body for finding in selection.findings] == ["use Cents"]
    assert selection.silenced == 1


def test_nothing_is_said_twice_on_one_pull_request_or_twice_in_one_hunk() -> None:
    known = frozenset({finding_fingerprint("a.py", "line 2", "use Cents")})
    selection = _select(_answered(0.9, "use Cents", 0), _answered(0.8, "no", 1), _answered(0.7, "No", 2), known=known)
    assert [(finding.line, finding.body) for finding in selection.findings] == [(3, "no")]
    assert selection.repeated == 2


FILES = (
    ChangedFile(path="a.py", status="modified", patch=PATCH, changes=9),
    ChangedFile(path="go.sum", status="modified", patch=PATCH, changes=9),
    ChangedFile(path="big.py", status="modified", patch=None, changes=90_000),
    ChangedFile(path="moved.py", status="renamed", patch=None, changes=0),
    ChangedFile(path="odd.py", status="modified", patch="@@ -1,9 +1,9 @@\n x", changes=2),
    ChangedFile(path="less.py", status="modified", patch="@@ -1,2 +1,1 @@\n a\n-b", changes=1),
)


def test_every_file_is_accounted_for_by_name() -> None:
    diffs, coverage = read_files(FILES)
    assert [diff.path for diff in diffs] == ["a.py"]
    assert {file.path: file.reason for file in coverage.files} == {
        "a.py": None,
        "go.sum": "lock_file",
        "big.py": "too_large",
        "moved.py": "nothing_added",
        "odd.py": "unreadable",
        "less.py": "nothing_added",
    }
    assert (coverage.lines_read, coverage.hunks_read, coverage.complete) == (9, 1, False)


def test_a_partial_review_is_never_green_and_names_what_it_left_out() -> None:
    text = render_check(read_files(FILES)[1], (), "42--0123456789ab")
    assert text.conclusion == "neutral"
    assert text.title == "Partial: read 1 of 6 files: nothing to say"
    assert text.summary == (
        "Looked at **9** added lines in **1** file.\n"
        "Lines that this team might comment on: **0**.\n"
        "\nNot read: 2 no added lines, 1 lock file, 1 GitHub gave no diff: too large, 1 its diff could not be read.\n"
        "- `go.sum`: lock file\n"
        "- `big.py`: GitHub gave no diff: too large\n"
        "- `moved.py`: no added lines\n"
        "- `odd.py`: its diff could not be read\n"
        "- `less.py`: no added lines\n"
        "\nRead by `42--0123456789ab`, a model that learned from this team's reviews."
    )


@pytest.mark.parametrize(
    ("path", "patch", "reason", "words"),
    [
        ("a.py", "@@ -0,0 +1,2 @@\n+# Code generated by x. DO NOT EDIT.\n+steal()", "says_generated",
         "says that a program wrote it, and no `linguist-generated` of the default branch does"),
        ("a.js", f"@@ -0,0 +1,1 @@\n+steal(){' ' * 1_000};", "looks_minified",
         "looks minified, and no `linguist-generated` of the default branch says so"),
        ("a/" * 500 + "a.py", "@@ -0,0 +1,1 @@\n+steal()", "long_path", "its name is longer than 1,000 characters"),
    ],
)  # fmt: skip
def test_what_only_the_pull_request_calls_unreadable_is_never_green(
    path: str, patch: str, reason: str, words: str
) -> None:
    _, coverage = read_files((ChangedFile(path=path, status="added", patch=patch, changes=1),))
    assert [file.reason for file in coverage.skipped] == [reason]
    text = render_check(coverage, (), "x")
    assert text.conclusion == "neutral"
    assert f"\nNot read: 1 {words}.\n" in text.summary


def test_what_owners_mark_as_generated_is_left_out_and_green_whatever_it_says() -> None:
    patch = "@@ -0,0 +1,2 @@\n+# Code generated by x. DO NOT EDIT.\n+a = 1"
    files = (ChangedFile(path="a.py", status="added", patch=patch, changes=2),)
    marked, denied = (parse_attributes(f"a.py {word}\n") for word in ("linguist-generated", "-linguist-generated"))
    coverage = read_files(files, attributes=marked)[1]
    assert (coverage.files[0].reason, coverage.complete) == ("generated", True)
    assert read_files(files, attributes=denied)[1].lines_read == 2


def test_a_complete_silent_review_is_green_and_says_what_it_looked_at() -> None:
    text = render_check(read_files(FILES[:1])[1], (), "42--0123456789ab")
    assert (text.conclusion, text.title) == ("success", "Read 1 of 1 file: nothing to say")


def test_an_unanswered_question_makes_the_review_partial() -> None:
    coverage = read_files(FILES[:1])[1].model_copy(update={"unanswered": 1, "candidates": 1})
    assert render_check(coverage, (), "x").conclusion == "neutral"
    assert "1 held back because the model gave no usable answer" in render_check(coverage, (), "x").summary


def test_no_adapter_is_neutral_and_a_failure_is_loud() -> None:
    assert render_no_adapter().conclusion == "neutral"
    assert render_failure("other", maybe_posted=False).conclusion == "failure"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Refused("other_base", "x"), "refused"),
        (RetryLater("x", 1.0), "later"),
        (UserError("expected it in /srv/data"), "misconfigured"),
        (UnderstudyError("git -C /srv/data failed"), "other"),
    ],
)
def test_a_failure_is_told_in_our_words_and_denies_no_review_that_may_stand(
    error: UnderstudyError, kind: FailureKind
) -> None:
    assert decide_failure(error) == kind
    assert render_failure(kind, maybe_posted=False).summary.startswith("No review was posted for this commit. ")
    after = render_failure(kind, maybe_posted=True)
    assert "No review was posted" not in after.summary
    assert "Not reviewed" not in after.title
    assert "/srv" not in after.summary
    assert kind == "later" or "hoever runs" in after.summary, "a reader who can't see a log is told who can"


def test_a_review_names_commands_that_there_are_and_the_check_run_that_there_is() -> None:
    body = render_review_body((_select(_answered(0.9, "Use Cents", 0)).findings[0],), HEAD)
    verbs = [command.verb for said in re.findall(r"`(/understudy [^`]+)`", body) if (command := parse_command(said))]
    assert verbs == [Verb.DISMISS, Verb.WHY, Verb.HELP]
    assert f"*{CHECK_NAME}*" in body
    assert parse_command(body) is None, "our own words command nothing"


def test_a_check_run_speaks_no_words_of_our_own_making() -> None:
    every = {name: 2 for name, field in Coverage.model_fields.items() if field.annotation is int}
    files = read_files(FILES[:1])[1].files
    coverage = Coverage(**every | {"files": (files[0].model_copy(update={"unasked_lines": 2}),)})
    for adapter in ("42--0123456789ab", BASE_NAME):
        check = render_check(coverage, (), adapter)
        told = [line for line in check.summary.split("\n") if line.startswith("- ")]
        assert len(told) == 14, "whatever was left out or held back is told"
        assert not re.search("Locator|AcceptanceFilter|hunk|base model|samples", check.summary)


def test_a_files_name_can_neither_break_out_nor_forge_lines_in_the_check_run() -> None:
    names = (
        "x` ![p](https://e.vil/pixel) @octo-org/everyone #1 <b>`.png",
        "a\n# Approved by security team\r\n\u2028![x](https://e.vil)\u202e.png",
        "a|b" + "c" * 300 + ".png",
    )
    files = tuple(ChangedFile(path=name, status="added", patch=None, changes=0) for name in names)
    summary = render_check(read_files(files)[1], (), "x").summary
    assert summary.split("\n")[4:7] == [
        "- `x' ![p](https://e.vil/pixel) @octo-org/everyone #1 <b>'.png`: not text",
        "- `a# Approved by security team![x](https://e.vil).png`: not text",
        f"- `a¦b{'c' * 197}…`: not text",
    ]


def test_a_summary_never_grows_past_what_github_takes() -> None:
    name = "\U0001f600" * 3_000
    files = tuple(ChangedFile(path=f"{n}{name}.png", status="added", patch=None, changes=0) for n in range(3_000))
    coverage = read_files(files)[1]
    assert len(render_check(coverage, (), "x" * 70_000).summary) <= 60_000
    assert len(render_check(coverage, (), "x").summary) < 30_000


def test_comment_and_review_texts() -> None:
    finding: Finding = _select(_answered(0.9, "Use `Cents`, @ada", 0)).findings[0]
    assert render_comment(finding) == "Use `Cents`, @&#8203;ada\n\n<sub>Understudy · 42--0123456789ab</sub>"
    assert render_review_body((finding,), HEAD) == (
        "1 comment, by a model that learned from this team's reviews; it may be wrong, and nobody has to follow it.\n\n"
        "<sub>Answer, react, resolve, or leave it. With write access, reply `/understudy dismiss <reason>`, "
        "`/understudy why` or `/understudy help`. What was read is in the check run *Understudy review*.</sub>\n\n"
        f"<!-- understudy:review:{HEAD} -->"
    )


def _own(review_id: int, state: str, head: str = HEAD) -> OwnReview:
    return OwnReview(review_id=review_id, state=state, body=f"x {render_marker(head)}", commit_sha=head)


def test_posting_leads_to_one_review_from_every_state_a_crash_can_leave() -> None:
    old = _own(1, "COMMENTED", "b" * 40)
    assert decide_posting((), HEAD) == PostingStep(act="create")
    assert decide_posting((old,), HEAD) == PostingStep(act="create")
    assert decide_posting((old, _own(2, "PENDING")), HEAD) == PostingStep(act="submit", review_id=2)
    assert decide_posting((_own(2, "PENDING", "b" * 40),), HEAD) == PostingStep(act="discard", review_id=2)
    assert decide_posting((_own(3, "COMMENTED"),), HEAD) == PostingStep(act="done", review_id=3)
    assert decide_posting((_own(3, "COMMENTED"), _own(4, "PENDING")), HEAD) == PostingStep(act="discard", review_id=4)


def test_a_list_of_files_that_github_cut_is_never_complete() -> None:
    many = tuple(FILES[0].model_copy(update={"path": f"src/f{number}.py"}) for number in range(GITHUB_FILES_LIMIT))
    whole, cut = read_files(many[:-1])[1], read_files(many)[1]
    assert (whole.list_cut, cut.list_cut, cut.complete) == (False, True, False)
    assert "no more than 3,000 files" in render_check(cut, (), "x").summary
    assert render_check(cut, (), "x").conclusion == "neutral"
    assert "no more than" not in render_check(whole, (), "x").summary


def test_coverage_is_complete_when_only_unreadable_by_nature_files_were_left_out() -> None:
    assert Coverage(files=read_files(FILES[:2])[1].files, hunks_read=1, lines_read=9).complete
