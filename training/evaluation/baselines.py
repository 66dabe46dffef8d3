"""The arms that need no training: the base as it is asked today, better asked, shown examples, and no model at all."""

from collections.abc import Callable, Sequence

from app.domain.snapshots import CommentRow
from training.evaluation.bench import Bench
from training.evaluation.neighbours import pick_nearest
from training.evaluation.prompting import (
    WORDINGS,
    Prompt,
    choose_shots,
    render_few_shot,
    render_retrievals,
    reword,
)
from training.evaluation.suite import thin

Render = Callable[[Sequence[CommentRow]], Sequence[Prompt]]
#: Training rows that decide between wordings.
_WORDING_ROWS = 16


def measure_baselines(bench: Bench) -> None:
    """`base`, and those of nearest, prompt, few_shot and retrieval that the configuration names."""
    bench.score("base", bench.suite.rows, [row.prompt for row in bench.suite.rows])
    bench.answer("base", bench.suite.asked, [row.prompt for row in bench.suite.asked])
    measures = {"nearest": _nearest, "prompt": _prompt, "few_shot": _few_shot, "retrieval": _retrieval}
    for name, measure in measures.items():
        if name not in bench.config.arms:
            bench.sheet.notes.append(f"not measured: {name} (`arms` of the configuration does not name it)")
        elif not bench.train:
            bench.sheet.notes.append(f"not measured: {name} (the snapshot holds no training comments)")
        else:
            measure(bench)


def _nearest(bench: Bench) -> None:
    if bench.suite.asked:
        bench.write("nearest", bench.suite.asked, pick_nearest(bench.train, bench.suite.asked))


def _prompt(bench: Bench) -> None:
    """The best wording by training rows; today's own is the base arm already."""
    rows = thin(sorted(bench.train, key=lambda row: (row.created_at, row.example)), _WORDING_ROWS)
    means = []
    for wording in WORDINGS:
        losses = bench.losses("prompt:training", rows, [reword(row.prompt, wording) for row in rows])
        means.append(sum(losses) / len(losses))
    best = means.index(min(means))
    if best == 0:
        bench.sheet.notes.append(
            f"prompt: today's wording is the best of {len(WORDINGS)} on {len(rows)} training rows, so arm base is it"
        )
        return
    _measure(bench, "prompt", lambda rows: [reword(row.prompt, WORDINGS[best]) for row in rows])


def _few_shot(bench: Bench) -> None:
    config = bench.config
    shots = choose_shots(bench.train, config.shots, config.shot_tokens, bench.count)
    bench.sheet.notes.append(f"few_shot: {len(shots)} comments of the team as examples")
    _measure(bench, "few_shot", lambda rows: [render_few_shot(shots, row.prompt) for row in rows])


def _retrieval(bench: Bench) -> None:
    config = bench.config
    _measure(
        bench,
        "retrieval",
        lambda rows: render_retrievals(bench.train, rows, config.shots, config.shot_tokens, bench.count),
    )


def _measure(bench: Bench, arm: str, render: Render) -> None:
    """Prompts grow with what they show, so these arms may be asked on fewer rows than the rest."""
    scored = thin(bench.suite.rows, bench.config.compared_rows)
    asked = thin(bench.suite.asked, bench.config.compared_rows)
    bench.score(arm, scored, render(scored))
    bench.answer(arm, asked, render(asked))
