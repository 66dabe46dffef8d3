"""`examples.jsonl`: every judged thread and clean hunk, one JSON object a line, rejected threads with their reason."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from app.domain.base import canonical_json, content_hash
from app.domain.examples import Example, Rejection


def examples_jsonl(
    path: Path, examples: Iterable[Example], rejections: Iterable[Rejection], approvals: Mapping[str, str]
) -> int:
    """Writes the file anew and says how many lines it has. `approvals`: Example hash → decision in force."""
    lines = [_of_example(example, approvals.get(example.hash)) for example in examples]
    lines += [_of_rejection(rejection) for rejection in rejections]
    lines.sort(key=lambda line: (str(line["repository"]), line["pull_request"], line["comment_id"] or 0, line["hash"]))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(canonical_json(line) + "\n" for line in lines), encoding="utf-8")
    return len(lines)


def _of_example(example: Example, approval: str | None) -> dict[str, object]:
    return {
        "hash": example.hash,
        "kind": example.kind.value,
        "repository": example.repository,
        "pull_request": example.pull_request,
        "comment_id": example.comment_id,
        "path": example.path,
        "line": example.line,
        "side": example.side,
        "evidence": None if example.evidence is None else example.evidence.value,
        "fix": None if example.fix is None else example.fix.model_dump(mode="json"),
        "rejection": None,
        "weight": example.weight,
        "approval": approval,
    }


def _of_rejection(rejection: Rejection) -> dict[str, object]:
    """A rejected thread has no weight in training: 0."""
    return {
        "hash": content_hash("rj1", rejection.model_dump(mode="json")),
        "kind": "review_comment",
        "repository": rejection.repository,
        "pull_request": rejection.pull_request,
        "comment_id": rejection.comment_id,
        "path": rejection.path,
        "line": rejection.line,
        "side": rejection.side,
        "evidence": rejection.evidence.value,
        "fix": None if rejection.fix is None else rejection.fix.model_dump(mode="json"),
        "rejection": rejection.reason,
        "weight": 0.0,
        "approval": None,
    }
