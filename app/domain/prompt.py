"""The one renderer: the same words in training, evaluation and serving.

A change here changes what adapters were trained on, so it comes with a new PROMPT_VERSION; the gate and the
adapter loader refuse to mix versions. The static part comes first so that the server's prefix cache holds it.
"""

import json
from typing import Any, Literal

from pydantic import ValidationError

from app.domain.base import Record
from app.domain.diff import Hunk, Side
from app.domain.paths import render_path

PROMPT_VERSION = "p2"
LINES_ABOVE = 5
LINES_BELOW = 4
#: Characters of one shown line; longer ones are cut, for a minified line would drown the rest.
LINE_WIDTH = 160
COMMENT_CHARACTERS = 600

SYSTEM = (
    'You review code for one team. Say what this team would say about the line marked >, as JSON: {"comment": "..."}.'
)

#: Enforced while decoding; the completion that training sees has this very shape.
RESPONSE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"comment": {"type": "string", "minLength": 1, "maxLength": COMMENT_CHARACTERS}},
    "required": ["comment"],
    "additionalProperties": False,
}


class Message(Record):
    role: Literal["system", "user", "assistant"]
    content: str


class ReviewAnswer(Record):
    comment: str


def render_prompt(path: str, hunk: Hunk, line: int, side: Side = "RIGHT") -> tuple[Message, ...]:
    """System and user message for one marked line. No text of a diff can open or close a turn in it.

    Raises:
        ValueError: when the hunk does not show the line.
    """
    at = hunk.index_of(line, side)
    if at is None:
        raise ValueError(f"line {line} ({side}) is not in hunk {hunk.header} of {path}")
    first = max(0, at - LINES_ABOVE)
    shown = hunk.lines[first : at + LINES_BELOW + 1]
    rows = [
        f"{'>' if first + offset == at else ' '}{item.mark}{defuse(item.text)[:LINE_WIDTH]}"
        for offset, item in enumerate(shown)
    ]
    again = defuse(hunk.lines[at].text.strip())[:LINE_WIDTH]
    return (
        Message(role="system", content=SYSTEM),
        # The marked line once more, last: a small base attends to what is nearest, and learns the rule from it.
        Message(role="user", content="\n".join([defuse(render_path(path)), *rows, f"line: {again}"])),
    )


def render_completion(comment: str) -> Message:
    """The assistant's answer as JSON, spelled as the constrained decoder spells it."""
    return Message(role="assistant", content=json.dumps({"comment": defuse(comment)}, ensure_ascii=False))


def defuse(text: str) -> str:
    """Chat templates spell turns as `<|...|>`, and tokenizers read that anywhere: from a diff it must not be read."""
    return text.replace("<|", "< |")


def parse_completion(text: str) -> str | None:
    """The comment in a model's answer, None when the answer is not of the agreed shape."""
    try:
        answer = ReviewAnswer.model_validate_json(text)
    except ValidationError:
        return None
    comment = answer.comment.strip()
    return comment if 0 < len(comment) <= COMMENT_CHARACTERS else None
