"""Patterns are matched as pathspec and git match them, and no pattern or name that strangers choose costs time."""

import random
import re
import subprocess
import time
from pathlib import Path

import pytest
from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from app.domain.attributes import parse_attributes
from app.domain.globs import AtomicPattern, parse_patterns
from app.domain.review_policy import STARS, ReviewPolicy

PIECES = ("a", "b", "a", "*", "*", "?", "[ab]", "[!a]", "[^b]", "[a-c]", r"\*", "ab", "_")
HOSTILE = (
    "*a" * STARS + "b",
    "*?" * STARS + "b",
    "*[a-c]" * STARS + "b",
    "*" * STARS + "b",
    "**/a/" * 4 + "b",
    "**/a*a*/" * 2 + "b",
    "a/**/*a/**/a*/b",
    "**/*a*a*a*a*a*ab/",
)
NAMES = ("a" * 200, "a/" * 99 + "a", "aa/" * 66 + "aa", "a" * 199 + "c", "a/" + "a" * 198)


def a_pattern(draw: random.Random) -> str:
    def name() -> str:
        if draw.random() < 0.25:
            return "**"
        return "".join(draw.choice(PIECES) for _ in range(draw.randint(1, 5)))

    names = "/".join(name() for _ in range(draw.randint(1, 5)))
    return f"{draw.choice(['', '', '/'])}{names}{draw.choice(['', '', '', '/'])}"


def a_path(draw: random.Random) -> str:
    return "/".join(
        "".join(draw.choice("aaabc_") for _ in range(draw.randint(1, 5))) for _ in range(draw.randint(1, 6))
    )


def old_regex(pattern: str) -> re.Pattern[str] | None:
    """pathspec's own; only that a class fits no slash is git's."""
    regex, _ = GitIgnoreSpecPattern.pattern_to_regex(pattern)
    return None if regex is None else re.compile(re.sub(r"\[(?!\^/\])", r"(?!/)[", regex))


def test_random_patterns_fit_what_they_fitted() -> None:
    draw = random.Random(5)  # noqa: S311  the same patterns in every run
    fitted = {"": 0, "/": 0}
    for _ in range(2_000):
        pattern = a_pattern(draw)
        old, (new, _) = old_regex(pattern), AtomicPattern.pattern_to_regex(pattern)
        assert (old is None) == (new is None), pattern
        if old is None or new is None:
            continue
        for path in (a_path(draw) for _ in range(25)):
            was, now = old.search(path), re.search(new, path)
            assert (was is None) == (now is None), (pattern, path)
            if was is not None and now is not None:
                below = was.groupdict().get("ps_d") or ""
                assert below == (now.groupdict().get("ps_d") or ""), (pattern, path)
                fitted[below] += 1
    assert min(fitted.values()) > 500


def test_lists_of_patterns_leave_out_what_they_left_out() -> None:
    draw = random.Random(6)  # noqa: S311  the same patterns in every run
    for _ in range(200):
        lines = [draw.choice(["", "", "!"]) + a_pattern(draw).replace("[!a]", "b").replace("[^b]", "a") for _ in "abcd"]
        old, new = GitIgnoreSpec.from_lines(lines), parse_patterns(tuple(lines))
        for path in (a_path(draw) for _ in range(20)):
            assert old.match_file(path) == new.match_file(path), (lines, path)


def test_git_says_the_same_of_random_attributes(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    draw = random.Random(7)  # noqa: S311  the same patterns in every run
    paths = [a_path(draw) for _ in range(150)]
    marked = 0
    for _ in range(60):
        drawn = (pattern for _ in "abcd" if (pattern := a_pattern(draw)).count("*") <= STARS)
        text = "".join(f"{pattern} linguist-generated\n" for pattern in drawn)
        (tmp_path / ".gitattributes").write_text(text)
        asked = ["git", "-C", str(tmp_path), "check-attr", "linguist-generated", *paths]
        told = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.splitlines()
        found = parse_attributes(text)
        for path, line in zip(paths, told, strict=True):
            assert (found.decide(path) == "generated") == line.endswith(": set"), (text, path)
        marked += sum(line.endswith(": set") for line in told)
    assert marked > 200


@pytest.mark.parametrize("pattern", HOSTILE)
@pytest.mark.parametrize("name", NAMES)
def test_no_pattern_and_no_name_cost_time(pattern: str, name: str) -> None:
    attributes = parse_attributes(f"{pattern} linguist-generated\n")
    policy = ReviewPolicy(ignore=(pattern,)) if pattern.count("*") <= STARS else ReviewPolicy()
    began = time.thread_time()
    attributes.decide(name)
    policy.decide_left_out(name)
    assert time.thread_time() - began < 1


def test_a_class_fits_no_slash_and_a_line_end_is_a_letter_like_any_other() -> None:
    assert ReviewPolicy(ignore=("a[!b]c", "x[.-0]y")).decide_left_out("a/c") is None
    assert ReviewPolicy(paths=("*.py",)).decide_left_out("a\nb/c.py") is None
    assert ReviewPolicy(ignore=("*.py",)).decide_left_out("a.py\n") is None


@pytest.mark.parametrize("pattern", ["[z-a]", "a[9-0]b*"])
def test_a_range_that_runs_backwards_is_told_to_owners_and_says_nothing_in_attributes(pattern: str) -> None:
    with pytest.raises(ValueError, match="expected a pattern"):
        parse_patterns((pattern,))
    assert parse_attributes(f"{pattern} linguist-generated\n*.c linguist-vendored\n").decide("a.c") == "vendored"
