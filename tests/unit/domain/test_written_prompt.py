"""Each kind has its own system prompt, and the completion is the words as they were written."""

from datetime import UTC, datetime

import pytest

from app.domain.written import WrittenExample, WrittenKind
from app.domain.written_prompt import (
    COMMIT_SYSTEM,
    DOCSTRING_SYSTEM,
    LINE_WIDTH,
    PULL_REQUEST_SYSTEM,
    render_written,
)

SYSTEMS = {
    WrittenKind.PULL_REQUEST: PULL_REQUEST_SYSTEM,
    WrittenKind.COMMIT: COMMIT_SYSTEM,
    WrittenKind.DOCSTRING: DOCSTRING_SYSTEM,
}


def an_example(kind: WrittenKind, context: str) -> WrittenExample:
    documented = kind is WrittenKind.DOCSTRING
    return WrittenExample(
        kind=kind,
        host="github.com",
        repository_id=5,
        repository="o/r",
        commit_sha="a" * 40,
        written_at=datetime(2026, 1, 1, tzinfo=UTC),
        path="quay/berth.py" if documented else None,
        language="python" if documented else None,
        function="Berth.free" if documented else None,
        context=context,
        text="Free the berth\n\nLate.",
    )


@pytest.mark.parametrize("kind", WrittenKind)
def test_a_pair_has_the_kinds_own_task_and_the_words(kind: WrittenKind) -> None:
    (system, user), completion = render_written(an_example(kind, "+x = 1\n" + "y" * 500))
    assert (system.role, user.role, completion.role) == ("system", "user", "assistant")
    assert system.content == SYSTEMS[kind]
    assert completion.content == "Free the berth\n\nLate."
    assert "+x = 1" in user.content
    assert max(map(len, user.content.split("\n"))) == LINE_WIDTH


def test_a_function_is_shown_with_its_place() -> None:
    (_, user), _ = render_written(an_example(WrittenKind.DOCSTRING, "def free(self):\n    pass"))
    assert user.content == "quay/berth.py\npython: Berth.free\ndef free(self):\n    pass"
