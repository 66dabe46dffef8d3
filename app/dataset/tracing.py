"""Provenance: from a posted comment to adapter, snapshot, Examples and pull requests, and from an Example back.

An adapter learned from all of its snapshot's rows at once. Which of them made it write one particular comment is not
recorded anywhere; what is shown as nearest is likeness of words, and is said to be just that.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from app.dataset.erasing import hashes_of
from app.domain.erasure import ErasureKind, Subject, parse_subject
from app.domain.errors import UserError
from app.domain.prompt import parse_completion
from app.domain.snapshots import CommentRow
from app.store.tables import AdapterVersionRow, ExampleRow, FindingRow, ReviewRow, SnapshotRow

NEAREST = 5
_WORD = re.compile(r"[A-Za-z_]\w+")


def trace(session: Session, reference: str) -> dict[str, Any]:
    """`reference` is a comment's id on GitHub, a finding's fingerprint, an Example's hash, or owner/name#number.

    Returns `findings`, each with its adapter, snapshot and what it learned from, and `examples`, each with what learned
    from it. Across tenants: for the operator only.

    Raises:
        UserError: when nothing of that name is known.
    """
    findings = [trace_finding(session, *found) for found in _find_findings(session, reference)]
    examples = [_of_example(session, row) for row in _find_examples(session, reference)]
    if not findings and not examples:
        raise UserError(
            "expected a comment's id, a fingerprint fp1:…, an Example's hash ex1:… or a pull request owner/name#number "
            f"that is known here, got {reference!r}; it was never here, or it was erased"
        )
    return {"findings": findings, "examples": examples}


def _pull(reference: str) -> Subject | None:
    return parse_subject(ErasureKind.PULL_REQUEST, reference) if "#" in reference else None


def _find_findings(session: Session, reference: str) -> list[tuple[FindingRow, ReviewRow]]:
    query = select(FindingRow, ReviewRow).join(ReviewRow, col(ReviewRow.id) == col(FindingRow.review_id))
    pull = _pull(reference)
    if pull is not None:
        query = query.where(ReviewRow.repository == pull.repository, ReviewRow.pull_request == pull.number)
    elif reference.isdigit():
        query = query.where(FindingRow.comment_id == int(reference))
    else:
        query = query.where(FindingRow.fingerprint == reference)
    return list(session.exec(query.order_by(col(ReviewRow.created_at), col(FindingRow.path), col(FindingRow.line))))


def _find_examples(session: Session, reference: str) -> list[ExampleRow]:
    query = select(ExampleRow).order_by(col(ExampleRow.hash))
    pull = _pull(reference)
    if pull is not None:
        query = query.where(ExampleRow.repository == pull.repository, ExampleRow.pull_request == pull.number)
    elif reference.isdigit():
        query = query.where(ExampleRow.comment_id == int(reference))
    else:
        query = query.where(ExampleRow.hash == reference)
    return list(session.exec(query))


def trace_finding(session: Session, finding: FindingRow, review: ReviewRow) -> dict[str, Any]:
    """One posted comment, back to the pull requests that its adapter learned from."""
    name = review.adapter or str(finding.payload.get("adapter") or "")
    return {
        "fingerprint": finding.fingerprint,
        "comment_id": finding.comment_id,
        "posted": finding.posted,
        "pull_request": f"{review.repository}#{review.pull_request}",
        "head_sha": review.head_sha,
        "place": f"{finding.path}:{finding.line}",
        "body": finding.body,
        "adapter": _of_adapter(session, session.get(AdapterVersionRow, name), name, finding.body),
    }


def _of_adapter(session: Session, version: AdapterVersionRow | None, name: str, body: str) -> dict[str, Any]:
    if version is None:
        return {"name": name, "known": False}
    snapshot = session.get(SnapshotRow, version.snapshot_id)
    described = {
        "name": name,
        "known": True,
        "state": version.state,
        "stale": version.stale_at is not None,
        "snapshot": version.snapshot_id,
    }
    if snapshot is None or snapshot.erased_at is not None or not Path(snapshot.path).is_dir():
        return described | {"learned_from": "a snapshot that was erased", "examples": 0, "nearest": []}
    rows = list(_rows(Path(snapshot.path), "train"))
    hashes = {found for row in rows for found in hashes_of(row)}
    pulls = sorted({f"{row['repository']}#{row['pull_request']}" for row in rows})
    comments = [CommentRow.model_validate(row) for row in rows if "completion" in row]
    nearest = [
        {"example": row.example, "likeness": round(likeness, 3), "pull_request": f"{row.repository}#{row.pull_request}"}
        | {"reviewer": row.reviewer, "body": _words(row)}
        for likeness, row in select_nearest(body, comments)
    ]
    sentence = (
        f"learned from {len(hashes)} Examples of {len(pulls)} pull requests, all at once; which of them led to these "
        f"words cannot be known; the nearest {len(nearest)} by their words are named"
    )
    return described | {
        "learned_from": sentence,
        "examples": len(hashes),
        "pull_requests": pulls,
        "nearest": nearest,
    }


def _rows(folder: Path, part: str) -> Iterator[dict[str, Any]]:
    for file in sorted(folder.glob(f"*.{part}.jsonl")):
        with file.open(encoding="utf-8") as lines:
            yield from (json.loads(line) for line in lines)


def _words(row: CommentRow) -> str:
    content = row.completion[-1].content
    return parse_completion(content) or content


def select_nearest(text: str, rows: Sequence[CommentRow], count: int = NEAREST) -> list[tuple[float, CommentRow]]:
    """The rows whose words are most like the text: cosine of TF-IDF, those without a common word left out. Pure."""
    counted = [Counter(_WORD.findall(_words(row).lower())) for row in rows]
    spread = Counter(word for words in counted for word in words)
    rarity = {word: math.log((1 + len(rows)) / (1 + number)) + 1 for word, number in spread.items()}
    wanted = _weigh(Counter(_WORD.findall(text.lower())), rarity)
    scored = [(_cosine(wanted, _weigh(words, rarity)), row) for words, row in zip(counted, rows, strict=True)]
    found = sorted((pair for pair in scored if pair[0] > 0), key=lambda pair: (-pair[0], pair[1].example))
    return found[:count]


def _weigh(words: Counter[str], rarity: dict[str, float]) -> dict[str, float]:
    return {word: (1 + math.log(number)) * rarity[word] for word, number in words.items() if word in rarity}


def _cosine(one: dict[str, float], other: dict[str, float]) -> float:
    product = sum(weight * other.get(word, 0.0) for word, weight in one.items())
    lengths = math.hypot(*one.values()) * math.hypot(*other.values())
    return product / lengths if lengths else 0.0


def _of_example(session: Session, row: ExampleRow) -> dict[str, Any]:
    learned = [
        _of_snapshot(session, snapshot, parts)
        for snapshot, parts in _snapshots_with(session, row.installation_id, row.hash)
    ]
    return {
        "hash": row.hash,
        "kind": row.kind,
        "pull_request": None if row.pull_request is None else f"{row.repository}#{row.pull_request}",
        "comment_id": row.comment_id,
        "snapshots": learned,
    }


def _snapshots_with(session: Session, installation_id: int, wanted: str) -> Iterator[tuple[SnapshotRow, list[str]]]:
    query = select(SnapshotRow).where(
        SnapshotRow.installation_id == installation_id, col(SnapshotRow.erased_at).is_(None)
    )
    for snapshot in session.exec(query.order_by(col(SnapshotRow.created_at))):
        folder = Path(snapshot.path)
        parts = [part for part in ("train", "heldout") if any(wanted in hashes_of(row) for row in _rows(folder, part))]
        if parts:
            yield snapshot, parts


def _of_snapshot(session: Session, snapshot: SnapshotRow, parts: list[str]) -> dict[str, Any]:
    versions = session.exec(select(AdapterVersionRow).where(AdapterVersionRow.snapshot_id == snapshot.id)).all()
    adapters = []
    for version in versions:
        findings = select(FindingRow.fingerprint).join(ReviewRow, col(ReviewRow.id) == col(FindingRow.review_id))
        said = session.exec(findings.where(ReviewRow.adapter == version.name).order_by(col(FindingRow.fingerprint)))
        adapters.append({"name": version.name, "state": version.state, "findings": list(said)})
    return {"snapshot": snapshot.id, "parts": parts, "adapters": adapters}
