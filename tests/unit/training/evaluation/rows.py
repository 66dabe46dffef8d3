"""Held-out and training comments in a line each."""

from datetime import UTC, datetime, timedelta

from app.domain.examples import Evidence
from app.domain.prompt import SYSTEM, Message, render_completion
from app.domain.snapshots import CommentRow

START = datetime(2026, 1, 1, tzinfo=UTC)


def comment_row(
    number: int, said: str = "Use `Cents`.", line: str = "x = 1", *, reviewer: str = "ada", path: str = "src/a.py"
) -> CommentRow:
    return CommentRow(
        example=f"ex1:{number}",
        repository="acme/depot",
        pull_request=number,
        created_at=START + timedelta(days=number),
        path=path,
        line=2,
        reviewer=reviewer,
        prompt=(
            Message(role="system", content=SYSTEM),
            Message(role="user", content=f"{path}\n +import os\n>+{line}\nline: {line}"),
        ),
        completion=(render_completion(said),),
        weight=0.9,
        evidence=Evidence.LINE,
    )
