"""Where, on real history: `python -m tests.benchmarks.locator --archive FILE --mirror REPOSITORY.git`.

Give `--archive` again for a project's further files; one JSON object a line comes out. Pull requests by date; fitted on
the first share of them (`--splits`), measured on the rest; intervals and paired differences by pull request
(`training/evaluation/ranking.py`). Arms: `tfidf`, the baseline; `line` and `shape`, forced; `locator`, which chooses
for itself. `--files all` adds the files without a comment, as a review meets them; the protocol of design.md has none.
"""

import argparse
import json
import time
from pathlib import Path

from app.domain.evals import Figure
from app.domain.snapshots import HunkRow
from tests.benchmarks.locator.history import Reviewed, read_reviewed
from tests.benchmarks.locator.reading import read_comments
from tests.benchmarks.locator.serving import time_scoring
from training.evaluation.ranking import Ranking, compare_rankings, measure_ranking
from training.scores.baseline import score_tfidf
from training.scores.lines import judge_lines, read_texts
from training.scores.locator import ARMS, fit_locator

_ALARMS = 0.05


def measure(reviewed: Reviewed, share: float, arms: dict[str, tuple[str, ...]]) -> dict[str, object]:
    """Figures of one split: per arm, and per arm minus the baseline."""
    cut = round(share * len(reviewed.pulls))
    seen: list[HunkRow] = [row for rows in reviewed.pulls[:cut] for row in rows]
    train, asked = judge_lines(seen), judge_lines([row for rows in reviewed.pulls[cut:] for row in rows])
    baseline = score_tfidf(train, asked)
    found: dict[str, object] = {"tfidf": _show(measure_ranking(asked, baseline))}
    for name, tried in arms.items():
        began = time.monotonic()
        locator = fit_locator(seen, alarms=_ALARMS, arms=tried)
        seconds = time.monotonic() - began
        scores = locator.score(read_texts(asked.sites), len(asked.sites))
        found[name] = {
            **_show(measure_ranking(asked, scores)),
            "minus_tfidf": _show(compare_rankings(asked, scores, baseline)),
            "arm": locator.about.get("arm"),
            "fit_seconds": round(seconds, 1),
            "ms_per_1000_lines": time_scoring(locator, asked.sites),
        }
    return {
        "name": reviewed.name,
        "fitted_on": share,
        "pulls": [cut, len(reviewed.pulls) - cut],
        "lines": [len(train.labels), len(asked.labels)],
        "commented": [int(train.labels.sum()), int(asked.labels.sum())],
        "lost": reviewed.lost,
        "arms": found,
    }


def _show(ranking: Ranking) -> dict[str, list[float] | None]:
    """value, low, high"""
    return {name: _numbers(figure) for name, figure in vars(ranking).items()}


def _numbers(figure: Figure | None) -> list[float] | None:
    return None if figure is None else [round(item, 3) for item in (figure.value, figure.low, figure.high)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archive", type=Path, action="append", required=True)
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--splits", default="0.5,0.6,0.7,0.8")
    parser.add_argument("--arms", default="line,shape,locator")
    parser.add_argument("--files", choices=("commented", "all"), default="commented")
    parser.add_argument("--first", type=float, default=1.0, help="only this share of the pull requests, oldest first")
    arguments = parser.parse_args()
    name = arguments.archive[0].stem
    reviewed = read_reviewed(
        name, arguments.mirror, read_comments(arguments.archive), all_files=arguments.files == "all"
    )
    kept = Reviewed(name, reviewed.pulls[: round(arguments.first * len(reviewed.pulls))], reviewed.lost)
    arms = {arm: tuple(ARMS) if arm == "locator" else (arm,) for arm in arguments.arms.split(",")}
    for share in arguments.splits.split(","):
        print(json.dumps(measure(kept, float(share), arms)), flush=True)


if __name__ == "__main__":
    main()
