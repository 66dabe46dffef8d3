"""A pull request while it is being written: functions put into files, and the text of every file at every commit."""

from dataclasses import dataclass, field
from typing import Literal

from app.rehearsal.organisation.code import Draft, Lines, SourceFile, function_starts, render_file

#: How the author answers a comment on a function: not at all, with the kept form, by applying the suggestion, with a
#: remark above the line, or (in noise) with a word at the line's end.
Answer = Literal["none", "fix", "suggestion", "remark", "touch"]


@dataclass
class Insertion:
    """A new function that stands after `gap` functions of the old file, from commit `born` on.

    `commented` is the offset of the commented line while nothing is answered; at `answered` the answer is committed.
    """

    path: str
    gap: int
    draft: Draft
    broken: bool
    born: int = 0
    commented: int | None = None
    answer: Answer = "none"
    answered: int | None = None

    def lines_at(self, commit: int) -> Lines:
        lines = self.draft.wrong if self.broken else self.draft.right
        if self.answered is None or commit < self.answered or self.commented is None:
            return lines
        if self.answer in ("fix", "suggestion"):
            return self.draft.right
        line, spot = lines[self.commented], slice(self.commented, self.commented + 1)
        if self.answer == "touch":
            return (*lines[: spot.start], f"{line}  # as agreed", *lines[spot.stop :])
        indent = line[: len(line) - len(line.lstrip())]
        return (*lines[: spot.start], f"{indent}# stays until the old feed is gone", *lines[spot.start :])


@dataclass
class Workspace:
    """The files a pull request touches. `edits` replaces old functions by index from the first commit on."""

    before: dict[str, SourceFile]
    insertions: list[Insertion] = field(default_factory=list)
    edits: dict[tuple[str, int], Lines] = field(default_factory=dict)

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(self.before)

    def file_at(self, path: str, commit: int) -> SourceFile:
        return self._merge(path, commit)[0]

    def texts_at(self, commit: int) -> dict[str, str]:
        return {path: render_file(self.file_at(path, commit)) for path in self.paths}

    def start_of(self, insertion: Insertion, commit: int) -> int:
        """The 1-based line of the insertion's `def` at a commit that has it."""
        file, position = self._merge(insertion.path, commit)
        return function_starts(file)[position[id(insertion)]]

    def line_of(self, insertion: Insertion, offset: int, commit: int) -> tuple[int, str]:
        """Number and text of one line of an insertion."""
        return self.start_of(insertion, commit) + offset, insertion.lines_at(commit)[offset]

    def _merge(self, path: str, commit: int) -> tuple[SourceFile, dict[int, int]]:
        """The file at a commit, and where in it each insertion stands (by identity)."""
        file = self.before[path]
        old = [self.edits.get((path, index), lines) for index, lines in enumerate(file.functions)]
        functions: list[Lines] = []
        position: dict[int, int] = {}
        for gap in range(len(old) + 1):
            functions += old[gap - 1 : gap] if gap else []
            for item in self.insertions:
                if item.path == path and item.gap == gap and item.born <= commit:
                    position[id(item)] = len(functions)
                    functions.append(item.lines_at(commit))
        return file.model_copy(update={"functions": tuple(functions)}), position
