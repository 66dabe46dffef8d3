"""What an evaluation has found so far, by arm; it becomes the report's arms at the end."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.domain.evals import Arm, Figure
from app.domain.snapshots import CommentRow


@dataclass(frozen=True)
class Written:
    """Comments that an arm wrote, and the rows they are for, aligned."""

    rows: tuple[CommentRow, ...]
    comments: tuple[str, ...]


@dataclass
class Sheet:
    """`paired` is compared row by row: on every row of the suite, or on those that `scored` names."""

    figures: dict[str, dict[str, Figure | None]] = field(default_factory=dict)
    paired: dict[str, tuple[float, ...]] = field(default_factory=dict)
    #: examples of the rows of an arm that was scored on fewer
    scored: dict[str, tuple[str, ...]] = field(default_factory=dict)
    written: dict[str, Written] = field(default_factory=dict)
    #: per arm and asked row, in the order of `written`: the same issue as the reference, None where nobody judged
    same: dict[str, tuple[bool | None, ...]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, arm: str, **figures: Figure | None) -> None:
        """More figures of an arm, by the names of `Arm`'s fields."""
        self.figures[arm] = self.figures.get(arm, {}) | figures

    def arms(self) -> dict[str, Arm]:
        return {name: Arm.model_validate(found) for name, found in self.figures.items()}

    def writings(self) -> list[tuple[str, CommentRow, str]]:
        """Every arm's every comment with its row."""
        return [
            (arm, row, comment)
            for arm, written in self.written.items()
            for row, comment in zip(written.rows, written.comments, strict=True)
        ]


def known(values: Sequence[bool | None]) -> list[bool]:
    """Those that were judged."""
    return [value for value in values if value is not None]
