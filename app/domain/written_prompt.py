"""The renderer of what a team wrote that is no review comment: one instruction per kind, the same in every row."""

import json

from app.domain.prompt import Message
from app.domain.written import WrittenExample, WrittenKind

#: Characters of the change or function that are shown; a longer one is cut at a line and says so.
CONTEXT_CHARACTERS = 6000

_KEYS = {WrittenKind.PULL_REQUEST: "description", WrittenKind.COMMIT: "message", WrittenKind.DOCSTRING: "docstring"}
_ASKED = {
    WrittenKind.PULL_REQUEST: "Describe the pull request with this diff",
    WrittenKind.COMMIT: "Write the commit message of this diff",
    WrittenKind.DOCSTRING: "Write the docstring of this function",
}


def render_written(example: WrittenExample) -> tuple[tuple[Message, ...], Message]:
    """System and user message, and the assistant's answer as JSON with the one key that the instruction names."""
    key = _KEYS[example.kind]
    system = f'{_ASKED[example.kind]} as this team would, as JSON: {{"{key}": "..."}}.'
    named = [part for part in (example.path, example.function) if part]
    user = "\n".join([*([" ".join(named)] if named else []), _cut(example.context)])
    answer = json.dumps({key: example.text}, ensure_ascii=False)
    prompt = (Message(role="system", content=system), Message(role="user", content=user))
    return prompt, Message(role="assistant", content=answer)


def _cut(context: str) -> str:
    if len(context) <= CONTEXT_CHARACTERS:
        return context
    kept = context[:CONTEXT_CHARACTERS]
    whole_lines = kept[: kept.rfind("\n")] if "\n" in kept else kept
    return f"{whole_lines}\n(cut: {len(context) - len(whole_lines)} more characters)"
