"""`examples.jsonl` as the field interface says it."""

import json
from pathlib import Path

from app.dataset.listing import examples_jsonl
from app.domain.examples import Evidence, Fix, Rejection
from tests.unit.dataset.test_rows import a_clean_hunk, an_example

FIELDS = {
    "hash",
    "kind",
    "repository",
    "pull_request",
    "comment_id",
    "path",
    "line",
    "side",
    "evidence",
    "fix",
    "rejection",
    "weight",
    "approval",
}


def test_examples_and_rejected_threads_are_listed(tmp_path: Path) -> None:
    spoken = an_example(fix={"commit": "b" * 40, "hunks": ("@@ -1 +1 @@\n-a\n+b",)})
    rejected = Rejection(
        host="github.test",
        repository_id=1,
        repository="acme/store",
        pull_request=7,
        comment_id=12,
        path="f.py",
        line=3,
        side="RIGHT",
        evidence=Evidence.LINE,
        reason="praise",
        detail="it asks for nothing",
        fix=Fix(commit="c" * 40, hunks=("@@ -3 +3 @@\n-c\n+d",)),
    )
    path = tmp_path / "out" / "examples.jsonl"

    count = examples_jsonl(path, [spoken, a_clean_hunk()], [rejected], {spoken.hash: "approve"})

    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert count == len(rows) == 3
    assert all(set(row) == FIELDS for row in rows)
    clean, said, noise = rows
    assert (clean["kind"], clean["comment_id"], clean["evidence"]) == ("clean_hunk", None, None)
    assert (said["hash"], said["approval"], said["weight"], said["fix"]["commit"]) == (
        spoken.hash,
        "approve",
        0.9,
        "b" * 40,
    )
    assert (noise["rejection"], noise["weight"], noise["approval"]) == ("praise", 0.0, None)
    assert noise["fix"]["commit"] == "c" * 40
