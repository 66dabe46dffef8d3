"""Putting a DatasetSnapshot together: rows to files, files to hashes, hashes to a manifest."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from app.dataset.folder import Assembled, hash_bytes
from app.dataset.rows import Rows, render_rows
from app.dataset.split import Split, settle_comments
from app.dataset.written import WrittenParts, render_written_parts
from app.domain.base import Record, canonical_json
from app.domain.errors import UserError
from app.domain.examples import Example
from app.domain.prompt import PROMPT_VERSION
from app.domain.snapshots import OutcomeRow, Part, SnapshotManifest
from app.domain.written import WrittenExample
from app.screening.behaviour import Said, decide_repeating
from app.screening.caps import Caps

PARTS: tuple[Part, ...] = ("train", "heldout")


def assemble(
    examples: Sequence[Example],
    split: Split,
    *,
    installation: str,
    source: str,
    created_at: datetime,
    left_out: dict[str, int] | None = None,
    written: Sequence[WrittenExample] = (),
    outcomes: Sequence[OutcomeRow] = (),
    caps: Caps | None = None,
) -> Assembled:
    """The bytes of every file and the manifest. `left_out` adds what was refused before it became an Example, and
    `outcomes` what became of our own Findings to what became of people's comments.

    Where nothing is `written` there are no files for it, so a snapshot of comments alone keeps its id.

    Raises:
        UserError: when no Example gives a row.
    """
    spoken, machines = _without_machines(examples)
    found = render_rows(spoken)
    rows = found.model_copy(update={"outcomes": (*found.outcomes, *outcomes)})
    told = render_written_parts(written, split)
    files, counts, dropped = _files(rows, split, told, caps)
    if not any(counts.values()):
        raise UserError(
            "expected at least one approved Example to learn from, got none that gives a row; "
            "approve merged pull requests with the label understudy:approve"
        )
    reasons = {**(left_out or {}), **machines, **rows.left_out, **dropped, **told.left_out}
    manifest = SnapshotManifest(
        installation=installation,
        prompt_version=PROMPT_VERSION,
        created_at=created_at,
        split=split.rule,
        files={name: hash_bytes(content) for name, content in files.items()},
        counts=counts,
        left_out=dict(sorted(reasons.items())),
        source=source,
    )
    return Assembled(files=files, manifest=manifest)


def _without_machines(examples: Sequence[Example]) -> tuple[list[Example], dict[str, int]]:
    """Without the comments of logins that say the same in one pull request after another; the harvest sees only one."""
    said = [
        Said(
            login=example.reviewer,
            pull=(example.repository, example.pull_request),
            body=example.body,
            created_at=example.pull_request_created_at,
        )
        for example in examples
        if example.reviewer is not None and example.body is not None
    ]
    machines = decide_repeating(said)
    kept = [example for example in examples if example.reviewer not in machines]
    return kept, {"comment:bot_behaviour": len(examples) - len(kept)} if machines else {}


def _files(
    rows: Rows, split: Split, told: WrittenParts, caps: Caps | None
) -> tuple[dict[str, bytes], dict[str, int], dict[str, int]]:
    """Bytes by name, rows by name, and what was left out at the split by reason."""
    train, heldout = (
        [row for row in rows.comments if split.parts[row.repository, row.pull_request] == part] for part in PARTS
    )
    settled = dict(zip(PARTS, settle_comments(train, heldout, caps=caps), strict=True))
    content: dict[str, Sequence[Record]] = {}
    contradictions = [found for part in PARTS for found in settled[part].contradictions]
    if contradictions:
        content["contradictions.jsonl"] = contradictions
    for part in PARTS:
        content[f"comments.{part}.jsonl"] = settled[part].rows
        content[f"lines.{part}.jsonl"] = [
            row for row in rows.hunks if split.parts[row.repository, row.pull_request] == part
        ]
        content[f"outcomes.{part}.jsonl"] = [
            row for row in rows.outcomes if split.part_of(row.created_at, (row.repository, row.pull_request)) == part
        ]
        if any(told.rows.values()):
            content[f"written.{part}.jsonl"] = told.rows[part]
    dropped = {reason: count for part in PARTS for reason, count in settled[part].left_out.items()}
    counts = {name: len(found) for name, found in content.items()}
    return {name: render_lines(found) for name, found in content.items()}, counts, dropped


def render_lines(rows: Iterable[Record]) -> bytes:
    """One canonical JSON object a line, so that the same rows are the same bytes."""
    return b"".join(canonical_json(row.model_dump(mode="json")).encode() + b"\n" for row in rows)
