"""A DatasetSnapshot: an immutable folder that training reads and nothing else does.

comments.{train,heldout}.jsonl   CommentRow   what to say, given the line
lines.{train,heldout}.jsonl      HunkRow      where reviewers spoke and where they kept silent
outcomes.{train,heldout}.jsonl   OutcomeRow   whether the team acted on what was said
written.{train,heldout}.jsonl    WrittenRow   what else the team wrote of its code; only where some was approved
contradictions.jsonl             Contradiction   different words for one place, and which stayed; only if there are any
manifest.json                    written last: its presence means the folder is complete
"""

from datetime import datetime
from typing import Literal

from app.domain.base import Record, content_hash
from app.domain.diff import Hunk
from app.domain.examples import Evidence
from app.domain.findings import FINGERPRINT
from app.domain.prompt import Message
from app.domain.written import WrittenKind

Part = Literal["train", "heldout"]


class CommentRow(Record):
    """A prompt and the team's own words for it. `weight` in 0..1 is the chance that the comment was acted on."""

    example: str
    repository: str
    pull_request: int
    created_at: datetime
    path: str
    line: int
    reviewer: str
    prompt: tuple[Message, ...]
    completion: tuple[Message, ...]
    weight: float
    evidence: Evidence


class HunkRow(Record):
    """A hunk that reviewers saw. `labels` has one entry per line of the hunk:

    1 a reviewer commented here · 0 an added line left alone · None no candidate (context, removed, or a comment
    that is no approved Example, which is neither a yes nor a no).
    """

    examples: tuple[str, ...]
    repository: str
    pull_request: int
    created_at: datetime
    path: str
    hunk: Hunk
    labels: tuple[int | None, ...]


class OutcomeRow(Record):
    """A comment and whether the team changed the line because of it.

    `example` is the Example's hash, or the fingerprint of a Finding of ours with a Verdict: such a row teaches the
    AcceptanceFilter alone, for a model must not train on its own words.
    """

    example: str
    repository: str
    pull_request: int
    created_at: datetime
    path: str
    line_text: str
    body: str
    accepted: bool

    @property
    def is_own(self) -> bool:
        return self.example.startswith(FINGERPRINT)


class WrittenRow(Record):
    """A change or function, and the words its author wrote about it. `weight` in 0..1 as in CommentRow."""

    example: str
    kind: WrittenKind
    repository: str
    #: None for history that no pull request is known for
    pull_request: int | None
    created_at: datetime
    commit_sha: str
    path: str | None
    author: str | None
    prompt: tuple[Message, ...]
    completion: tuple[Message, ...]
    weight: float


class Contradiction(Record):
    """Two rows of one part whose prompts are the same, or nearly, and whose words are not. The newer stayed.

    `likeness` in 0..1 is the Jaccard index of the prompts' token triples, 1 for equal prompts.
    """

    part: Part
    kept: CommentRow
    dropped: CommentRow
    likeness: float
    resolution: Literal["newest_stays"] = "newest_stays"


class SnapshotManifest(Record):
    schema_version: Literal["snapshot/1"] = "snapshot/1"
    installation: str
    prompt_version: str
    created_at: datetime
    split: str
    #: file name → sha256 of its bytes
    files: dict[str, str]
    #: file name → rows
    counts: dict[str, int]
    #: why rows of the store did not come in, by reason
    left_out: dict[str, int]
    source: str

    @property
    def id(self) -> str:
        """Of the content, not of the moment: two snapshots of the same rows are the same snapshot."""
        return content_hash("ds1", self.model_dump(mode="json", exclude={"created_at"}))
