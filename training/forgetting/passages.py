"""Texts whose likelihood must not fall: solutions of known problems, and English that has nothing to do with review.

Teacher-forced, so nothing is run and a base too small to solve one problem can be seen to forget.
"""

from collections.abc import Sequence

from app.domain.base import content_hash
from app.domain.prompt import Message
from training.forgetting.problems import Problem
from training.rows.tokenising import Tokenizer, TokenRow

#: Characters of one passage of general text, about 200 tokens.
_PASSAGE = 900


def solution_rows(tokenizer: Tokenizer, problems: Sequence[Problem]) -> list[TokenRow]:
    """The canonical body after the chat turn that asks for it; only the body and the end of the turn are scored."""
    return [
        tokenizer.row(problem.id, (_ask(problem),), (Message(role="assistant", content=_fence(problem.solution)),))
        for problem in problems
    ]


def _ask(problem: Problem) -> Message:
    return Message(role="user", content=f"{problem.task} Write its body only.\n{problem.header}")


def _fence(body: str) -> str:
    """Chat templates cut spaces off both ends of a turn, and a body begins with some."""
    return f"```python\n{body.rstrip()}\n```"


def read_passages(count: int) -> list[str]:
    """`count` passages at even distances from the language reference that every Python installation carries.

    Frozen by the pinned Python, on every machine, and so in no repository. Another Python may hold other words:
    `hash_passages` tells.
    """
    from pydoc_data.topics import topics

    long = [" ".join(topics[name].split())[:_PASSAGE] for name in sorted(topics) if len(topics[name]) > 2 * _PASSAGE]
    return [long[index * len(long) // count] for index in range(min(count, len(long)))]


def passage_rows(tokenizer: Tokenizer, passages: Sequence[str]) -> list[TokenRow]:
    """Plain text, without a chat turn; its first token is context, every other one is scored."""
    encoded = [tokenizer.raw(text, add_special_tokens=False)["input_ids"] for text in passages]
    return [
        TokenRow(example=f"general/{index}", tokens=tuple(tokens), prompt_tokens=1)
        for index, tokens in enumerate(encoded)
    ]


def hash_passages(passages: Sequence[str]) -> str:
    return content_hash("fg1", list(passages))
