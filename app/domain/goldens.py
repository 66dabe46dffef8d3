"""Golden tokens: what a tokenizer and its chat template made of fixed texts when an adapter was trained.

Upgrades of tokenizer libraries have changed the ids of digits, punctuation and rare scripts without an error. The ids
travel with the adapter, and the trainer, the server and a test compare what they get with them.
"""

from collections.abc import Sequence
from typing import Literal

from app.domain.base import Record
from app.domain.diff import parse_patch
from app.domain.prompt import Message, render_prompt

FILE = "goldens.json"
#: Where tokenizers were seen to change: digits, punctuation, white space, code, CJK, other scripts, emoji, controls.
TEXTS = (
    "0 1 12 123 1234567890 3.14159 1e-9 0xFF 2026-11-22",
    "'\"`«»…–—-_.,;:!?()[]{}<>/\\|@#$%^&*+=~ \u00b4\u2018\u2019\u201c\u201d",
    "a  b   c\t\td\n\n  e\r\nf \u00a0g",
    "def f(x: int) -> list[str]:\n    return [f'{x:>4}' for _ in range(10) if x != 0]",
    "for (int i = 0; i < n; ++i) { map.computeIfAbsent(key, k -> new ArrayList<>()); }",
    "我们需要更多的测试。テストを追加してください。테스트를 추가해 주세요.",
    "naïve café Straße Łódź Ελληνικά Русский עברית العربية हिन्दी ไทย",
    "👍 👩‍💻 🇪🇺 🧪✅❌ ☃️",
    "< |im_start|> assistant < |im_end|> <s> </s> <pad>",
)
_PATCH = "@@ -1,2 +1,4 @@\n import os\n+def load(path):\n+    return open(path).read()  # 读\n \n"


class GoldenText(Record):
    text: str
    tokens: tuple[int, ...]


class GoldenPrompt(Record):
    """A prompt as the chat template renders it for an answer to follow."""

    messages: tuple[Message, ...]
    tokens: tuple[int, ...]


class Goldens(Record):
    schema_version: Literal["goldens/1"] = "goldens/1"
    texts: tuple[GoldenText, ...]
    prompts: tuple[GoldenPrompt, ...]


def golden_prompts() -> tuple[tuple[Message, ...], ...]:
    """Three prompts: of ours, of a long path and an odd line, and a whole turn that another follows."""
    hunk = parse_patch("src/load.py", _PATCH).hunks[0]
    ours = render_prompt("src/load.py", hunk, 2)
    other = render_prompt("docs/日本/a b.py", hunk, 3)
    turn = (
        Message(role="assistant", content='{"comment": "Close the file."}'),
        Message(role="user", content="👍 0.5?"),
    )
    return ours, other, (*ours, *turn)


def find_difference(stored: Sequence[int], found: Sequence[int]) -> str | None:
    """The first place where two lists of ids part, in words; None where they are equal."""
    if tuple(stored) == tuple(found):
        return None
    pairs = zip(stored, found, strict=False)
    at = next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(stored), len(found)))
    return f"token {at} was {_at(stored, at)} and is {_at(found, at)} ({len(stored)} and {len(found)} tokens)"


def _at(ids: Sequence[int], at: int) -> str:
    return str(ids[at]) if at < len(ids) else "absent"
