"""How many of people's own comments the rule about code not shown would drop.

`python -m tests.benchmarks.unseen FILE …` reads review comments, one JSON object a line with `created`, `body`, `path`
and `diff_hunk`, all files together in time's order; the names in the earlier 80 % are known. It prints one JSON object:
shares of the later 20 % by the rule as it is, and by one that took every unknown name in code style for a claim.
"""

import argparse
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from app.domain.diff_hunk import last_position, parse_diff_hunk
from app.domain.prompt import render_prompt
from app.review.unseen import collect_names, find_unseen

_CODE = re.compile(r"`([^`\n]+)`|\b([A-Za-z_][\w.]*)\(")


class Said(NamedTuple):
    created: str
    body: str
    shown: str


def read_comments(paths: Iterable[Path]) -> list[Said]:
    """In time's order, each with what an adapter would be shown of its place."""
    rows = [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    return sorted(Said(row["created"], row["body"], _show(row["path"], row["diff_hunk"])) for row in rows)


def _show(path: str, diff_hunk: str) -> str:
    hunk = parse_diff_hunk(diff_hunk)
    return render_prompt(path, hunk, *last_position(hunk))[-1].content


def measure(comments: list[Said]) -> dict[str, float]:
    earlier, later = comments[: len(comments) * 4 // 5], comments[len(comments) * 4 // 5 :]
    vocabulary = collect_names(one.body for one in earlier)
    dropped = sum(bool(find_unseen(one.body, one.shown, vocabulary)) for one in later)
    named = sum(not _code_names(one.body) <= collect_names([one.shown]) | vocabulary for one in later)
    return {
        "comments": len(later),
        "dropped": dropped,
        "dropped_share": round(dropped / len(later), 4),
        "unknown_names_share": round(named / len(later), 4),
    }


def _code_names(body: str) -> frozenset[str]:
    return collect_names(one or other for one, other in _CODE.findall(body))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    print(json.dumps(measure(read_comments(parser.parse_args().files))))  # noqa: T201 - what it is for


if __name__ == "__main__":
    main()
