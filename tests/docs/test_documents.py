"""What the documents tell a person to type exists, and what they link to is there."""

import re
from pathlib import Path

import pytest

from docs.website.lines import CHECKOUT, DOCUMENTS, GROUPS
from docs.website.reference.commands import read_commands

#: A command ends with its line or its backtick; its arguments may hold anything.
_COMMAND = re.compile(r"python -m (app|training|serving)( [^`\n]*)")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
_PATH = re.compile(r"`((?:app|training|serving|tests|docs|infra)/[\w./-]+|[\w-]+\.(?:toml|yml|md|txt))`")
_BENCHMARK = re.compile(r"python -m (tests\.[\w.]+)")
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def _commands() -> list[tuple[str, str, tuple[str, ...]]]:
    found = set()
    for document in DOCUMENTS:
        for program, rest in _COMMAND.findall(document.read_text(encoding="utf-8")):
            words = rest.split()
            if words and re.fullmatch(r"[a-z-]+", words[0]) and not words[0].startswith("-"):
                options = tuple(sorted(set(_OPTION.findall(rest))))
                depth = 2 if (program, words[0]) in GROUPS and len(words) > 1 else 1
                found.add((program, " ".join(words[:depth]), options))
    return sorted(found)


@pytest.mark.parametrize(("program", "command", "options"), _commands())
def test_every_command_and_option_exists(program: str, command: str, options: tuple[str, ...]) -> None:
    """By the programs' own parsers."""
    known = {found.name: found for found in read_commands()}
    assert f"{program} {command}" in known
    words = {word for option in known[f"{program} {command}"].options for word in option.name.split(", ")}
    assert set(options) <= words


def test_every_benchmark_that_is_named_is_there() -> None:
    named = {name for document in DOCUMENTS for name in _BENCHMARK.findall(document.read_text(encoding="utf-8"))}
    places = {name: CHECKOUT / name.replace(".", "/") for name in named}
    lacking = [name for name, place in places.items() if not (place.with_suffix(".py").exists() or place.is_dir())]
    assert (len(named) > 5, lacking) == (True, [])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    targets = _LINK.findall(document.read_text(encoding="utf-8"))
    missing = [target for target in targets if not (document.parent / target).exists()]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_every_path_that_is_named_is_there(document: Path) -> None:
    named = set(_PATH.findall(document.read_text(encoding="utf-8")))
    assert [path for path in sorted(named) if not (CHECKOUT / path).exists()] == []


def test_every_make_command_in_the_documents_is_in_the_makefile() -> None:
    known = set(re.findall(r"^([a-z]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    told = {
        name
        for document in DOCUMENTS
        for name in re.findall(r"`make ([a-z]+)|^    make ([a-z]+)", document.read_text(), re.MULTILINE)
        for name in name
        if name
    }
    assert told <= known
