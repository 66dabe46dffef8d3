"""Everything that would be stored of an Example is screened, and the reason never repeats what was found."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.diff import parse_patch
from app.domain.examples import Evidence, Example, ExampleKind, Fix
from app.domain.written import WrittenExample, WrittenKind
from app.screening.screen import decide_screened, decide_screened_written
from tests.planted_secrets import plant

_, SECRET, LINE = next(plant(1, seed=4))
MAIL = "jan@novak-orders.cz"
PATCH = "@@ -1,3 +1,3 @@\n import os\n-{removed}\n+{added}\n print(os)\n"


def an_example(*, removed: str = "old = 1", added: str = "new = 2", **more: Any) -> Example:
    fields: dict[str, Any] = {
        "kind": ExampleKind.REVIEW_COMMENT,
        "host": "github.test",
        "repository_id": 1,
        "repository": "acme/store",
        "pull_request": 7,
        "pull_request_created_at": datetime(2026, 1, 5, tzinfo=UTC),
        "commit_sha": "a" * 40,
        "path": "f.py",
        "hunk": parse_patch("f.py", PATCH.format(removed=removed, added=added)).hunks[0],
        "line": 2,
        "body": "Read it from the vault.",
        "evidence": Evidence.LINE,
    }
    return Example(**(fields | more))


def written(**more: Any) -> WrittenExample:
    fields: dict[str, Any] = {
        "kind": WrittenKind.COMMIT,
        "host": "github.test",
        "repository_id": 1,
        "repository": "acme/store",
        "commit_sha": "a" * 40,
        "written_at": datetime(2026, 1, 5, tzinfo=UTC),
        "path": "f.py",
        "context": "@@ -1,1 +1,1 @@\n-a = 1\n+a = 2",
        "text": "Count from two",
    }
    return WrittenExample(**(fields | more))


def test_a_plain_example_passes() -> None:
    assert decide_screened(an_example()) is None
    assert decide_screened_written(written()) is None


@pytest.mark.parametrize(
    "example",
    [
        an_example(body=f"This is live, rotate it: {LINE}"),
        an_example(added=LINE),
        an_example(removed=LINE),
        an_example(
            fix=Fix(commit="b" * 40, hunks=("@@ -1 +1 @@\n-a\n+b", f"@@ -2 +2 @@\n-{LINE}\n+key = vault.read()"))
        ),
        an_example(kind=ExampleKind.CLEAN_HUNK, body=None, line=None, evidence=None, added=LINE),
    ],
    ids=["body", "added", "removed", "fix", "clean hunk"],
)
def test_a_secret_anywhere_drops_the_example(example: Example) -> None:
    noise = decide_screened(example)
    assert noise is not None
    assert noise.reason == "secret"
    assert SECRET not in noise.detail


def test_a_key_over_several_lines_is_one_key_on_its_side() -> None:
    pem = next(secret for kind, secret, _ in plant(25, seed=4) if kind == "private_key").split("\n")
    rows = [f"-removed_{at} = {at}\n+{line}" for at, line in enumerate(pem)]
    patch = f"@@ -1,{len(rows)} +1,{len(rows)} @@\n" + "\n".join(rows)
    noise = decide_screened(an_example(hunk=parse_patch("k.pem", patch).hunks[0]))
    assert noise is not None
    assert noise.reason == "secret"


@pytest.mark.parametrize("where", ["context", "text"])
def test_written_words_are_screened_too(where: str) -> None:
    noise = decide_screened_written(written(**{where: f"+{LINE}"}))
    assert noise is not None
    assert noise.reason == "secret"


@pytest.mark.parametrize("example", [an_example(body=f"Ask {MAIL}."), an_example(added=f"owner = '{MAIL}'")])
def test_personal_data_drops_the_example(example: Example) -> None:
    noise = decide_screened(example)
    assert noise is not None
    assert noise.reason == "personal_data"
    assert MAIL not in noise.detail


def test_of_a_hundred_examples_with_secrets_a_hundred_are_dropped() -> None:
    noises = [decide_screened(an_example(added=line.replace("\n", "\\n"))) for _, _, line in plant(100, seed=1)]
    assert [noise.reason for noise in noises if noise is not None] == ["secret"] * 100


def test_a_fix_with_a_line_too_long_to_be_screened_is_not_kept() -> None:
    line = "eyJ-" * 60_000
    fix = Fix(commit="b" * 40, hunks=(f'@@ -2 +2 @@\n-old = "{line}"\n+new = 2',))
    began = time.thread_time()
    noise = decide_screened(an_example(fix=fix))
    assert time.thread_time() - began < 2  # 60 s when it was looked through
    assert noise is not None
    assert noise.reason == "not_screened"
    assert "4000 characters" in noise.detail
