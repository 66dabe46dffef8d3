"""Does an adapter learn its own team, or reviewing in general? Each on its own held-out rows and on the others'.

`python -m tests.benchmarks.organisations --base DIR --out DIR --org NAME TRAIN HELDOUT --org … [--config FILE]`

Every organisation's comments are imported, an adapter is trained on each by the same configuration, and every one is
measured on every held-out part. Wanted: on each held-out part its own adapter has the lowest NLL and the smallest
distance in style, both outside the 95 % interval of the paired difference, which resamples pull requests: comments of
one are no independent witnesses. What is there already is not done again.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path

import numpy as np

from app.domain.evals import EvalReport, Figure
from app.domain.prompt import parse_completion
from training.evaluation.measures import Floats, describe_style
from training.rows.snapshot import load_snapshot

Organisation = tuple[str, Path, Path]
_RESAMPLES = 2000
_SEED = 20260101


def prepare(organisation: Organisation, base: Path, config: str, out: Path) -> None:
    """Import and train one organisation."""
    name, train, heldout = organisation
    snapshot, run = out / name / "snapshot", out / name / "run"
    if not (snapshot / "manifest.json").is_file():
        _python("app", "import-comments", train, "--heldout", heldout, "--snapshot", snapshot)
    _python("training", "sft", "--snapshot", snapshot, "--out", run, "--base", base, "--config", config)


def measure(owner: str | None, asked: str, base: Path, config: str, out: Path) -> EvalReport:
    """The adapter of `owner`, or the base, on the held-out part of `asked`."""
    report = out / "reports" / f"{owner or 'base'}-on-{asked}.json"
    if not report.is_file():
        adapter: list[str | Path] = [] if owner is None else ["--adapter", out / owner / "run" / "adapter"]
        snapshot = out / asked / "snapshot"
        _python(
            "training",
            "evaluate",
            "--snapshot",
            snapshot,
            *adapter,
            "--base",
            base,
            "--config",
            config,
            "--out",
            report,
        )
    return EvalReport.model_validate_json(report.read_text())


def read_pulls(snapshot: Path) -> dict[str, str]:
    """The pull request of each held-out example."""
    rows = load_snapshot(snapshot).comments("heldout")
    return {row.example: f"{row.repository}#{row.pull_request}" for row in rows}


def compare(own: EvalReport, other: EvalReport, pulls: Mapping[str, str]) -> dict[str, object]:
    """How much better its own adapter is than another's on the same rows; positive is better, 95 % intervals by pull
    request, `n` of them. `pulls`: the pull request of each example.
    """
    scored, asked = [pulls[row] for row in own.rows], [pulls[sample.example] for sample in own.samples]
    lift = resample_groups([other.paired["candidate"], own.paired["candidate"]], scored, _difference)
    wanted = [sample.reference for sample in own.samples]
    columns = [_habits(wanted), _habits(other.answers["candidate"]), _habits(own.answers["candidate"])]
    style = resample_groups([column for part in columns for column in part], asked, _style_gain)
    return {"nll": _spell(lift), "style_distance": _spell(style)}


def resample_groups(
    columns: Sequence[Sequence[float]], groups: Sequence[str], statistic: Callable[..., float]
) -> Figure:
    """`statistic(*columns)` over the rows, with a 95 % interval from resampling whole groups of rows."""
    data = [np.asarray(column, dtype=np.float64) for column in columns]
    names = np.asarray(groups)
    parts = [np.flatnonzero(names == name) for name in np.unique(names)]
    draw = np.random.default_rng(_SEED)
    picks = [np.concatenate([parts[at] for at in draw.integers(0, len(parts), len(parts))]) for _ in range(_RESAMPLES)]
    low, high = np.percentile([statistic(*(column[pick] for column in data)) for pick in picks], [2.5, 97.5])
    return Figure(value=statistic(*data), low=float(low), high=float(high), n=len(parts))


def _habits(texts: Sequence[str]) -> list[tuple[float, ...]]:
    said = [parse_completion(text) or text for text in texts]
    return list(zip(*(describe_style(text) for text in said), strict=True))


def _style_gain(*columns: Floats) -> float:
    third = len(columns) // 3
    wanted, other, own = columns[:third], columns[third : 2 * third], columns[2 * third :]
    return _distance(other, wanted) - _distance(own, wanted)


def _distance(ours: tuple[Floats, ...], theirs: tuple[Floats, ...]) -> float:
    return float(np.mean([abs(a.mean() - b.mean()) for a, b in zip(ours, theirs, strict=True)]))


def _difference(more: Floats, less: Floats) -> float:
    return float(more.mean() - less.mean())


def _spell(figure: Figure | None) -> dict[str, float] | None:
    return None if figure is None else {name: round(value, 4) for name, value in figure.model_dump().items()}


def _python(module: str, *arguments: str | Path) -> None:
    subprocess.run([sys.executable, "-m", module, *map(str, arguments)], check=True, stdout=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--config", default="default")
    parser.add_argument("--org", nargs=3, action="append", required=True, metavar=("NAME", "TRAIN", "HELDOUT"))
    asked = parser.parse_args()
    organisations = [(name, Path(train), Path(heldout)) for name, train, heldout in asked.org]
    for organisation in organisations:
        prepare(organisation, asked.base, asked.config, asked.out)
    names = [name for name, _, _ in organisations]
    told: dict[str, object] = {}
    for name in names:
        bare = measure(None, name, asked.base, asked.config, asked.out)
        told[f"base on {name}"] = _spell(bare.arms["base"].nll)
    for owner, home in product(names, names):
        report = measure(owner, home, asked.base, asked.config, asked.out)
        told[f"{owner} on {home}"] = {
            "nll": _spell(report.arms["candidate"].nll),
            "style_distance": _spell(report.arms["candidate"].style_distance),
        }
        if owner != home:
            own = measure(home, home, asked.base, asked.config, asked.out)
            told[f"gain of {home}'s own over {owner}'s on {home}"] = compare(
                own, report, read_pulls(asked.out / home / "snapshot")
            )
    sys.stdout.write(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
