"""A review of a pull request of twenty hunks, beside the same hunks reviewed one after the other.

`python -m tests.benchmarks.hunks --base DIR [--adapter DIR] [--hunks 20] [--repeats 5]` starts one server and makes the
draft of one pull request in two ways, in turns, through the code that a review uses (`draft_review`):

    together   one draft of all hunks: their questions are asked at once, and the server answers them in batches
    apart      one draft for each hunk, one after the other

Both ask about every hunk: scorers stand in that let every hunk's likeliest line pass, so that nothing but the way
of asking differs. `--adapter`: an AdapterVersion folder of the base; without it a random one, whose answers run to the
limit. To reach: together three times as fast. Each turn has a cache of its own (salted), and both ways are timed in
every round, so that other work on the machine slows both alike. Shown: seconds, their ratio by round and its median.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.domain.adapters import AdapterManifest
from app.domain.lines import LineSite
from app.domain.prompt import Message
from app.domain.review_policy import ReviewPolicy
from app.inference.adapter_control import AdapterControl
from app.inference.completions import CompletionClient
from app.review.budget import ANSWER_TOKENS
from app.review.coverage import ChangedFile
from app.review.drafting import Reviewer, draft_review
from tests.benchmarks.served import make_adapters, started

_SOURCES = Path(__file__).parents[2] / "serving"
_LINES = 14


@dataclass(frozen=True)
class _OnePerHunk:
    """Stands in for the Locator: of each file the line nearest to the middle of its one hunk, and no other."""

    threshold: float = 0.5

    def score(self, sites: Sequence[LineSite]) -> list[float]:
        middle = {
            path: min((site.line for site in sites if site.path == path), key=lambda line: abs(line - _LINES // 2))
            for path in {site.path for site in sites}
        }
        return [float(site.line == middle[site.path]) for site in sites]


@dataclass(frozen=True)
class _Everything:
    """Stands in for the AcceptanceFilter."""

    threshold: float = 0.5

    def score(self, line_text: str, body: str) -> float:
        return float(bool(line_text) or bool(body))


@dataclass
class _Writer:
    client: CompletionClient
    name: str
    salt: str = ""
    tokens: int = 0

    async def write(self, messages: tuple[Message, ...], *, seed: int | None = None) -> str:
        answer = await self.client.complete(
            model=self.name, messages=messages, max_tokens=ANSWER_TOKENS, cache_salt=self.salt, seed=seed
        )
        self.tokens += answer.completion_tokens
        return answer.text


def make_files(count: int) -> tuple[ChangedFile, ...]:
    """One file of one hunk each: lines of this repository's own sources, as if just added."""
    found = []
    for path in sorted(_SOURCES.glob("*.py")):
        texts = path.read_text().splitlines()
        for start in range(0, len(texts) - _LINES, _LINES):
            patch = "\n".join([f"@@ -0,0 +1,{_LINES} @@", *(f"+{text}" for text in texts[start : start + _LINES])])
            name = f"serving/{path.stem}_{start}.py"
            found.append(ChangedFile(path=name, status="added", patch=patch, changes=_LINES))
    return tuple(found[:: max(1, len(found) // count)][:count])


async def measure(url: str, key: str, name: str, options: argparse.Namespace) -> dict[str, object]:
    files = make_files(options.hunks)
    rounds = []
    async with CompletionClient(url, key) as client:
        writer = _Writer(client, name)
        reviewer = Reviewer(adapter=name, locator=_OnePerHunk(), writer=writer, acceptance=_Everything())
        for turn in range(options.repeats + 1):
            seconds = {
                "together": await _time(reviewer, writer, [files], f"together {turn}"),
                "apart": await _time(reviewer, writer, [(file,) for file in files], f"apart {turn}"),
            }
            rounds.append(seconds)
    counted = rounds[1:]  # the first warms the server up
    ratios = [round(one["apart"] / one["together"], 2) for one in counted]
    return {
        "hunks": len(files),
        "tokens_written_in_all": writer.tokens,
        "seconds": counted,
        "ratios": ratios,
        "median_ratio": statistics.median(ratios),
        "load": os.getloadavg(),
    }


async def _time(reviewer: Reviewer, writer: _Writer, parts: Sequence[tuple[ChangedFile, ...]], salt: str) -> float:
    writer.salt = salt
    policy = ReviewPolicy(max_comments=20)
    began = time.monotonic()
    candidates = 0
    for part in parts:
        draft = await draft_review(reviewer, part, repository="o/r", pull_request=1, policy=policy)
        candidates += draft.coverage.candidates
    seconds = round(time.monotonic() - began, 2)
    hunks = sum(len(part) for part in parts)
    if candidates != hunks:
        raise SystemExit(f"expected a question about each of {hunks} hunks, {candidates} were asked")
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--adapter", type=Path)
    parser.add_argument("--hunks", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="as of `serving run`")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="us-") as folder:
        work = Path(folder)
        if options.adapter is not None:
            manifest = AdapterManifest.model_validate_json((options.adapter / "manifest.json").read_bytes())
            name, place = manifest.name, options.adapter.absolute()
        else:
            ((name, place),) = make_adapters(options.base, work, 1, rank=8).items()
        with started(options.base, work / "s", "--max-rank", "8", "--threads", str(options.threads)) as server:
            asyncio.run(_load(server.url, server.control_key, name, place))
            found = asyncio.run(measure(server.url, server.read_key, name, options))
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


async def _load(url: str, key: str, name: str, place: Path) -> None:
    async with AdapterControl(url, key) as control:
        await control.load(name, place)


if __name__ == "__main__":
    main()
