"""What stands beside the adapter's words in the demo: the base's answer, and the nearest past comment without a model.

Both get the very lines the service commented on, so that only the words differ.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer

from app.domain.errors import UserError
from app.domain.prompt import Message, parse_completion, render_prompt
from app.domain.serving import BASE_NAME
from app.domain.snapshots import CommentRow
from app.inference.completions import CompletionClient
from app.inference.front import Front
from app.rehearsal.organisation.score import PostedComment
from app.rehearsal.standin import StandIn

#: As many as the service grants the adapter.
_ANSWER_TOKENS = 220


def render_questions(standin: StandIn, posted: Sequence[PostedComment]) -> list[tuple[Message, ...]]:
    """The prompt that each posted comment answered, from the stand-in's own diff."""
    return [_question(standin, comment) for comment in posted]


def _question(standin: StandIn, comment: PostedComment) -> tuple[Message, ...]:
    repository, pull = standin.find_pull(comment.repository, comment.pull_request)
    changes = repository.git.pull_changes(pull.base_sha, pull.head_sha)
    diff = next(change.diff for change in changes if change.path == comment.path)
    hunk = diff.hunk_with(comment.line, "RIGHT")
    if hunk is None:
        raise UserError(f"a comment stands outside the diff: {comment.path}:{comment.line}")
    return render_prompt(comment.path, hunk, comment.line)


def ask_base(front: Front, questions: Sequence[tuple[Message, ...]]) -> list[str]:
    """The base's comment for each prompt, under the same schema; empty where it gave none that is whole."""

    async def ask() -> list[str]:
        async with CompletionClient(front.url, front.read_key) as client:
            answers = await asyncio.gather(
                *(
                    client.complete(model=BASE_NAME, messages=question, max_tokens=_ANSWER_TOKENS)
                    for question in questions
                )
            )
        return [parse_completion(answer.text) or "" for answer in answers]

    return asyncio.run(ask())


def pick_nearest(comments: Path, questions: Sequence[tuple[Message, ...]]) -> list[str]:
    """For each prompt the comment of the most similar training prompt: TF-IDF over characters, cosine."""
    rows = [CommentRow.model_validate_json(line) for line in comments.read_text(encoding="utf-8").splitlines()]
    vectoriser = TfidfVectorizer(analyzer="char", ngram_range=(2, 5), sublinear_tf=True, lowercase=False)
    past = vectoriser.fit_transform([row.prompt[-1].content for row in rows])
    alike = vectoriser.transform([question[-1].content for question in questions]) @ past.T
    nearest = alike.toarray().argmax(axis=1)
    return [parse_completion(rows[int(index)].completion[-1].content) or "" for index in nearest]
