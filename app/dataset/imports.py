"""Bring your own review comments: a file of comments with their hunks becomes a DatasetSnapshot.

The operator who runs the import is who approves it. The same words are noise here as in the harvest, and what became
of a comment is what the file says of it: `gold_addressed` where there is one, else `addressed_proxy`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from app.dataset.folder import write_folder
from app.dataset.snapshot import assemble
from app.dataset.split import Pull, Split, decide_split
from app.domain.diff import Hunk
from app.domain.diff_hunk import last_position, parse_diff_hunk
from app.domain.errors import UserError
from app.domain.examples import Evidence, Example, ExampleKind
from app.domain.explaining import explain
from app.domain.noise import decide_bot, decide_noise
from app.domain.paths import decide_unread
from app.domain.snapshots import Part, SnapshotManifest
from app.screening.screen import decide_screened

#: Imported rows come from no host that we could ask again.
HOST = "import"


class ImportedComment(BaseModel):
    """One row. The commented line is the last of `diff_hunk`. Fields we do not read are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    repo: str = Field(min_length=1)
    pr: int
    pr_author: str | None
    pr_created: AwareDatetime
    id: int
    author: str
    path: str = Field(min_length=1)
    body: str
    diff_hunk: str
    original_commit: str | None = None
    addressed_proxy: Literal["yes", "no"] | None = None
    gold_addressed: bool | None = None

    @property
    def pull(self) -> Pull:
        return self.repo, self.pr

    @property
    def evidence(self) -> Evidence:
        addressed = self.gold_addressed if self.gold_addressed is not None else self.addressed_proxy
        if addressed is None:
            return Evidence.UNKNOWN
        return Evidence.LINE if addressed in (True, "yes") else Evidence.UNCHANGED


class Placed(BaseModel):
    """A comment and the hunk it stands in."""

    model_config = ConfigDict(frozen=True)

    comment: ImportedComment
    hunk: Hunk

    @property
    def place(self) -> tuple[object, ...]:
        """Comments with the same place stand in the same hunk, each cut at its own line."""
        first = self.hunk.lines[0]
        return *self.comment.pull, self.comment.path, self.comment.original_commit, first.old, first.new


def import_comments(
    train: Path, heldout: Path | None, folder: Path, *, installation: str, created_at: datetime
) -> SnapshotManifest:
    """A snapshot in `folder`. Without a held-out file, the newest fifth of the pull requests is held out.

    Raises:
        UserError: naming file, row and field of a broken row, or saying why no snapshot came of it.
    """
    read: dict[Part, list[Placed]] = {"train": list(_read(train))}
    if heldout is not None:
        read["heldout"] = list(_read(heldout))
    left_out: Counter[str] = Counter()
    reserved = {placed.comment.pull for placed in read.get("heldout", [])}
    kept = [placed for placed in read["train"] if placed.comment.pull not in reserved]
    left_out["import:pull_request_in_heldout"] = len(read["train"]) - len(kept)
    placed = kept + read.get("heldout", [])
    examples = _examples(placed, left_out)
    assembled = assemble(
        examples,
        _split(placed, reserved, heldout),
        installation=installation,
        source=" + ".join(f"import:{path.name}" for path in (train, heldout) if path),
        created_at=created_at,
        left_out={reason: count for reason, count in left_out.items() if count},
    )
    return write_folder(assembled, folder)


def _split(placed: list[Placed], reserved: set[Pull], heldout: Path | None) -> Split:
    if heldout is None:
        return decide_split((item.comment.pr_created, item.comment.pull) for item in placed)
    parts: dict[Pull, Part] = {
        item.comment.pull: "heldout" if item.comment.pull in reserved else "train" for item in placed
    }
    return Split(parts=parts, rule=f"as given: the {len(reserved)} pull requests of {heldout.name} are held out")


def _examples(placed: list[Placed], left_out: Counter[str]) -> list[Example]:
    spoken: dict[tuple[object, ...], set[int]] = defaultdict(set)
    for item in placed:
        line, side = last_position(item.hunk)
        if side == "RIGHT" and item.comment.author != item.comment.pr_author:
            spoken[item.place].add(line)
    examples: list[Example] = []
    for item in placed:
        reason = _reject(item.comment)
        example = _example(item, spoken[item.place]) if reason is None else None
        noise = decide_screened(example) if example is not None else None
        if example is not None and noise is None:
            examples.append(example)
        else:
            left_out[f"import:{reason if noise is None else noise.reason}"] += 1
    return examples


def _reject(comment: ImportedComment) -> str | None:
    if decide_bot(comment.author, "User"):
        return "bot"
    if comment.author == comment.pr_author:
        return "self_comment"
    if decide_unread(comment.path) is not None:
        return "unread_path"
    noise = decide_noise(comment.body)
    return None if noise is None else noise.reason


def _example(item: Placed, spoken: set[int]) -> Example:
    comment = item.comment
    line, side = last_position(item.hunk)
    shown = {shown.new for shown in item.hunk.lines}
    return Example(
        kind=ExampleKind.REVIEW_COMMENT,
        host=HOST,
        repository_id=0,
        repository=comment.repo,
        pull_request=comment.pr,
        pull_request_created_at=comment.pr_created,
        commit_sha=comment.original_commit or "",
        path=comment.path,
        hunk=item.hunk,
        commented_lines=tuple(sorted(number for number in spoken if number in shown)),
        comment_id=comment.id,
        reviewer=comment.author,
        line=line,
        side=side,
        body=comment.body,
        evidence=comment.evidence,
    )


def _read(path: Path) -> Iterator[Placed]:
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise UserError(f"{path}: expected a file of review comments, one JSON object a line; {error}") from error
    empty = True
    for number, line in enumerate(lines, 1):
        if line.strip():
            empty = False
            yield _place(path, number, line)
    if empty:
        raise UserError(f"{path}: expected at least one review comment, got an empty file")


def _place(path: Path, number: int, line: bytes) -> Placed:
    try:
        comment = ImportedComment.model_validate_json(line)
    except ValidationError as error:
        wrong = explain(error, whole="the row")
        raise UserError(
            f"{path}, row {number}: expected {wrong.field} to be valid ({wrong.words}), "
            f"got {wrong.given!r}; correct or remove the row"
        ) from error
    try:
        return Placed(comment=comment, hunk=parse_diff_hunk(comment.diff_hunk))
    except UserError as error:
        raise UserError(f"{path}, row {number}: diff_hunk: {error}; correct or remove the row") from error
