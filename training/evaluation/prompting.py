"""What a base can be told instead of being trained: other words, examples of this team, its nearest past comments.

    prompt      another wording of the task, the one that training rows are likeliest under
    few_shot    the same few comments of the team, unlike each other, as earlier turns of the conversation
    retrieval   the comments that the most similar past lines got, as notes above the question

The adapter must beat them all, else prompting would do. None of them ever shows a held-out row.
"""

from collections.abc import Callable, Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from app.domain.prompt import SYSTEM, Message
from app.domain.snapshots import CommentRow
from training.evaluation.neighbours import find_nearest, read_comment, read_line

Prompt = tuple[Message, ...]
#: Tokens of a conversation.
Count = Callable[[Sequence[Message]], int]

#: Other wordings of `app.domain.prompt.SYSTEM`, in our own words; the first is the one in use.
WORDINGS = (
    SYSTEM,
    "You are a member of this team and review a change. The line that starts with > needs a comment. Write the one "
    'short comment that a reviewer of this team would leave there. Answer with JSON only: {"comment": "..."}.',
)


def reword(prompt: Sequence[Message], wording: str) -> Prompt:
    """The prompt under another system message."""
    return (Message(role="system", content=wording), *prompt[1:])


def choose_shots(train: Sequence[CommentRow], most: int, budget: int, count: Count) -> list[CommentRow]:
    """At most `most` training rows that together stay within `budget` tokens: the comment most like all others, then
    each time the one that is least like those chosen (farthest first, Gonzalez 1985).
    """
    if not train:
        return []
    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True).fit_transform(
        [read_comment(row) for row in train]
    )
    costs = [count([*row.prompt, *row.completion]) - count(row.prompt[:-1]) for row in train]
    closeness = np.zeros(len(train))
    typical = np.asarray(vectors @ np.asarray(vectors.sum(axis=0)).ravel()).ravel()
    order, left, chosen = np.argsort(-typical, kind="stable"), budget, list[int]()
    while len(chosen) < most:
        index = next((int(at) for at in order if int(at) not in chosen and costs[int(at)] <= left), None)
        if index is None:
            break
        chosen.append(index)
        left -= costs[index]
        closeness = np.maximum(closeness, (vectors @ vectors[index].T).toarray().ravel())
        order = np.argsort(closeness, kind="stable")
    return [train[index] for index in chosen]


def render_few_shot(shots: Sequence[CommentRow], prompt: Sequence[Message]) -> Prompt:
    """The examples as turns between the system message and the question."""
    turns = (message for row in shots for message in (row.prompt[-1], *row.completion))
    return (prompt[0], *turns, *prompt[1:])


def render_retrieval(past: Sequence[CommentRow], prompt: Sequence[Message]) -> Prompt:
    """Past lines and what was said of them above the question, the most similar one last, nearest to it."""
    if not past:
        return tuple(prompt)
    notes = [f"{read_line(row)}\n{row.completion[-1].content}" for row in reversed(past)]
    text = "\n".join(["Comments of this team on similar lines:", *notes, "", prompt[-1].content])
    return (*prompt[:-1], prompt[-1].model_copy(update={"content": text}))


def render_retrievals(
    train: Sequence[CommentRow], asked: Sequence[CommentRow], most: int, budget: int, count: Count
) -> list[Prompt]:
    """For each asked row its prompt with at most `most` past comments that add at most `budget` tokens."""
    if not train or not asked:
        return [row.prompt for row in asked]
    found = find_nearest(train, asked, most)
    return [_fit(past, row.prompt, budget, count) for row, past in zip(asked, found, strict=True)]


def _fit(past: Sequence[CommentRow], prompt: Prompt, budget: int, count: Count) -> Prompt:
    bare = count(prompt)
    for kept in range(len(past), 0, -1):
        rendered = render_retrieval(past[:kept], prompt)
        if count(rendered) - bare <= budget:
            return rendered
    return prompt
