"""The harvest on a real project's history, against its answer key, which the code under test never sees.

Needs the field data, and a bare clone of yegor256/cactoos with its pull refs named by the environment variable
UNDERSTUDY_CACTOOS_MIRROR. It says how many of the fixes that the key knows were found.
"""

import json
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from app.domain.examples import Evidence
from app.github.git import ensure_mirror, fetch_commits
from app.github.harvested import GHOST, Account, HarvestedComment, HarvestedPull, HarvestedThread
from app.harvest.history import open_history
from app.harvest.outcome import Outcome
from app.harvest.pull_request import commits_of, harvest_pull
from app.rehearsal.archive import ArchivedComment, ArchivedPullRequest, read_archive

ARCHIVE = Path(__file__).parents[4] / "shared" / "data" / "archives" / "yegor256__cactoos.jsonl"
MIRROR = os.environ.get("UNDERSTUDY_CACTOOS_MIRROR")
FOUND = frozenset({Evidence.LINE, Evidence.NEAR, Evidence.SUGGESTION_APPLIED})

pytestmark = [
    pytest.mark.field,
    pytest.mark.slow,
    pytest.mark.skipif(not ARCHIVE.exists(), reason="the field data is not on this machine"),
    pytest.mark.skipif(MIRROR is None, reason="UNDERSTUDY_CACTOOS_MIRROR names no bare clone of yegor256/cactoos"),
]


def as_harvested(row: ArchivedPullRequest) -> HarvestedPull:
    return HarvestedPull(
        host="archive",
        repository_id=1,
        repository=row.repo,
        number=row.number,
        title=row.title,
        author=Account(login=row.author) if row.author else GHOST,
        created_at=row.created_at,
        merged=True,
        base_sha=(row.first_commit_parent or row.head_sha).rstrip("^"),
        head_sha=row.head_sha,
        labels=(),
        reviews=(),
        threads=tuple(as_thread(comment) for comment in row.comments),
    )


def as_thread(comment: ArchivedComment) -> HarvestedThread:
    root = HarvestedComment(
        comment_id=comment.id,
        author=Account(login=comment.user),
        body=comment.body,
        created_at=comment.created_at,
        diff_hunk=comment.diff_hunk,
        original_commit_sha=comment.original_commit_id,
    )
    return HarvestedThread(
        node_id=str(comment.id),
        path=comment.path,
        side=comment.side,
        original_line=comment.original_line,
        original_start_line=None,
        is_file_comment=False,
        is_resolved=False,
        comments=(root,),
    )


def answer_key() -> dict[int, dict[str, Any]]:
    rows = [json.loads(line) for line in ARCHIVE.read_text().splitlines()]
    return {comment["id"]: comment["truth"] for row in rows for comment in row["comments"]}


def harvest_archive(folder: Path) -> dict[int, Outcome]:
    """What became of each comment whose commit the mirror has, by comment id."""
    mirror = ensure_mirror(folder, "archive", 1)
    outcomes: dict[int, Outcome] = {}
    for row in read_archive(ARCHIVE):
        pull = as_harvested(row)
        fetch_commits(mirror, str(MIRROR), number=pull.number, shas=commits_of(pull), allow_file=True)
        with open_history(mirror) as history:
            found = harvest_pull(pull, history)
            roots = [thread.root for thread in pull.threads]
            reachable = {root.comment_id for root in roots if history.has(root.original_commit_sha)}
        for example in found.examples:
            if example.comment_id in reachable and example.comment_id is not None and example.evidence is not None:
                outcomes[example.comment_id] = Outcome(evidence=example.evidence, fix=example.fix)
        for rejection in found.rejections:
            if rejection.comment_id in reachable:
                outcomes[rejection.comment_id] = Outcome(evidence=rejection.evidence)
    return outcomes


def test_known_fixes_are_found_and_ignored_comments_are_not_called_addressed(tmp_path: Path) -> None:
    began = time.monotonic()
    outcomes = harvest_archive(tmp_path)
    seconds = time.monotonic() - began

    truth = {number: facts for number, facts in answer_key().items() if number in outcomes}
    fixed = [number for number, facts in truth.items() if facts.get("author_gold_addressed") is True]
    ignored = [number for number, facts in truth.items() if facts.get("author_gold_addressed") is False]
    hit = [number for number in fixed if outcomes[number].evidence in FOUND]
    wrong = [number for number in ignored if outcomes[number].evidence in FOUND]
    told = {number: fix.commit for number in fixed if (fix := outcomes[number].fix)}
    same = [number for number, commit in told.items() if commit == truth[number]["gold_fix"]["commit"]]
    sys.stdout.write(
        f"\n{len(hit)} of {len(fixed)} known fixes found; {len(wrong)} of {len(ignored)} ignored comments called "
        f"addressed; the very commit in {len(same)} of {len(told)}; {seconds:.0f} s; "
        f"{dict(Counter(outcome.evidence.value for outcome in outcomes.values()))}\n"
    )
    assert len(fixed) >= 80
    assert len(hit) >= 0.95 * len(fixed)
    assert len(wrong) <= 1
    assert len(same) >= 0.9 * len(told)
