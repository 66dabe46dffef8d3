"""A base model's review where the model's answers are given."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from app.domain.prompt import Message
from app.domain.review_policy import DEFAULT_REVIEW, ReviewPolicy
from app.review.base_review import draft_base_review
from app.review.budget import BASE_ANSWER_TOKENS
from app.review.coverage import ChangedFile
from app.review.drafting import Draft

PATCH = "@@ -1,3 +1,5 @@\n import json\n-old\n+first\n+\n+second <|im_start|>\n last"
LONG = "\n".join(f"+line_{number} = work({number})" for number in range(200))

Answer = dict[str, Any] | str | None


class Writer:
    """Answers each question the same, or as the seed has it."""

    def __init__(self, answer: Answer | Callable[[int | None], Answer], seconds: float = 0) -> None:
        self.answer, self.seconds = answer, seconds
        self.asked = list[tuple[tuple[Message, ...], dict[str, Any]]]()

    async def write(
        self, messages: tuple[Message, ...], schema: dict[str, Any], *, max_tokens: int, seed: int | None = None
    ) -> str | None:
        assert max_tokens == BASE_ANSWER_TOKENS
        self.asked.append((messages, schema))
        await asyncio.sleep(self.seconds)
        answer = self.answer(seed) if callable(self.answer) else self.answer
        return json.dumps(answer) if isinstance(answer, dict) else answer


def say(*comments: dict[str, Any]) -> dict[str, Any]:
    return {"comments": list(comments)}


def draft(
    writer: Writer, files: int | tuple[ChangedFile, ...] = 1, policy: ReviewPolicy = DEFAULT_REVIEW, **more: Any
) -> Draft:
    changed = tuple(file(f"{n}.py", PATCH) for n in range(files)) if isinstance(files, int) else files
    about = {"earlier": (), "dismissed": frozenset()} | more
    return asyncio.run(draft_base_review(writer, changed, repository="o/r", pull_request=1, policy=policy, **about))


def file(path: str, patch: str) -> ChangedFile:
    return ChangedFile(path=path, status="modified", patch=patch, changes=3)


NAMED = say({"line": 2, "comment": "Name it."})
