"""What counts as a command, and how replies of an author are read."""

import pytest

from app.domain.commands import Command, Verb, parse_command
from app.domain.signals import decide_reply


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("/understudy keep", Command(verb=Verb.KEEP)),
        ("  /Understudy DROP  too vague \nand more", Command(verb=Verb.DROP, reason="too vague")),
        ("/understudy why\r\nplease", Command(verb=Verb.WHY)),
        ("/understudy", Command(verb=Verb.UNKNOWN)),
        ("/understudy keeep", Command(verb=Verb.UNKNOWN)),
        ("/understudy drop " + "x" * 999, Command(verb=Verb.DROP, reason="x" * 300)),
        ("/understudy Full  Review now", Command(verb=Verb.FULL_REVIEW, reason="now")),
        ("/understudy full", Command(verb=Verb.UNKNOWN)),
        ("/understudy full reviews", Command(verb=Verb.UNKNOWN, reason="reviews")),
        ("/understudy dismiss not here", Command(verb=Verb.DISMISS, reason="not here")),
        ("/understudy unknown", Command(verb=Verb.UNKNOWN)),
        ("/understudykeep", None),
        ("> /understudy keep", None),
        ("```\n/understudy keep\n```", None),
        ("Say\n/understudy keep", None),
        ("`/understudy keep`", None),
    ],
)
def test_only_the_first_line_is_a_command(body: str, expected: Command | None) -> None:
    assert parse_command(body) == expected


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("Done.", "done"),
        ("> why?\n\nFixed in 1a2b3c", "done"),
        ("Good catch, thanks!", "done"),
        ("👍", "done"),
        ("No, this is called once only.", "pushback"),
        ("I don't think that helps", "pushback"),
        ("This is intentional: see above", "pushback"),
        ("No problem, done", "other"),
        ("Donecaster is the name of the tool", "other"),
        ("Which one do you mean?", "other"),
        ("", "other"),
    ],
)
def test_replies_of_the_author(body: str, kind: str) -> None:
    assert decide_reply(body) == kind
