"""A part of a Python file says what the whole file says."""

from pathlib import Path
from textwrap import indent

import pytest

from app.history.docstrings import Documented, parse_docstrings
from app.history.languages import load_language
from app.history.windows import select_window, select_windows

PYTHON = load_language("python")
FAR = "\n".join(f"A_{number} = {number}" for number in range(200))


def of_one_row(source: str, row: int) -> list[Documented]:
    return list(parse_docstrings(source.encode(), PYTHON, [row]))


def assert_rows_say_what_the_file_says(source: str) -> int:
    """Of every row that could open a docstring; returns how many do."""
    whole = {found.row: found for found in parse_docstrings(source.encode(), PYTHON)}
    rows = [row for row, line in enumerate(source.split("\n")) if PYTHON.opens.match(line.encode())]
    for row in rows:
        assert of_one_row(source, row) == ([whole[row]] if row in whole else []), (row, source.split("\n")[row])
    return len(whole)


def test_this_files_neighbours_are_read_the_same_in_parts() -> None:
    files = [path for folder in ("app/history", "app/screening") for path in sorted(Path(folder).glob("*.py"))]
    assert sum(assert_rows_say_what_the_file_says(path.read_text(encoding="utf-8")) for path in files) > 40


MOOR = 'def moor(ship):\n    """Moor her."""\n    pass\n'
QUOTED = "\n\ndef moor(ship):\n    '''Moor her.'''\n    pass\n\ndef after():\n    pass\n"
AWKWARD = {
    "a decorator over several lines": f'@mark(\n    "a", [\n    1,\n])\n{MOOR}',
    "a decorator that ends in its own margin": f"@mark(1,\n      2)\n{MOOR}",
    "a decorator, a comment and a blank line": f"@mark\n# why\n\n{MOOR}",
    "a decorator's end, then a blank line": f"@mark(\n    1\n)\n\n{MOOR}",
    "code in a string": f'CODE = """{QUOTED}"""\n',
    "code in a string of the function": f'{MOOR}    run("""\ndef inner():\n    pass\n""")\n    return ship\n',
    "comments and blank lines before it": 'def moor(ship):  # at once\n\n    # a note\n    """Moor her."""\n    pass\n',
    "a method": f'class Port:\n    """No function."""\n\n    @one\n{indent(MOOR, "    ")}',
    "under a condition": f"if A_1:\n\n{indent(MOOR, '    ')}",
    "broken": 'def moor(ship):\n    """Moor her."""\n    return (ship\n\n\ndef after():\n    pass\n',
    "no docstring": 'def moor(ship):\n    names = [\n        "one",\n    ]\n    return names\n',
}


@pytest.mark.parametrize("source", AWKWARD.values(), ids=AWKWARD.keys())
def test_awkward_places_are_read_the_same_in_parts(source: str) -> None:
    for text in (source, f"{FAR}\n\n\n{source}\n\n{FAR}\n", f"{source}\n\ndef after():\n    pass\n\n{FAR}\n"):
        assert_rows_say_what_the_file_says(text)


def test_a_window_is_the_statement_at_the_margin() -> None:
    lines = f'{FAR}\n\n@mark\ndef moor(ship):\n    """Moor her."""\n    pass\n\n{FAR}'.encode().split(b"\n")
    assert select_windows(lines, [203]) == {range(201, 206): [203]}
    assert select_windows(lines, [203, 204]) == {range(201, 206): [203, 204]}


def test_an_open_string_before_it_asks_for_the_whole_file() -> None:
    lines = b'A = """\n\ndef moor(ship):\n    pass\n"""'.split(b"\n")
    assert select_window(lines, 3) is None
    assert select_windows(lines, [3]) is None
