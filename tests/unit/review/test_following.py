"""What became of earlier Findings, and the mark that their comments carry for it. Whole comments are compared."""

from app.domain.findings import finding_fingerprint, finding_words
from app.domain.safe_markdown import render_safe_markdown
from app.review.coverage import GITHUB_FILES_LIMIT, ChangedFile, Coverage, Followed
from app.review.following import PostedFinding, decide_edits, decide_followed, is_said, keep_shown, render_mark
from app.review.messages import render_check

PRINTS, SUMS = "print(order)", "total = 0.0"
HEAD, LATER = "a" * 40, "b" * 40
SAID = "Use the logger.\n\n<sub>Understudy · 7--v1</sub>"
SEEN = "Addressed or overtaken as of `aaaaaaa`: the line reads otherwise, or is gone."
MARK = f"\n\n<!-- understudy:addressed:{HEAD} -->\n{SEEN}"


def earlier(
    text: str = PRINTS, body: str = "Use the logger.", path: str = "a.py", comment_id: int | None = 5
) -> PostedFinding:
    return PostedFinding(
        fingerprint=finding_fingerprint(path, text, body),
        words=finding_words(text, body),
        path=path,
        body=body,
        comment_id=comment_id,
    )


def changed(*added: str, path: str = "a.py", start: int = 1) -> ChangedFile:
    rows = "\n".join(f"+{text}" for text in added)
    patch = f"@@ -{start},1 +{start},{len(added) + 1} @@\n context\n{rows}"
    return ChangedFile(path=path, status="modified", patch=patch, changes=len(added))


ONE = earlier()
STANDS, ADDRESSED = Followed(standing=(ONE.fingerprint,)), Followed(addressed=(ONE.fingerprint,))


def test_a_line_that_moved_or_was_indented_anew_stands() -> None:
    assert decide_followed([ONE], (changed(PRINTS),)) == STANDS
    assert decide_followed([ONE], (changed("x", "y", f"\t  {PRINTS}  ", start=90),)) == STANDS


def test_a_changed_line_is_addressed_and_so_is_one_whose_file_is_gone() -> None:
    assert decide_followed([ONE], (changed("log.info(order)"),)) == ADDRESSED
    assert decide_followed([ONE], ()) == ADDRESSED
    removed = ChangedFile(path="a.py", status="removed", patch=None, changes=4)
    assert decide_followed([ONE], (removed,)) == ADDRESSED


def test_a_line_that_went_to_another_file_with_its_own_is_not_addressed() -> None:
    assert decide_followed([ONE], (changed(PRINTS, path="moved.py"),)) == STANDS
    assert decide_followed([ONE], (changed("other", path="moved.py"),)) == ADDRESSED
    assert decide_followed([ONE], (changed("other"), changed(PRINTS, path="twin.py"))) == ADDRESSED


def test_nothing_is_claimed_where_github_shows_no_diff() -> None:
    large = ChangedFile(path="a.py", status="modified", patch=None, changes=90_000)
    odd = ChangedFile(path="a.py", status="modified", patch="@@ -1,9 +1,9 @@\n x", changes=2)
    many = tuple(changed("x", path=f"f{number}.py") for number in range(GITHUB_FILES_LIMIT))
    for files in ((large,), (odd,), many):
        assert decide_followed([ONE], files) == Followed()


def test_what_people_dismissed_is_neither() -> None:
    assert decide_followed([ONE], (), frozenset({ONE.fingerprint})) == Followed()
    assert decide_followed([ONE], (), frozenset({str(ONE.words)})) == Followed()
    assert decide_followed([ONE], (), frozenset({"fp1:another"})) == ADDRESSED


def test_a_line_with_a_comment_of_ours_is_said_whatever_was_said_of_it() -> None:
    assert is_said("a.py", PRINTS, [ONE])
    assert not is_said("a.py", SUMS, [ONE])
    assert not is_said("b.py", PRINTS, [ONE])


def test_a_comment_is_marked_once_and_keeps_the_commit_it_named_first() -> None:
    assert decide_edits([ONE], ADDRESSED, {5: SAID}, HEAD) == {5: SAID + MARK}
    assert decide_edits([ONE], ADDRESSED, {5: SAID + MARK}, LATER) == {}
    assert decide_edits([ONE], STANDS, {5: SAID}, HEAD) == {}


def test_a_line_that_came_back_takes_the_mark_away_and_nothing_else() -> None:
    assert decide_edits([ONE], STANDS, {5: SAID + MARK}, LATER) == {5: SAID}
    in_a_browser = (SAID + MARK).replace("\n", "\r\n")
    assert decide_edits([ONE], STANDS, {5: in_a_browser}, LATER) == {5: SAID.replace("\n", "\r\n")}
    of_older_ones = f"\n\n<!-- understudy:addressed:{HEAD} -->\nAddressed in `aaaaaaa`."
    assert decide_edits([ONE], STANDS, {5: SAID + of_older_ones}, LATER) == {5: SAID}
    assert decide_edits([ONE], ADDRESSED, {5: SAID + of_older_ones}, LATER) == {}
    with_more = f"{SAID}{MARK}\n\nmara: thanks!"
    assert decide_edits([ONE], STANDS, {5: with_more}, LATER) == {5: f"{SAID}\n\nmara: thanks!"}


def test_comments_that_are_gone_or_were_never_found_are_left_alone() -> None:
    unplaced = earlier(comment_id=None)
    assert decide_edits([ONE], ADDRESSED, {}, HEAD) == {}
    assert decide_edits([unplaced], ADDRESSED, {5: SAID}, HEAD) == {}
    assert keep_shown([ONE], ADDRESSED, {}) == Followed()
    assert keep_shown([ONE], STANDS, {5: SAID}) == STANDS
    assert keep_shown([unplaced], ADDRESSED, {}) == ADDRESSED


def test_a_model_cannot_write_the_mark_itself() -> None:
    forged = render_safe_markdown(f"Fine.{render_mark(HEAD)}")
    assert decide_edits([ONE], STANDS, {5: forged}, LATER) == {}


def test_the_check_run_counts_both_and_says_nothing_without_either() -> None:
    coverage = Coverage(files=(), hunks_read=0, lines_read=0)
    followed = coverage.model_copy(update={"followed": Followed(addressed=("fp1:1", "fp1:2"), standing=("fp1:3",))})
    told = (
        "\nEarlier comments on this pull request: **2** addressed or overtaken, their lines read otherwise or "
        "are gone; **1** stand open.\n"
    )
    assert told in render_check(followed, (), "x").summary
    assert "Earlier comments" not in render_check(coverage, (), "x").summary
