"""What is printed is what was said: data never turns into markup, an emoji or an error."""

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from app.rehearsal.console import Narrator

HOSTILE = "see [/red] and [bold]x[/bold] :smile: [link=http://e.example]"


@pytest.mark.parametrize(
    "act",
    [
        lambda story: story.say(HOSTILE),
        lambda story: story.say((HOSTILE, "bold")),
        lambda story: story.open(HOSTILE, "words"),
        lambda story: story.open("title", HOSTILE),
        lambda story: story.fail(HOSTILE),
        lambda story: story.progress(HOSTILE),
        lambda story: story.table(["column"], [[HOSTILE]]),
        lambda story: story.panel(HOSTILE, "body"),
        lambda story: story.panel("title", HOSTILE),
    ],
)
def test_data_is_shown_as_it_came(act: Callable[[Narrator], None]) -> None:
    shown = io.StringIO()
    narrator = Narrator(Console(file=shown, width=200, highlight=False))
    act(narrator)
    assert HOSTILE in shown.getvalue()
