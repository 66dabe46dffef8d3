"""Content hashes: the same content gives the same name, any other content another."""

import time
from datetime import UTC, datetime

import pytest

from app.domain.adapters import ADAPTER_NAME, AdapterManifest, BaseCheckpoint, check_base
from app.domain.base import canonical_json
from app.domain.diff import parse_patch
from app.domain.errors import Refused
from app.domain.examples import Evidence, Example, ExampleKind
from app.domain.findings import decide_severity, finding_fingerprint
from app.domain.lines import NAMES_PER_LINE, PAIRS_PER_LINE, render_pairs, render_sites
from app.domain.paths import decide_unread
from app.domain.prompt import LINE_WIDTH

HUNK = parse_patch("a.py", "@@ -1,2 +1,4 @@\n one\n-two\n+2\n+\n+three").hunks[0]
EXAMPLE = Example(
    kind=ExampleKind.REVIEW_COMMENT,
    host="github.com",
    repository_id=1,
    repository="o/r",
    pull_request=2,
    pull_request_created_at=datetime(2026, 1, 1, tzinfo=UTC),
    commit_sha="c" * 40,
    path="a.py",
    hunk=HUNK,
    comment_id=7,
    reviewer="ada",
    line=2,
    body="Use two.",
    evidence=Evidence.LINE,
)
BASE = BaseCheckpoint(name="b", revision="1", weights_hash="w", tokenizer_hash="t", template_hash="c")


def test_key_order_does_not_change_a_hash_and_content_does() -> None:
    assert canonical_json({"b": 1, "a": [2]}) == canonical_json({"a": [2], "b": 1})
    assert EXAMPLE.hash == EXAMPLE.model_copy().hash
    assert EXAMPLE.hash.startswith("ex1:")
    assert EXAMPLE.model_copy(update={"body": "Use two!"}).hash != EXAMPLE.hash
    assert EXAMPLE.model_copy(update={"evidence": Evidence.NEAR}).hash != EXAMPLE.hash


def test_an_unchanged_line_teaches_nothing_and_a_clean_hunk_everything() -> None:
    assert EXAMPLE.model_copy(update={"evidence": Evidence.UNCHANGED}).weight == 0
    assert EXAMPLE.model_copy(update={"evidence": None}).weight == 1


def test_sites_are_the_added_lines_with_text_and_their_surroundings_without_removed_lines() -> None:
    sites = render_sites("a.py", HUNK)
    assert [(site.line, site.text, site.previous, site.below) for site in sites] == [
        (2, "2", "one", "\nthree"),
        (4, "three", "", ""),
    ]


def test_the_blocks_around_a_line_are_the_nearest_lines_further_left() -> None:
    code = "class A:\n    x = 1\n\n    def f():\n        if y:\n            go()\n        stop()\nend()"
    patch = "@@ -0,0 +1,8 @@\n" + "\n".join(f"+{line}" for line in code.split("\n"))
    sites = render_sites("a.py", parse_patch("a.py", patch).hunks[0])
    assert [site.enclosing.split("\n") for site in sites] == [
        [""],
        ["class A:"],
        ["class A:"],
        ["def f():", "class A:"],
        ["if y:", "def f():", "class A:"],
        ["def f():", "class A:"],
        [""],
    ]


@pytest.mark.timeout(60)
def test_no_strangers_line_costs_the_square_of_its_length() -> None:
    names = " ".join(f"name{number}" for number in range(5_000))
    staircase = "\n".join(f"+{' ' * (3_000 - height)}x" for height in range(3_000))
    patch = f"@@ -0,0 +1,3003 @@\n+{names}\n+{names}\n+{names}\n{staircase}"
    before = time.process_time()
    sites = render_sites("a.py", parse_patch("a.py", patch).hunks[0])
    pairs = [render_pairs(site) for site in sites]
    assert time.process_time() - before < 10
    assert max(len(site.text) for site in sites) == LINE_WIDTH
    assert sum(len(text) for text in pairs) < 1_000_000


def test_names_and_pairs_of_a_line_are_bounded() -> None:
    line = " ".join("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    patch = "@@ -0,0 +1,9 @@\n" + "\n".join(f"+{line}{number}" for number in range(9))
    site = render_sites("a.py", parse_patch("a.py", patch).hunks[0])[1]
    assert len(render_pairs(site).split(" ")) == PAIRS_PER_LINE
    assert len({pair.split("^")[0] for pair in render_pairs(site).split(" ") if "^" in pair}) <= NAMES_PER_LINE


def test_a_fingerprint_survives_a_line_move_and_new_spacing() -> None:
    assert finding_fingerprint("a.py", "  x = 1", "Use  two.") == finding_fingerprint("a.py", "x = 1 ", "use two.")
    assert finding_fingerprint("a.py", "x = 1", "Use two.") != finding_fingerprint("b.py", "x = 1", "Use two.")


@pytest.mark.parametrize(
    ("body", "severity"), [("nit: space", "nit"), ("This must never block", "major"), ("Use two.", "minor")]
)
def test_severity_is_what_the_words_claim(body: str, severity: str) -> None:
    assert decide_severity(body) == severity


@pytest.mark.parametrize("field", ["name", "revision", "weights_hash", "tokenizer_hash", "template_hash"])
def test_an_adapter_for_another_base_is_refused_by_the_field_that_differs(field: str) -> None:
    manifest = AdapterManifest(
        installation="42",
        base=BASE,
        prompt_version="p2",
        snapshot="ds1:x",
        rank=8,
        seed=0,
        config={},
        packages={},
        files={},
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    assert ADAPTER_NAME.match(manifest.name)
    check_base(manifest, BASE)
    with pytest.raises(Refused, match=f"{field} .* but other is served"):
        check_base(manifest, BASE.model_copy(update={field: "other"}))


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("web/package-lock.json", "lock_file"),
        ("node_modules/x/i.js", "vendored"),
        ("a/b.min.js", "minified"),
        ("api/x_pb2.py", "generated"),
        ("logo.PNG", "binary"),
        ("ios/Pods/x/i.m", "vendored"),
        ("registry/pods/strategy.go", None),
        ("go.work.sum", "lock_file"),
        ("api/zz_generated.deepcopy.go", "generated"),
        ("src/vendor.py", None),
    ],
)
def test_unread_paths(path: str, reason: str | None) -> None:
    assert decide_unread(path) == reason
