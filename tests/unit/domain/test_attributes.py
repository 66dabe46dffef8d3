"""What `.gitattributes` says of files is read as git reads it: held against git itself."""

import subprocess
from pathlib import Path

import pytest

from app.domain.attributes import NO_ATTRIBUTES, parse_attributes

TEXT = """\
# words
*.proto.ts linguist-generated=true
/api/** linguist-generated
docs linguist-vendored
deps/ linguist-vendored
lib/*.js linguist-vendored
lib/ours.js -linguist-vendored
src/**/gen.py text linguist-generated
src/kept/gen.py linguist-generated=false
!bad linguist-vendored
[attr]own linguist-generated
vendor/** linguist-vendored=false
"""
PATHS = [
    "a.proto.ts",
    "x/y/a.proto.ts",
    "api/a/b.py",
    "docs/a.md",
    "docs",
    "deps/a.c",
    "lib/a.js",
    "lib/x/a.js",
    "lib/ours.js",
    "src/gen.py",
    "src/a/b/gen.py",
    "src/kept/gen.py",
    "bad",
    "own",
    "vendor/a.go",
    "a.py",
]


def test_git_says_the_same(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitattributes").write_text(TEXT)
    for mark in ("generated", "vendored"):
        asked = ["git", "-C", str(tmp_path), "check-attr", f"linguist-{mark}", *PATHS]
        told = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.splitlines()
        git = {line.rpartition(": ")[2] for line in told}
        assert git >= {"set" if mark == "generated" else "unset", "unspecified"}
        for path, line in zip(PATHS, told, strict=True):
            value = line.rpartition(": ")[2]
            found = parse_attributes(TEXT)
            assert (found.decide(path) == mark) == (value in ("set", "true")), path
            assert found.denies(path, mark) == (value in ("unset", "false")), path


@pytest.mark.parametrize(
    "text",
    ["", "*" * 40 + " linguist-generated", "a" * 400 + " linguist-vendored", "a[ linguist-generated\n\0\0 x", "** -"],
)
def test_what_git_could_not_read_says_nothing(text: str) -> None:
    assert parse_attributes(text).decide("a" * 40 + "/b.py") is None
    assert not NO_ATTRIBUTES.denies("a.py", "vendored")
