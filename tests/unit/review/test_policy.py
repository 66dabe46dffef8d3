"""What the owners' file and people's dismissals change about a review."""

import pytest

from app.domain.diff import parse_patch
from app.domain.findings import finding_fingerprint, finding_words
from app.domain.review_policy import DEFAULT_REVIEW, ReviewPolicy
from app.review.coverage import ChangedFile, read_files
from app.review.messages import CheckText, render_check, render_paused
from app.review.nearest import NEAR, render_asked, select_nearest, select_told
from app.review.selection import Answered, Candidate, Selection, decide_questions, list_sites, select_findings
from tests.unit.dataset.test_rows import a_clean_hunk, an_example

PATCH = "@@ -0,0 +1,4 @@\n+one = 1\n+two = 2\n+three = 3\n+four = 4"


def answered() -> tuple[Answered, ...]:
    sites = list_sites((parse_patch("a.py", PATCH),))
    words = ("nit: a space", "Must never leak.", "Rename it.", "nit: another")
    return tuple(
        Answered(candidate=Candidate(hunk=hunk, site=site, score=0.9 - index / 10), comment=comment, acceptance=0.9)
        for index, ((hunk, site), comment) in enumerate(zip(sites, words, strict=True))
    )


def select(
    policy: ReviewPolicy = DEFAULT_REVIEW, *, path: str = "a.py", dismissed: frozenset[str] = frozenset()
) -> Selection:
    return select_findings(
        answered(),
        repository="o/r",
        pull_request=1,
        adapter="a",
        acceptance_threshold=0.5,
        known_fingerprints=frozenset(),
        dismissed=dismissed,
        policy=policy,
    )


@pytest.mark.parametrize(
    ("policy", "posted", "minor", "capped"),
    [
        (ReviewPolicy(), 3, 0, 1),
        (ReviewPolicy(max_comments=20), 4, 0, 0),
        (ReviewPolicy(min_severity="minor"), 2, 2, 0),
        (ReviewPolicy(min_severity="major"), 1, 3, 0),
        (ReviewPolicy(max_comments=1), 1, 0, 3),
        (ReviewPolicy(max_comments=1, min_severity="minor"), 1, 2, 1),
    ],
)
def test_the_cap_and_the_least_severity_are_the_owners(
    policy: ReviewPolicy, posted: int, minor: int, capped: int
) -> None:
    selection = select(policy)
    assert (len(selection.findings), selection.minor, selection.capped) == (posted, minor, capped)
    assert decide_questions(policy) > policy.max_comments


def test_what_was_dismissed_is_known_by_its_place_and_by_its_words() -> None:
    by_place = finding_fingerprint("a.py", "two = 2", "Must never leak.")
    by_words = finding_words("  three =   3", "rename it.")
    selection = select(dismissed=frozenset({by_place, by_words}))
    assert [finding.body for finding in selection.findings] == ["nit: a space", "nit: another"]
    assert selection.dismissed == 2
    assert select(dismissed=frozenset({finding_words("three = 4", "Rename it.")})).dismissed == 0


def test_files_that_the_owners_left_out_are_named_and_leave_the_review_complete() -> None:
    files = tuple(
        ChangedFile(path=path, status="added", patch=PATCH, changes=4) for path in ("src/a.py", "src/b.md", "c.py")
    )
    diffs, coverage = read_files(files, ReviewPolicy(paths=("src/",), ignore=("*.md",)))
    assert [diff.path for diff in diffs] == ["src/a.py"]
    check = render_check(coverage, (), "a")
    assert check.conclusion == "success"
    assert "- `src/b.md`: left out by `review.ignore` of the policy file" in check.summary
    assert "- `c.py`: not among `review.paths` of the policy file" in check.summary


def test_a_pause_says_who_and_breaks_their_markup() -> None:
    assert render_paused("ann`@all", "write") == CheckText(
        conclusion="neutral",
        title="Not reviewed: paused",
        summary="`ann'@all` (write) paused reviews of this pull request; `/understudy resume` goes on.",
    )


def test_the_nearest_past_review_is_first_and_a_far_one_is_none() -> None:
    bodies = ("Never print.", "Use the clock.", "Money is no float.", "Log through quaylog.", "Close the file.")
    past = [an_example(comment_id=number, body=body) for number, body in enumerate(bodies, 1)]
    asked = past[3]
    hunk = "\n".join(["@@ -1 +1 @@", *(line.mark + line.text for line in asked.hunk.lines)])
    near = select_nearest(render_asked(hunk, asked.body or ""), past)
    assert near[0].comment_id == asked.comment_id
    assert near[0].similarity > 0.6
    assert [one.similarity for one in near] == sorted((one.similarity for one in near), reverse=True)
    assert all(one.similarity >= NEAR for one in near)
    assert select_nearest(render_asked("+zebra", "quartz umbrella"), past) == ()
    assert select_nearest(render_asked("++++", "!"), past) == ()
    assert select_nearest(render_asked(hunk, "words"), []) == ()
    assert select_told([a_clean_hunk(), an_example(comment_id=None), *past]) == past


def test_a_comment_or_suggested_change_with_a_secret_is_dropped_and_counted() -> None:
    key = "AKIA" + "Q3EGRIAB5TQ7XZ2L"
    first, second, *rest = answered()
    asked = (
        first.model_copy(update={"comment": f"Why is {key} here?"}),
        second.model_copy(update={"replacement": f'two = "{key}"'}),
        *rest,
    )
    selection = select_findings(
        asked, repository="o/r", pull_request=1, adapter="a", acceptance_threshold=0.5, known_fingerprints=frozenset()
    )
    assert selection.secret == 2
    assert [finding.body for finding in selection.findings] == [one.comment for one in rest]
    assert key not in selection.model_dump_json()
