"""What the documents tell a person to type exists, and what they link to is there."""

import ast
import re
from pathlib import Path

import pytest

from docs.website.lines import CHECKOUT, DOCUMENTS, GROUPS, parse_line
from docs.website.reference.commands import Command, read_commands

#: A command ends with its line or its backtick; its arguments may hold anything.
_COMMAND = re.compile(r"python -m (app|training|serving)( [^`\n]*)")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
_PATH = re.compile(r"`((?:app|training|serving|tests|docs|infra)/[\w./-]+|[\w-]+\.(?:toml|yml|md|txt))`")
_BENCHMARK = re.compile(r"python -m (tests\.[\w.]+)")
#: A Python of the reader's own, which has none of our packages.
_BARE = re.compile(r"(?<!\.venv/bin/)\bpython3? -m (?:app|training|serving|tests)\b[^`\n]*")
_CURE = re.compile(r"`(\.venv/bin/python -m (?:app|training|serving) [^`\n]+)`")
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


def test_every_command_can_be_pasted() -> None:
    """Nobody is told to activate an environment. Left as they were: the records of what was changed and decided."""
    pages = [path for path in DOCUMENTS if path.name not in ("CHANGELOG.md", "ARCHITECTURE.md")]
    pages = [path for path in pages if path.parent.name != "adr"]
    told = {path.name: _BARE.findall(path.read_text(encoding="utf-8")) for path in pages}
    assert len(told) > 20
    assert {name: found for name, found in told.items() if found} == {}


def test_every_command_in_a_cure_can_be_pasted() -> None:
    """All words of the programs but their docstrings, which speak to who reads the code."""
    files = [file for folder in ("app", "training", "serving") for file in (CHECKOUT / folder).rglob("*.py")]
    bare = {str(file.relative_to(CHECKOUT)): _bare_words(file) for file in files}
    assert {name: words for name, words in bare.items() if words} == {}


def test_a_cure_that_says_options_says_all_that_are_required() -> None:
    required = {command.name: {name.split(", ")[0] for name in _required(command)} for command in read_commands()}
    files = [file for folder in ("app", "training", "serving") for file in (CHECKOUT / folder).rglob("*.py")]
    told = {(file.name, text) for file in files for text in _CURE.findall(_render_strings(file)) if " --" in text}
    assert len(told) >= 3
    lacking = []
    for name, text in told:
        line = parse_line(text)
        lacking += [(name, text)] if required[line.name] - set(line.words) else []
    assert lacking == []


def _required(command: Command) -> list[str]:
    return [one.name for one in command.options if one.default == "required" and one.name.startswith("--")]


def _render_strings(file: Path) -> str:
    """Every string of the file on a line of its own, with X for what is put in."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    joined = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    parts = {id(part) for node in joined for part in node.values}
    plain = [str(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in parts]
    mixed = ["".join(str(p.value) if isinstance(p, ast.Constant) else "X" for p in node.values) for node in joined]
    return "\n".join([*plain, *mixed])


def _bare_words(file: Path) -> list[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    words = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    told = [str(node.value) for node in words if id(node) not in documentation]
    return [text for text in told if _BARE.search(text) and text != "python -m serving"]  # argparse's `prog`


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
