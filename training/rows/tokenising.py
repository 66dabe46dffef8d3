"""From CommentRows to tokens.

The trained span is the completion and its end token. The line feed that the chat template prints after the end token
is left out: no server ever generates it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.errors import UserError
from app.domain.prompt import Message
from app.domain.snapshots import CommentRow

Tokens = tuple[int, ...]


@dataclass(frozen=True)
class TokenRow:
    """`tokens` = prompt + completion + end token; the first `prompt_tokens` of them are context and not scored."""

    example: str
    tokens: Tokens
    prompt_tokens: int

    @property
    def completion_tokens(self) -> int:
        return len(self.tokens) - self.prompt_tokens

    @property
    def labels(self) -> Tokens:
        return (-100,) * self.prompt_tokens + self.tokens[self.prompt_tokens :]


class Tokenizer:
    """The base's tokenizer and chat template, and what the end of an answer is in it."""

    def __init__(self, tokenizer: Any) -> None:  # noqa: ANN401 - transformers' class is made at run time
        self.raw = tokenizer
        self.end = int(tokenizer.eos_token_id)
        self.pad = int(tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id)

    def prompt(self, messages: Sequence[Message]) -> Tokens:
        return self._render(messages, add_generation_prompt=True)

    def text(self, text: str) -> Tokens:
        """Of plain text: no template, no special tokens added."""
        return tuple(int(token) for token in self.raw.encode(text, add_special_tokens=False))

    def row(self, example: str, prompt: Sequence[Message], completion: Sequence[Message]) -> TokenRow:
        """Tokens of a prompt and its answer, ending in the end token.

        Raises:
            UserError: when the template makes the prompt no prefix of prompt + completion, or ends without the end
                token. Such a row would train on other tokens than the server shows.
        """
        context = self.prompt(prompt)
        whole = self._render([*prompt, *completion], add_generation_prompt=False)
        if whole[: len(context)] != context:
            raise UserError(
                f"{example}: the base's chat template does not render the prompt as a prefix of prompt + completion; "
                "this base cannot be trained on prompt and completion rows"
            )
        answer = whole[len(context) :]
        if self.end not in answer:
            raise UserError(f"{example}: the chat template closes no answer with the end token; stopping is not learnt")
        last = len(answer) - answer[::-1].index(self.end)
        return TokenRow(example=example, tokens=context + answer[:last], prompt_tokens=len(context))

    @property
    def beginning(self) -> int | None:
        """The beginning-of-text token, None where the tokenizer has none."""
        token = self.raw.bos_token_id
        return None if token is None else int(token)

    def turn_start(self) -> int | None:
        """The token that the template opens every turn with, None where turns open with text."""
        asked, said = Message(role="user", content="x"), Message(role="assistant", content="x")
        whole = self._render([asked, said], add_generation_prompt=False)
        return whole[0] if whole and whole.count(whole[0]) >= 2 else None

    def turn_end(self) -> int | None:
        """The special token that the template closes an answer with, None where it closes none."""
        asked, said = Message(role="user", content="x"), Message(role="assistant", content="x")
        answer = self._render([asked, said], add_generation_prompt=False)[len(self.prompt([asked])) :]
        special = set(self.raw.all_special_ids)
        return next((token for token in answer if token in special), None)

    def _render(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> Tokens:
        ids = self.raw.apply_chat_template(
            [message.model_dump() for message in messages],
            add_generation_prompt=add_generation_prompt,
            tokenize=True,
            return_dict=False,
        )
        return tuple(int(token) for token in ids)


def encode_comment(tokenizer: Tokenizer, row: CommentRow) -> TokenRow:
    return tokenizer.row(row.example, row.prompt, row.completion)
