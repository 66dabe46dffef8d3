"""What retrieval looks through, brought from the store: for the base's question and for `why`.

Vectors are made once and kept. An endpoint that makes none now costs no review: names alone are compared then.
"""

import asyncio
import logging
from collections.abc import Sequence

import numpy as np

from app.domain.diff import Hunk
from app.domain.errors import Refused, RetryLater
from app.domain.examples import Example
from app.domain.references import Reference, render_past_review, text_hash
from app.inference.embeddings import Vectors
from app.review.context import (
    PASSAGES_SHOWN,
    REVIEWS_SHOWN,
    ask_for_passages,
    ask_for_reviews,
    render_notes,
    select_found,
)
from app.review.nearest import NearReview, render_asked, select_nearest, select_told
from app.review.retrieval import Asked, Index, Piece, Ranked
from app.store.database import reading, writing
from app.store.references import (
    Library,
    delete_vectors_of,
    load_vectors,
    save_vectors,
    select_past_reviews,
    select_references,
)
from app.workflows.context import services

#: Seconds for the vectors of one review, whatever the endpoint does, and for those of a whole index.
_ASKED_SECONDS, _INDEXED_SECONDS = 60.0, 900.0
_log = logging.getLogger(__name__)


class RepositoryNotes:
    """Past reviews and documentation of one repository, for the hunks of one pull request, whose own comments are left
    out."""

    def __init__(self, library: Library, pull_request: int) -> None:
        self._library = library
        self._pull_request = pull_request

    async def find(self, hunks: Sequence[tuple[str, Hunk]]) -> list[str]:
        """As Notes.find."""
        reviews, passages = await asyncio.to_thread(self._load)
        said = await self._rank(reviews, [ask_for_reviews(hunk) for _, hunk in hunks])
        told = await self._rank(passages, [ask_for_passages(path, hunk) for path, hunk in hunks])
        return [
            render_notes(select_found(reviews, one, REVIEWS_SHOWN), select_found(passages, other, PASSAGES_SHOWN))
            for one, other in zip(said, told, strict=True)
        ]

    def _load(self) -> tuple[list[Reference], list[Reference]]:
        library = self._library
        with reading(services().database) as session:
            past = select_past_reviews(session, library.installation_id, library.repository)
            passages = select_references(session, library)
        others = (example for example in past if example.pull_request != self._pull_request and example.body)
        return [render_past_review(example) for example in others], passages

    async def _rank(self, references: list[Reference], asked: list[Asked]) -> list[list[Ranked]]:
        if not references:
            return [[] for _ in asked]
        pieces = [_piece(reference) for reference in references]
        vectors, wanted = await embed(self._library.installation_id, [piece.words for piece in pieces], asked)
        return await asyncio.to_thread(_rank_all, pieces, vectors, asked, wanted)


def _piece(reference: Reference) -> Piece:
    return Piece(code=reference.code or f"{reference.path} {reference.name}", words=reference.text)


def _rank_all(
    pieces: list[Piece], vectors: Vectors | None, asked: list[Asked], wanted: Vectors | None
) -> list[list[Ranked]]:
    index = Index(pieces, vectors)
    return [index.rank(one, None if wanted is None else wanted[at]) for at, one in enumerate(asked)]


async def find_nearest(installation_id: int, repository: str, diff_hunk: str, words: str) -> tuple[NearReview, ...]:
    """The approved past reviews nearest to a comment of ours."""
    told = await asyncio.to_thread(_load_told, installation_id, repository)
    asked = render_asked(diff_hunk, words)
    vectors, wanted = await embed(installation_id, [render_past_review(example).text for example in told], [asked])
    return await asyncio.to_thread(select_nearest, asked, told, vectors, None if wanted is None else wanted[0])


def _load_told(installation_id: int, repository: str) -> list[Example]:
    with reading(services().database) as session:
        return select_told(select_past_reviews(session, installation_id, repository))


async def embed(
    installation_id: int, texts: Sequence[str], asked: Sequence[Asked]
) -> tuple[Vectors | None, Vectors | None]:
    """One vector for each text, from the store where it is kept, and for what is asked, which is not kept; None and
    None where there is no model, or it does not answer now."""
    embedder = services().embedder
    if embedder is None or not texts:
        return None, None
    known = await asyncio.to_thread(_load_vectors, installation_id, embedder.name, texts)
    missing = {text_hash(text): text for text in texts if text_hash(text) not in known}
    if not missing and not asked:
        return None, None
    try:
        async with asyncio.timeout(_ASKED_SECONDS if asked else _INDEXED_SECONDS):
            made = await embedder.embed([*missing.values(), *(one.text for one in asked)])
    except (RetryLater, Refused, TimeoutError) as error:
        _log.warning("%s made no vectors, so names alone are compared: %s", embedder.name, error or "too slow")
        return None, None
    made = made.astype(np.float16).astype(np.float32)  # as they are kept, so that a ranking comes out the same again
    if any(len(row) != made.shape[1] for row in known.values()):
        _log.warning("%s makes vectors of another length than before; all are made anew", embedder.name)
        await asyncio.to_thread(_forget_vectors, installation_id, embedder.name)
        return None, None
    fresh = dict(zip(missing, made, strict=False))
    if fresh:
        await asyncio.to_thread(_save_vectors, installation_id, embedder.name, fresh)
    known |= fresh
    rows = [known[text_hash(text)] for text in texts]
    return np.stack(rows), made[len(missing) :]


def _load_vectors(installation_id: int, model: str, texts: Sequence[str]) -> dict[str, Vectors]:
    with reading(services().database) as session:
        return load_vectors(session, installation_id, model, texts)


def _forget_vectors(installation_id: int, model: str) -> None:
    with writing(services().database) as session:
        delete_vectors_of(session, installation_id, model)


def _save_vectors(installation_id: int, model: str, found: dict[str, Vectors]) -> None:
    with writing(services().database) as session:
        save_vectors(session, installation_id, model, found)
