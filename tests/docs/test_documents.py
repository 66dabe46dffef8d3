"""What the documents tell a person to type exists, and what they link to is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
DOCUMENTS = sorted([*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.md")])
#: A command ends with its line or its backtick; its arguments may hold anything.
_COMMAND = re.compile(r"python -m (app|training|serving)( [^`\n]*)")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
_PATH = re.compile(r"`((?:app|training|serving|tests|docs|infra)/[\w./-]+|[\w-]+\.(?:toml|yml|md|txt))`")
#: Commands that only hold others.
_GROUPS = {("app", "dataset")}
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def _commands() -> list[tuple[str, str, tuple[str, ...]]]:
    found = set()
    for document in DOCUMENTS:
        for program, rest in _COMMAND.findall(document.read_text(encoding="utf-8")):
            words = rest.split()
            if words and re.fullmatch(r"[a-z-]+", words[0]) and not words[0].startswith("-"):
                options = tuple(sorted(set(_OPTION.findall(rest))))
                depth = 2 if (program, words[0]) in _GROUPS and len(words) > 1 else 1
                found.add((program, " ".join(words[:depth]), options))
    return sorted(found)


@pytest.mark.parametrize(("program", "command", "options"), _commands())
def test_every_command_and_option_exists(program: str, command: str, options: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", program, *command.split(), "--help"],
        capture_output=True,
        text=True,
        check=False,
        cwd=CHECKOUT,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"},
    )
    assert done.returncode == 0, done.stderr
    for option in options:
        assert re.search(rf"(?<![\w-]){option}(?![\w-])", done.stdout), option


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
