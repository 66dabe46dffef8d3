"""A synthetic team for the training tests: eight house rules over generated functions, written as a snapshot.

Three rules need the surrounding lines (`audit` before `charge`, a closed batch, no `sleep` in a loop); each rule
has clean counterparts, so silence has to be learned too. Train and held-out use different names.
"""

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.domain.diff import Hunk, parse_patch
from app.domain.examples import Evidence
from app.domain.prompt import PROMPT_VERSION, render_completion, render_prompt
from app.domain.snapshots import CommentRow, HunkRow, OutcomeRow, SnapshotManifest

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
REVIEWERS = ("ada", "bo", "cleo", "dev")
NAMES = {
    "train": ("order", "invoice", "parcel", "ticket", "refund", "basket", "coupon", "pallet", "driver", "route"),
    "heldout": ("voucher", "shipment", "customer", "depot", "claim", "label", "quote", "manifest"),
}
VERBS = ("load", "store", "check", "merge", "send", "split", "read", "count", "match", "close")


@dataclass(frozen=True)
class Rule:
    """`broken` and `kept` make body lines; the last item of `broken` is the line's offset in them."""

    name: str
    broken: Callable[[str, str], tuple[list[str], int]]
    kept: Callable[[str, str], list[str]]
    comments: tuple[str, ...]


RULES: tuple[Rule, ...] = (
    Rule(
        "print",
        lambda n, v: ([f'print("{v} {n}", {n}_id)'], 0),
        lambda n, v: [f'journal.note("{v} {n}", {n}_id)'],
        (
            "No print here: use `journal.note`, it carries the request id.",
            "Please use `journal.note` instead of print.",
        ),
    ),
    Rule(
        "timeout",
        lambda n, v: ([f"reply = http.get({n}_url)"], 0),
        lambda n, v: [f"reply = http.get({n}_url, timeout=DEADLINE)"],
        (
            "Every outgoing call needs `timeout=DEADLINE`; without it a worker hangs.",
            "Add `timeout=DEADLINE`, outgoing calls must not hang.",
        ),
    ),
    Rule(
        "cents",
        lambda n, v: ([f"{n}_total = float({n}_price)"], 0),
        lambda n, v: [f"{n}_total = Cents({n}_price)"],
        ("Money is never a float: wrap it in `Cents`.", "Use `Cents` for money, floats lose pennies."),
    ),
    Rule(
        "clock",
        lambda n, v: ([f"{n}_at = datetime.now()"], 0),
        lambda n, v: [f"{n}_at = clock.utc()"],
        ("Take the time from `clock.utc()` so that tests can set it.", "Use `clock.utc()`, not the wall clock."),
    ),
    Rule(
        "except",
        lambda n, v: (["try:", f"    {v}_{n}({n})", "except Exception:", "    return None"], 2),
        lambda n, v: ["try:", f"    {v}_{n}({n})", f"except {n.title()}Missing:", "    return None"],
        (
            "Name the error you expect; a bare Exception hides our own bugs.",
            "Too wide: catch the one error that can happen here.",
        ),
    ),
    Rule(
        "audit",
        lambda n, v: ([f"limit = {v}_limit({n})", f"charge({n}.account, {n}.amount)"], 1),
        lambda n, v: [f'audit("{v}", {n}.account)', f"charge({n}.account, {n}.amount)"],
        (
            "A charge without a trace: call `audit(...)` on the line before.",
            "We always `audit(...)` right before a charge, finance reads it.",
        ),
    ),
    Rule(
        "batch",
        lambda n, v: ([f"batch = open_batch({n}_rows)", f"batch.{v}({n})", f"return {n}"], 0),
        lambda n, v: [f"batch = open_batch({n}_rows)", f"batch.{v}({n})", "close_batch(batch)", f"return {n}"],
        (
            "This batch is never closed: pair it with `close_batch(batch)`.",
            "Missing `close_batch(batch)`; open batches block the nightly job.",
        ),
    ),
    Rule(
        "sleep",
        lambda n, v: ([f"for {n} in {n}s:", f"    {v}_{n}({n})", "    sleep(DELAY)"], 2),
        lambda n, v: [f"{v}_{n}({n})", "sleep(DELAY)"],
        (
            "Do not sleep inside a loop; hand the pace to `Throttle`.",
            "Use `Throttle` for the pace, a sleep per item blocks the worker.",
        ),
    ),
)


def _neutral(n: str, v: str, rng: random.Random) -> list[str]:
    return rng.choice(
        [
            [f"{n}_id = {n}.id"],
            [f"if {n} is None:", f"    raise {n.title()}Missing({n}_id)"],
            [f"{v}_{n}({n}, {n}_id)"],
            [f"rows = [{n}.key for {n} in {n}s]"],
            [f"for {n} in {n}s:", f"    {v}_{n}({n})"],
            [f"state = {n}.state or IDLE"],
        ]
    )


def _function(rng: random.Random, part: str, rule: Rule | None, *, broken: bool) -> tuple[str, list[str], int | None]:
    n, v = rng.choice(NAMES[part]), rng.choice(VERBS)
    before, after = _neutral(n, v, rng), _neutral(n, rng.choice(VERBS), rng)
    middle, offset = ([], None) if rule is None else rule.broken(n, v) if broken else (rule.kept(n, v), None)
    body = [f"def {v}_{n}({n}s, {n}_id):", *(f"    {line}" for line in [*before, *middle, *after]), ""]
    at = None if offset is None else 1 + len(before) + offset
    return f"src/{n}s/{v}.py", body, at


def _hunk(path: str, body: list[str], start: int) -> Hunk:
    context = ['"""Part of the depot."""', ""]
    lines = [*(f" {line}" for line in context), *(f"+{line}" for line in body)]
    patch = "\n".join([f"@@ -{start},2 +{start},{len(lines)} @@", *lines])
    return parse_patch(path, patch).hunks[0]


def _rows(part: str, pulls: int, rng: random.Random, first: int) -> tuple[list[CommentRow], list[HunkRow]]:
    comments, hunks = [], []
    for number in range(first, first + pulls):
        at = START + timedelta(days=number)
        rules = rng.sample(RULES, 4)
        wanted = [*((rule, True) for rule in rules), *((rng.choice(RULES), False) for _ in range(2)), (None, False)]
        for index, (rule, broken) in enumerate(wanted):
            path, body, offset = _function(rng, part, rule, broken=broken)
            hunk = _hunk(path, body, 10 + 40 * index)
            line = None if offset is None else [item.new for item in hunk.lines if item.kind == "added"][offset]
            example = "ex1:" + hashlib.sha256(f"{part}{number}/{index}".encode()).hexdigest()[:40]
            labels = tuple(
                None if item.kind != "added" or not item.text.strip() else int(item.new == line) for item in hunk.lines
            )
            place = {"repository": "acme/depot", "pull_request": number, "created_at": at, "path": path}
            hunks.append(HunkRow(examples=(example,), hunk=hunk, labels=labels, **place))
            if rule is not None and line is not None:
                comments.append(
                    CommentRow(
                        example=example,
                        line=line,
                        reviewer=rng.choice(REVIEWERS),
                        prompt=render_prompt(path, hunk, line),
                        completion=(render_completion(rng.choice(rule.comments)),),
                        weight=0.9,
                        evidence=Evidence.LINE,
                        **place,
                    )
                )
    return comments, hunks


def _shuffled(comments: list[CommentRow], rng: random.Random) -> list[CommentRow]:
    """The noise experiment: every comment moves to a line that another comment was made on."""
    completions = [row.completion for row in comments]
    rng.shuffle(completions)
    return [row.model_copy(update={"completion": words}) for row, words in zip(comments, completions, strict=True)]


def _outcomes(comments: list[CommentRow], rng: random.Random) -> list[OutcomeRow]:
    taste = "Could this have a nicer name?"
    rows = []
    for row in comments:
        accepted = rng.random() < 0.75
        body = json.loads(row.completion[0].content)["comment"] if accepted else taste
        keys = {"example", "repository", "pull_request", "created_at", "path"}
        text = next(line[2:] for line in row.prompt[1].content.splitlines() if line.startswith(">"))
        rows.append(OutcomeRow(line_text=text, body=body, accepted=accepted, **row.model_dump(include=keys)))
    return rows


def write_snapshot(
    folder: Path, *, train_pulls: int = 34, heldout_pulls: int = 10, seed: int = 0, noise: bool = False
) -> SnapshotManifest:
    """A complete snapshot folder: 4 comments, 2 kept rules and 1 neutral function per pull request."""
    folder.mkdir(parents=True)
    rng = random.Random(seed)  # noqa: S311 - test data, no secret
    files, counts = {}, {}
    for part, pulls, first in (("train", train_pulls, 1), ("heldout", heldout_pulls, 1 + train_pulls)):
        comments, hunks = _rows(part, pulls, rng, first)
        comments = _shuffled(comments, rng) if noise else comments
        for kind, rows in (("comments", comments), ("lines", hunks), ("outcomes", _outcomes(comments, rng))):
            name = f"{kind}.{part}.jsonl"
            data = "".join(row.model_dump_json() + "\n" for row in rows).encode()
            (folder / name).write_bytes(data)
            files[name], counts[name] = hashlib.sha256(data).hexdigest(), len(rows)
    manifest = SnapshotManifest(
        installation="acme-1",
        prompt_version=PROMPT_VERSION,
        created_at=START,
        split="by pull request and time",
        files=files,
        counts=counts,
        left_out={},
        source="synthetic",
    )
    (folder / "manifest.json").write_text(manifest.model_dump_json(indent=1))
    return manifest
