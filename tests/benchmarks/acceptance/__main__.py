"""Whether, on real history: does the AcceptanceFilter know which comments a team acts on?

`python -m tests.benchmarks.acceptance --reviews FILE [FILE …] --mirror REPOSITORY.git [--share 0.8]`

Outcomes are not taken from an answer key: git says what became of each comment, as the harvest decides it
(app/harvest/evidence.py), between the commented commit and the pull request's head; what git can't tell is left out and
counted. Pull requests by date, fitted on the first `--share`, measured on the rest. Reported: the precision among the
comments that each arm lets pass when it keeps 80 % of those that were acted on, and the area under the curve; intervals
and paired differences by pull request. Arms: `none` passes everything; `tfidf` reads the comment's words alone;
`filter` is what ships.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from app.dataset.imports import ImportedComment
from app.dataset.rows import ACCEPTED, clean_body
from app.domain.diff_hunk import last_position, parse_diff_hunk
from app.domain.examples import Evidence
from app.domain.noise import decide_bot, decide_noise
from app.domain.snapshots import OutcomeRow
from app.github.git import ensure_mirror
from app.harvest.evidence import decide_evidence
from app.harvest.history import History, open_history
from training.scores.acceptance import fit_acceptance, read_texts
from training.scores.text_scores import Floats

KEPT = 0.8
RESAMPLES = 2_000
Labels = NDArray[np.int64]


def read_outcomes(comments: Iterable[ImportedComment], history: History, lost: Counter[str]) -> Iterator[OutcomeRow]:
    """Comments of other people that say something, and what git says became of them."""
    for comment in comments:
        if comment.author == comment.pr_author or decide_bot(comment.author, "User") or decide_noise(comment.body):
            lost["no comment of another person that says something"] += 1
            continue
        hunk = parse_diff_hunk(comment.diff_hunk)
        line, side = last_position(hunk)
        evidence = _ask_git(history, comment, line) if side == "RIGHT" else Evidence.UNKNOWN
        accepted = ACCEPTED.get(evidence)
        if accepted is None:
            lost[f"git can't tell: {'left side' if side == 'LEFT' else 'commit, file or head is gone'}"] += 1
            continue
        yield OutcomeRow(
            example=str(comment.id),
            repository=comment.repo,
            pull_request=comment.pr,
            created_at=comment.pr_created,
            path=comment.path,
            line_text=hunk.lines[-1].text.strip(),
            body=clean_body(comment.body),
            accepted=accepted,
        )


def _ask_git(history: History, comment: ImportedComment, line: int) -> Evidence:
    sha, head = comment.original_commit, f"refs/pull/{comment.pr}/head"
    if not sha or not history.has(sha) or not history.has(head):
        return Evidence.UNKNOWN
    fate = history.fate(comment.path, sha, head)
    return decide_evidence(fate, first=line, last=line, body=comment.body)


def score_arms(train: list[OutcomeRow], asked: list[OutcomeRow]) -> dict[str, Floats]:
    labels = [int(row.accepted) for row in train]
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    seen = words.fit_transform([row.body for row in train])
    plain = LogisticRegression(max_iter=1_000).fit(seen, labels)
    ours = fit_acceptance(train, precision=KEPT)
    texts = read_texts([row.line_text for row in asked], [row.body for row in asked])
    return {
        "none": np.full(len(asked), 0.5),
        "tfidf": plain.predict_proba(words.transform([row.body for row in asked]))[:, 1],
        "filter": ours.score(texts, len(asked)),
    }


def precision_at(scores: Floats, labels: Labels) -> float:
    """Precision among the rows at or over the highest threshold that keeps KEPT of the accepted ones."""
    accepted = np.sort(scores[labels == 1])[::-1]
    threshold = accepted[int(np.ceil(KEPT * len(accepted))) - 1]
    return float(labels[scores >= threshold].mean())


def measure(arms: dict[str, Floats], asked: list[OutcomeRow]) -> dict[str, object]:
    """Every measure with a 95 % interval from resampling pull requests, all arms under the same resamples."""
    labels: Labels = np.array([int(row.accepted) for row in asked])
    pulls = np.array([row.pull_request for row in asked])
    rows_of = [np.flatnonzero(pulls == pull) for pull in np.unique(pulls)]
    draw = np.random.default_rng(7)
    picks = [
        np.concatenate([rows_of[at] for at in draw.integers(0, len(rows_of), len(rows_of))]) for _ in range(RESAMPLES)
    ]
    picks = [pick for pick in picks if 0 < labels[pick].sum() < len(pick)]
    told: dict[str, object] = {}
    for measured, act in (("precision_at_80", precision_at), ("auc", lambda s, y: float(roc_auc_score(y, s)))):
        drawn = {name: np.array([act(scores[pick], labels[pick]) for pick in picks]) for name, scores in arms.items()}
        for name, scores in arms.items():
            told[f"{name} {measured}"] = _spell(act(scores, labels), drawn[name])
        for other in ("none", "tfidf"):
            gain = act(arms["filter"], labels) - act(arms[other], labels)
            told[f"filter minus {other} {measured}"] = _spell(gain, drawn["filter"] - drawn[other])
    return told


def _spell(value: float, drawn: Floats) -> list[float]:
    low, high = np.percentile(drawn, [2.5, 97.5])
    return [round(value, 3), round(float(low), 3), round(float(high), 3)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reviews", type=Path, nargs="+", required=True)
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--share", type=float, default=0.8)
    parser.add_argument("--outcomes", type=Path, help="keep what git said here, and read it from here the next time")
    asked = parser.parse_args()
    lost: Counter[str] = Counter()
    rows = _read(asked.reviews, asked.mirror, asked.outcomes, lost)
    opened = {row.pull_request: row.created_at for row in rows}
    pulls = sorted(opened, key=lambda pull: opened[pull])
    early = set(pulls[: round(asked.share * len(pulls))])
    train = [row for row in rows if row.pull_request in early]
    later = [row for row in rows if row.pull_request not in early]
    told = {
        "fitted on": [len(early), len(train), sum(row.accepted for row in train)],
        "measured on": [len(pulls) - len(early), len(later), sum(row.accepted for row in later)],
        "left out": dict(lost),
        **measure(score_arms(train, later), later),
    }
    sys.stdout.write(json.dumps(told, indent=1) + "\n")


def _read(reviews: list[Path], mirror: Path, kept: Path | None, lost: Counter[str]) -> list[OutcomeRow]:
    if kept is not None and kept.is_file():
        return [OutcomeRow.model_validate_json(line) for line in kept.read_text().splitlines()]
    lines = (line for path in reviews for line in path.read_text(encoding="utf-8").splitlines())
    comments = [ImportedComment.model_validate_json(line) for line in lines]
    with tempfile.TemporaryDirectory() as folder:
        # a mirror of ours is locked and its configuration written; somebody else's is only read
        copy = ensure_mirror(Path(folder), "benchmark", 1)
        shutil.copy(mirror / "packed-refs", copy / "packed-refs")
        (copy / "objects" / "info").mkdir(parents=True, exist_ok=True)
        (copy / "objects" / "info" / "alternates").write_text(f"{mirror.resolve() / 'objects'}\n")
        with open_history(copy) as history:
            rows = list(read_outcomes(comments, history, lost))
    if kept is not None:
        kept.write_text("".join(row.model_dump_json() + "\n" for row in rows))
    return rows


if __name__ == "__main__":
    main()
