"""Which pieces of documentation a file holds, whoever wrote it."""

import time

import pytest

from app.domain.references import TEXT_CHARACTERS, Reference, ReferenceKind
from app.history.passages import MOST_OF_A_FILE, read_passages, select_reader


def read(source: str | bytes, reader: str) -> list[Reference]:
    content = source if isinstance(source, bytes) else source.encode()
    return read_passages(content, reader, repository="o/r", path="x")


def told(source: str | bytes, reader: str) -> list[tuple[str, str, int, str]]:
    return [(one.kind.value, one.name, one.first_line, one.text) for one in read(source, reader)]


@pytest.mark.parametrize(
    ("path", "reader"),
    [
        ("README.md", "markdown"),
        ("a/b.RST", "rst"),
        ("a.py", "python"),
        ("a.tsx", "tsx"),
        ("Port.java", "java"),
        ("a.txt", None),
        ("Makefile", None),
    ],
)
def test_a_reader_is_chosen_by_the_files_name(path: str, reader: str | None) -> None:
    assert select_reader(path) == reader


def test_sections_of_markdown_end_where_the_next_begins_and_fences_hold_no_headings() -> None:
    text = (
        "What stands before all headings.\n\n# One *bold*\n\n```\n# no heading in here\n```\n\n"
        "Two\n---\n\nThe second section.\n> # quoted, no heading\n\n### Tiny\n\nshort\n"
    )
    assert told(text, "markdown") == [
        ("section", "", 1, "What stands before all headings."),
        ("section", "One *bold*", 3, "```\n# no heading in here\n```"),
        ("section", "Two", 9, "The second section.\n> # quoted, no heading"),
    ]


def test_sections_of_restructured_text_are_underlined() -> None:
    text = "Title\n=====\n\nThe first of the sections.\n\nNext one\n~~~~~~~~\n\nThe second of the sections.\n"
    assert told(text, "rst") == [
        ("section", "Title", 1, "The first of the sections."),
        ("section", "Next one", 6, "The second of the sections."),
    ]


PYTHON = '''"""What this module is good for."""


class Port:
    """Where ships wait for a berth."""

    def free(self):
        """Let the next ship come in now."""
        return 1

    class Inner:
        "A class that is inside of another."


class Silent:
    x = "no docstring, though a string"
'''
JAVA = """/**
 * A harbour that ships wait for.
 * @author somebody
 */
@Deprecated
public class Port {
  /** What a berth can be asked for. */
  interface Berth {}
  // no documentation of the record
  record Ship(int length) {}
}
"""
GO = """package port

// Pool holds the workers that are idle.
// There are few.
type Pool struct{}

// far away from the type

type Other struct{}
"""
TYPESCRIPT = """/** The store of all the orders. */
export class Store {}
/** What an order is made of here. */
interface Order { id: number }
"""


@pytest.mark.parametrize(
    ("source", "reader", "pieces"),
    [
        (
            PYTHON,
            "python",
            [
                ("section", "", 1, "What this module is good for."),
                ("class", "Port", 5, "Where ships wait for a berth."),
                ("class", "Inner", 12, "A class that is inside of another."),
                ("docstring", "Port.free", 8, "Let the next ship come in now."),
            ],
        ),
        (
            JAVA,
            "java",
            [
                ("class", "Port", 1, "A harbour that ships wait for."),
                ("class", "Berth", 7, "What a berth can be asked for."),
            ],
        ),
        (GO, "go", [("class", "Pool", 3, "Pool holds the workers that are idle.\nThere are few.")]),
        (
            TYPESCRIPT,
            "typescript",
            [
                ("class", "Store", 1, "The store of all the orders."),
                ("class", "Order", 3, "What an order is made of here."),
            ],
        ),
    ],
)
def test_docstrings_are_found_at_modules_classes_and_functions(
    source: str, reader: str, pieces: list[tuple[str, str, int, str]]
) -> None:
    assert told(source, reader) == pieces


def test_what_may_not_be_kept_is_left_out_and_nothing_hides() -> None:
    key = "AKIA" + "IOSFODNN7Q" + "ZXCVBN"
    secret = f"# Keys\n\nUse the key aws_access_key_id = {key} here.\n\n"
    text = f"{secret}# A\u202eB\n\nSeen\u200b and not hidden\x07 at all.\n"
    (piece,) = read(text, "markdown")
    assert (piece.name, piece.text) == ("AB", "Seen and not hidden at all.")
    (long,) = read("# Long\n\n" + "word " * 9_000, "markdown")
    assert len(long.text) <= TEXT_CHARACTERS
    assert read(b"# Title\n\nNot \xff\xfe in UTF-8, so not read", "markdown") == []
    twice = "# Same\n\nThe same words, said twice.\n\n"
    assert len(read(twice * 2, "markdown")) == 1


@pytest.mark.parametrize(
    "source", [b"#" * 200_000, b"[" * 200_000, b"> " * 100_000, b"* a\n" * 50_000, b"<!--" * 50_000, b"# a\n" * 50_000]
)
def test_hostile_markdown_costs_seconds_at_most(source: bytes) -> None:
    began = time.process_time()
    assert len(read(source, "markdown")) <= MOST_OF_A_FILE
    assert time.process_time() - began < 10


def test_hostile_code_nests_without_end_and_is_read_all_the_same() -> None:
    deep = "".join(f"{'  ' * level}class A{level}:\n" for level in range(400)) + "  " * 400 + "pass\n"
    assert read(deep, "python") == []
    assert read("(" * 100_000, "python") == []
    many = "".join(f'class A{number}:\n    """The documentation of number {number}."""\n' for number in range(400))
    assert len(read(many, "python")) == MOST_OF_A_FILE
    assert {one.kind for one in read(many, "python")} == {ReferenceKind.CLASS}
