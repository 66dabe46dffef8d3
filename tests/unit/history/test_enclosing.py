"""Which functions and classes stand around a row, and that no file of a stranger can hurt whoever asks."""

import asyncio
import time

import pytest

from app.domain.scopes import Scope
from app.history.enclosing import LARGEST_SOURCE, find_scopes
from app.history.scope_reader import read_scopes

PYTHON = """\
import a


class Store:
    @cached
    def load(
        self,
        key,
    ):
        found = self.rows
        return found


TOTAL = 1
"""
JAVA = """\
class Store {
  /** Loads. */
  @Override
  public Row load(Key key,
      int most) {
    return rows.get(key);
  }
}
"""
TYPESCRIPT = """\
export const load = async (key) => {
  open();
  return key;
};
"""
GO = """\
type Store struct {
  rows int
}
func (s *Store) Load() error {
  return nil
}
"""


@pytest.mark.parametrize(
    ("path", "source", "row", "scopes"),
    [
        ("a.py", PYTHON, 9, (Scope(3, 3, 10, False), Scope(4, 8, 10, True))),
        ("a.py", PYTHON, 0, ()),
        ("a.py", PYTHON, 13, ()),
        ("A.java", JAVA, 5, (Scope(0, 0, 7, False), Scope(2, 4, 6, True))),
        ("a.ts", TYPESCRIPT, 2, (Scope(0, 0, 3, True),)),
        ("a.go", GO, 4, (Scope(3, 3, 5, True),)),
        ("a.go", GO, 1, (Scope(0, 0, 2, False),)),
        ("notes.md", "# words", 0, ()),
    ],
)
def test_the_scopes_around_a_row(path: str, source: str, row: int, scopes: tuple[Scope, ...]) -> None:
    assert find_scopes(path, source, [row]) == {row: scopes}


async def test_the_child_says_the_same() -> None:
    assert await read_scopes("a.py", PYTHON, [9, 13]) == find_scopes("a.py", PYTHON, [9, 13])


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("a.py", "def f(:\n" * 200),
        ("a.py", "x = 1\n" * LARGEST_SOURCE),
        ("a.py", "("),
        ("a.py", ""),
        ("a.js", "\0" * 1_000),
    ],
)
def test_what_can_not_be_read_has_no_scopes(path: str, source: str) -> None:
    assert not (find_scopes(path, source, [0, 1, 7]) or {}).get(0)


async def test_a_file_that_would_eat_all_memory_ends_its_reader_only() -> None:
    began = time.monotonic()
    hostile = ["a<" * 90_000, "(" * 190_000, "{" * 190_000, '"' * 190_000]
    told = await asyncio.gather(*(read_scopes("A.java", text, [0]) for text in hostile))
    assert told[0] is None
    assert not any((one or {}).get(0) for one in told)
    assert time.monotonic() - began < 40
