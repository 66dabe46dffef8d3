"""Messages and docstrings that teach nothing, on short rows of our own that repeat what real histories hold."""

import pytest

from app.history.words import decide_docstring_noise, decide_message_noise, render_description, render_words


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("", "empty_message"),
        ("wip", "says_nothing"),
        ("Fix", "says_nothing"),
        ("update.", "says_nothing"),
        ("Fix typos in the comments", "says_nothing"),
        ("Address review comments", "says_nothing"),
        ("#123", "ticket_only"),
        ("Fixes GH-77", "ticket_only"),
        ("HARBOR-1834", "ticket_only"),
        ("Issue #12: fix", "ticket_only"),
        ("Merge branch 'berths' into main", "merge"),
        ("Merge pull request #9 from ann/berths", "merge"),
        ('Revert "Count berths twice"', "revert"),
        ("Bump quaylog from 1.2.0 to 1.3.1", "version_bump"),
        ("build(deps): bump the weekly group", "version_bump"),
        ("v2.14.0", "version_bump"),
        ("Release 3.0.1", "version_bump"),
        ("[maven-release-plugin] prepare for next development iteration", "version_bump"),
        ("Prepare release 8.2", "version_bump"),
        ("Count berths for ann@example.org", "personal_data"),
    ],
)
def test_empty_messages_are_named(message: str, reason: str) -> None:
    noise = decide_message_noise(render_words(message))
    assert noise is not None
    assert noise.reason == reason


@pytest.mark.parametrize(
    "message",
    [
        "Issue #77: Count berths by tide",
        "fix: berth is freed twice",
        "HARBOR-9 Keep the lease of a ship that is late",
        "Update the tide table once a day",
        "Merge two berths when a ship needs both",
        "Release the lock before the crane moves",
        "Version the wire format",
        "Bump allocation: reuse the arena",
        "Handle @Nullable pilots",
    ],
)
def test_messages_that_say_something_are_kept(message: str) -> None:
    assert decide_message_noise(render_words(message)) is None


def test_trailers_are_taken_off_and_paragraphs_stay() -> None:
    message = (
        "Free the berth late\r\n\r\nThe pilot may still be aboard.  \n\n\n\nSee: the log\n\n"
        "Reviewed-by: Ann <a@example.org>\n"
        "Signed-off-by: Ann <a@example.org>\nChange-Id: I0123\nCo-authored-by: B <b@example.org>\n"
        "(cherry picked from commit 0123abc)\n"
    )
    assert render_words(message) == "Free the berth late\n\nThe pilot may still be aboard.\n\nSee: the log"


def test_a_squashed_list_keeps_its_points_that_say_something() -> None:
    message = (
        "Free the berth (#4)\n\n* wip\n\n* Ask the pilot first\n\nSigned-off-by: A <a@example.org>\n\n* fix tests\n"
    )
    assert render_words(message) == "Free the berth (#4)\n\n* Ask the pilot first"


def test_a_subject_that_looks_like_a_trailer_is_no_trailer_when_words_follow() -> None:
    assert render_words("Closes: a gap in the log\n\nIt was there since May.") == (
        "Closes: a gap in the log\n\nIt was there since May."
    )


def test_what_a_template_says_is_taken_out_of_a_description() -> None:
    body = "<!-- Say what\nand why -->\nFrees the berth.\n\n- [x] I ran the tests\n- [ ] docs\n\n<!-- unclosed"
    assert render_description(body) == "Frees the berth."


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("TODO: describe", "says_nothing"),
        ("{@inheritDoc}", "says_nothing"),
        ("Gets it.", "too_short"),
        ("@param ship the ship that we want to moor here\n@return the berth", "too_short"),
        (":param ship: the ship that we want to moor here", "too_short"),
        ("Written by Ann, ask ann@example.org about it.", "personal_data"),
    ],
)
def test_empty_docstrings_are_named(text: str, reason: str) -> None:
    noise = decide_docstring_noise(text)
    assert noise is not None
    assert noise.reason == reason


def test_a_docstring_with_words_and_tags_is_kept() -> None:
    assert decide_docstring_noise("Frees the berth once the pilot left.\n\n@param ship whose") is None
