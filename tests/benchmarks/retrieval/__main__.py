"""Does retrieval find what this team said about the same issue before?

`python -m tests.benchmarks.retrieval --reviews FILE [FILE …] [--reviews FILE …] [--share 0.8]`

One `--reviews` for each team. The first `--share` of the comments is the past, the later ones are the questions; no
pull request is in both. Nobody has labelled which comments are about the same issue, so likeness of words stands for
it: cosine of TF-IDF between what was found and what was really said. Told for the best of the three found: its mean,
and the share (recall@3) with at least 0.3; differences to `before` and `lexical` by resampling pull requests.

    base  the hunk alone asks, as in the base model's question
    why   hunk and words ask, as `understudy why` does; asked with one half of the words, judged by the other, for
          else the words would find themselves

Arms: `random`; `before`, what `why` had until retrieval: whole names by TF-IDF, mean of hunk and words; `lexical`,
`dense` and `hybrid`, app/review/retrieval.py with and without vectors; `best`, the likest of all past comments.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from app.inference.embeddings import embed_static
from app.review.retrieval import Asked, Index, Vectors
from tests.benchmarks.retrieval.questions import Matrix, Split, cosines, judge, keep_half, read_split

FOUND = 3
ALIKE = 0.3
RESAMPLES = 2_000
_SEED = 7


def rank_base(split: Split) -> dict[str, Matrix]:
    """Scores of every past comment (column) for every question (row)."""
    asked = [Asked(code=comment.added) for comment in split.later]
    before = cosines([one.whole for one in split.past], [one.whole for one in split.later])
    return {"before": before, **_ours(split, asked)}


def rank_why(split: Split) -> dict[str, Matrix]:
    words = [keep_half(comment.body, 0) for comment in split.later]
    asked = [Asked(code=one.near, words=half) for one, half in zip(split.later, words, strict=True)]
    hunks = cosines([one.whole for one in split.past], [one.whole for one in split.later])
    said = cosines([one.body for one in split.past], words)
    return {"before": (hunks + said) / 2, **_ours(split, asked)}


def _ours(split: Split, asked: Sequence[Asked]) -> dict[str, Matrix]:
    pieces = [comment.piece for comment in split.past]
    vectors, wanted = embed_static([piece.words for piece in pieces]), embed_static([one.text for one in asked])
    lexical, hybrid = Index(pieces), Index(pieces, vectors)
    return {
        "lexical": np.stack([_scores(lexical, one, None) for one in asked]),
        "dense": np.asarray(wanted @ vectors.T, dtype=np.float64),
        "hybrid": np.stack([_scores(hybrid, one, row) for one, row in zip(asked, wanted, strict=True)]),
    }


def _scores(index: Index, asked: Asked, vector: Vectors | None) -> Matrix:
    ranked = index.rank(asked, vector)
    scores = np.zeros(len(ranked))
    scores[[one.at for one in ranked]] = [one.score for one in ranked]
    return scores


def best_found(scores: Matrix, truth: Matrix) -> Matrix:
    """The likeness of the likest of what was found, for each question."""
    found = np.argsort(-scores, axis=1, kind="stable")[:, :FOUND]
    return np.asarray(np.take_along_axis(truth, found, axis=1).max(axis=1))


def measure(splits: Sequence[Split], rank: Callable[[Split], dict[str, Matrix]], half: int | None) -> None:
    chance = np.random.default_rng(_SEED)
    arms: dict[str, list[Matrix]] = {}
    for split in splits:
        truth = judge(split, half)
        scores = {"random": chance.random(truth.shape), **rank(split), "best": truth}
        for name, one in scores.items():
            arms.setdefault(name, []).append(best_found(one, truth))
    weights = np.concatenate([_resample(split, chance) for split in splits], axis=1)
    for name, parts in arms.items():
        values = np.concatenate(parts)
        apart = " ".join(f"{part.mean():.4f}" for part in parts)
        told = "".join(f"; to {other} {_compare(values, arms[other], weights)}" for other in ("before", "lexical"))
        print(f"{name:8} mean {values.mean():.4f} ({apart}) recall@3 {(values >= ALIKE).mean():.4f}{told}")


def _resample(split: Split, chance: np.random.Generator) -> Matrix:
    """How often each question counts in each resampling of pull requests."""
    pulls, places = np.unique([comment.pull for comment in split.later], return_inverse=True)
    drawn = chance.integers(0, len(pulls), (RESAMPLES, len(pulls)))
    counts = np.stack([np.bincount(row, minlength=len(pulls)) for row in drawn])
    return np.asarray(counts[:, places], dtype=np.float64)


def _compare(values: Matrix, others: Sequence[Matrix], weights: Matrix) -> str:
    values = values - np.concatenate(others)
    resampled = weights @ values / weights.sum(axis=1)
    low, high = np.quantile(resampled, (0.025, 0.975))
    return f"{values.mean():+.4f} [{low:+.4f}, {high:+.4f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description="Retrieval on real review comments.")
    parser.add_argument("--reviews", type=Path, nargs="+", action="append", required=True)
    parser.add_argument("--share", type=float, default=0.8)
    arguments = parser.parse_args()
    splits = [read_split(files, arguments.share) for files in arguments.reviews]
    print("past and questions:", ", ".join(f"{len(one.past)} and {len(one.later)}" for one in splits))
    for title, rank, half in (("base", rank_base, None), ("why", rank_why, 1)):
        print(f"\n{title}")
        measure(splits, rank, half)


if __name__ == "__main__":
    main()
