"""Recorded pull requests, one JSON object a line: what `rehearse` plays.

Keys we know are read, all others are dropped at the door; an answer key in the file can't reach the code under test.
"""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from app.domain.errors import UserError
from app.domain.explaining import explain

Sha = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]


def _check_name(repo: str) -> str:
    if any(not part.strip(".") for part in repo.split("/")):
        raise ValueError("neither owner nor name may consist of dots only")
    return repo


class _Recorded(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ArchivedReply(_Recorded):
    id: int
    user: str
    created_at: AwareDatetime
    body: str


class ArchivedComment(_Recorded):
    """A review comment. `original_line` is on `side` of the diff at `original_commit_id`."""

    id: int
    user: str
    body: str
    path: str
    diff_hunk: str
    side: Literal["LEFT", "RIGHT"]
    original_line: int
    original_commit_id: Sha
    created_at: AwareDatetime
    replies: tuple[ArchivedReply, ...] = ()


class ArchivedPullRequest(_Recorded):
    repo: Annotated[str, StringConstraints(pattern=r"^[\w.-]+/[\w.-]+$"), AfterValidator(_check_name)]
    number: int = Field(gt=0)
    title: str
    author: str | None  # None once the account is gone
    created_at: AwareDatetime
    head_sha: Sha
    #: may be spelled as a parent, `<sha>^`
    first_commit_parent: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}\^*$")] | None = None
    comments: tuple[ArchivedComment, ...]

    @property
    def ended_at(self) -> datetime:
        """No earlier than anything that was said on it."""
        said = [comment.created_at for comment in self.comments]
        replied = [reply.created_at for comment in self.comments for reply in comment.replies]
        return max([self.created_at, *said, *replied])


def read_archive(path: Path) -> tuple[ArchivedPullRequest, ...]:
    """Every pull request of one repository, oldest first.

    Raises:
        UserError: naming the row and the field that is not as expected, for a file that can't be read, for an empty
            one, for two repositories in one file, and for a pull request that comes twice.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # a JSON string may hold other line ends
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: expected an archive of pull requests, one JSON object a line; {error}") from error
    rows = [_row(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not rows:
        raise UserError(f"{path}: expected at least one pull request, got an empty file")
    repositories = sorted({row.repo for row in rows})
    if len(repositories) > 1:
        raise UserError(f"{path}: expected one repository, got {', '.join(repositories)}; split the file")
    seen: set[int] = set()
    for row in rows:
        if row.number in seen:
            raise UserError(f"{path}: pull request {row.number} comes twice; keep one of its rows")
        seen.add(row.number)
    return tuple(sorted(rows, key=lambda row: (row.created_at, row.number)))


def _row(path: Path, number: int, line: str) -> ArchivedPullRequest:
    try:
        return ArchivedPullRequest.model_validate_json(line)
    except ValidationError as error:
        wrong = explain(error, whole="the row")
        raise UserError(
            f"{path}, row {number}: expected {wrong.field} to be a valid value ({wrong.words}), "
            f"got {wrong.given!r}; correct or remove the row"
        ) from error
