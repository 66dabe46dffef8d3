"""Every command that a document tells a person to type is run by a test, or says why none can."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.website.blocks import read_blocks
from docs.website.lines import CHECKOUT, DOCUMENTS, parse_line, read_inline, read_lines
from docs.website.proofs import NAMED, PROOFS
from docs.website.reference.commands import read_commands

_PLACE = "docs/website/proofs.py"


def _told() -> Iterator[tuple[str, Path]]:
    for document in DOCUMENTS:
        for line in read_lines(document):
            yield line.name, document
        for text in read_inline(document):
            if re.match(r"(\.venv/bin/)?python -m (app|training|serving) [a-z]", text) or "-m tests." in text:
                yield parse_line(text).name, document


def test_commands_are_found_where_they_stand() -> None:
    names = {name for name, _ in _told()}
    assert {
        "app serve",
        "app dataset export",
        "training verify",
        "serving export",
        "make demo",
        "git clone",
        "cp",
    } <= names


def test_every_command_that_is_told_is_proven() -> None:
    lacking = {f"{name} ({path.relative_to(CHECKOUT)})" for name, path in _told() if name not in PROOFS}
    assert lacking == set(), f"name the test that runs it in {_PLACE}"


def test_every_line_gives_what_its_command_requires() -> None:
    """A line of its own is to be typed as it stands; what is only named within a sentence is not."""
    required = {
        command.name: {option.name.split(", ")[0] for option in command.options if option.default == "required"}
        for command in read_commands()
    }
    lines = [(line, document) for document in DOCUMENTS for line in read_lines(document) if line.name in required]
    assert len(lines) > 15
    asked = [
        (line, {name for name in required[line.name] if name.startswith("--")} - set(line.words)) for line, _ in lines
    ]
    assert [(line.text, lacking) for line, lacking in asked if lacking] == []


def test_every_command_that_there_is_is_proven_and_no_other() -> None:
    there = {command.name for command in read_commands()}
    assert there - set(PROOFS) == set(), f"name the test that runs it in {_PLACE}"
    assert {name for name in PROOFS if name.split()[0] in ("app", "training", "serving")} - there == set()


@pytest.mark.parametrize(("name", "test"), [(name, proof.test) for name, proof in PROOFS.items() if proof.test])
def test_the_test_is_there_and_speaks_of_the_command(name: str, test: str) -> None:
    text = (CHECKOUT / test).read_text(encoding="utf-8")
    assert Path(test).name.startswith("test_")
    assert re.search(r"^(async )?def test_", text, re.MULTILINE)
    word = name.rsplit(maxsplit=1)[-1].replace("-", "_")
    assert re.search(rf"\b{re.escape(word)}\b", text.replace("-", "_")), name


@pytest.mark.parametrize("name", [name for name, proof in PROOFS.items() if not proof.ran])
def test_what_is_not_run_says_why(name: str) -> None:
    assert len(PROOFS[name].why.split()) > 2


def test_every_marked_block_is_read_by_the_test_it_names() -> None:
    told = {block.by for document in DOCUMENTS for block in read_blocks(document.read_text(encoding="utf-8"))} - {""}
    assert told == set(NAMED)
    for name, test in NAMED.items():
        assert f'"{name}"' in (CHECKOUT / test).read_text(encoding="utf-8"), name
