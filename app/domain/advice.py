"""The advisor: should this team's rows be trained on at all? Pure, and every threshold has its source.

The thresholds are those of four practitioners' guides to fine-tuning of 2026. Where guides disagree, every rule whose
band holds the figure fires and is told, so that a person sees both.
"""

from typing import Literal, NamedTuple

from app.domain.base import Record

Verdict = Literal["use_as_examples", "format_only", "prompt_meanwhile", "train", "fix_the_prompt", "check_the_data"]

_SENTENCES: dict[Verdict, str] = {
    "use_as_examples": "Do not train yet: show these rows to the base as few-shot examples.",
    "format_only": "Enough to teach an output format, not a style: approve more before you expect the team's voice.",
    "prompt_meanwhile": "Style begins to show. Training may pay; until some 500 rows the prompt is the safer choice.",
    "train": "Enough representative rows to train on.",
    "fix_the_prompt": "Do not train: the base already does this with a good prompt.",
    "check_the_data": "Check what is asked and the rows themselves before you train.",
}


class AdviceCounts(Record):
    """Shares are 0..1. None means not known, which fires no rule."""

    #: comments that the team likely acted on, in training and held-out part
    examples: int
    #: how many of them are held out, None before the split
    heldout: int | None = None
    top_author: str | None = None
    top_author_share: float | None = None
    top_reviewer: str | None = None
    top_reviewer_share: float | None = None
    #: same question, different answers, none of them chosen yet
    contradictions: int = 0
    #: rows whose words are those of another row
    repeated: int = 0
    #: share of an evaluation that the base with its best prompt passes
    base_pass: float | None = None
    #: share of the measured rows that the base already answers
    base_leak: float | None = None


class Fired(Record):
    """A rule that applies: its stable name, what the figure is, and what the guides say of it."""

    rule: str
    figure: str
    says: str


class Advice(Record):
    verdict: Verdict
    sentence: str
    #: LoRA rank for this many rows, None where training is not advised
    rank: int | None
    fired: tuple[Fired, ...]


class MethodFacts(Record):
    """What the choice between LoRA and QLoRA rests on. Sizes in bytes; `accelerator` is None without one."""

    parameters: int
    accelerator: int | None
    examples: int


class MethodAdvice(Record):
    """LoRA or QLoRA and the rank, with the rules that said so."""

    method: Literal["lora", "qlora"]
    rank: int
    fired: tuple[Fired, ...]


class MethodChoice(NamedTuple):
    method: Literal["lora", "qlora"]
    rule: str
    says: str


class _Band(NamedTuple):
    rule: str
    least: float
    below: float
    says: str


_END = float("inf")
_EXAMPLES = (
    _Band("fewer_than_30", 0, 30, "fewer than 30 good examples: do not train, use them as few-shot examples"),
    _Band(
        "format", 30, 201, "30-200: enough only for a change of output format (50-100 at least, 200-500 comfortable)"
    ),
    _Band("style_shows", 100, 301, "100-300: style or tone starts to show; 500-1,000 is comfortable"),
    _Band("prompt_below_500", 30, 500, "below some 500 representative examples: prefer prompting meanwhile"),
    _Band("comfortable", 500, 1001, "500-1,000: comfortable for style and tone"),
    _Band("target", 800, 2001, "800-2,000 curated: the target for one team's review style"),
    _Band("quality", 2001, _END, "above 2,000: quality beats quantity; curate before you add"),
)
_BASE = (
    _Band("base_weak", 0, 0.40, "base below 40 %: check the task definition and the data first"),
    _Band("base_gap", 0.50, 0.7000001, "base at 50-70 %: a behaviour gap, which training closes"),
    _Band("base_strong", 0.80, _END, "base with the best prompt above 80-85 %: do not train, fix the prompt"),
)
_RANKS = (_Band("rank", 0, 200, "8"), _Band("rank", 200, 1001, "16"), _Band("rank", 1001, _END, "32"))
#: One author above this share of the rows is warned of; 10-20 % of the rows are held out before anything else.
_ONE_VOICE, _LEAST_HELDOUT, _MOST_HELDOUT = 0.80, 0.10, 0.20


def advise(counts: AdviceCounts) -> Advice:
    """What the guides say of these counts, the verdict, and every rule that led to it."""
    fired = [_fire(band, f"{counts.examples} examples") for band in _within(_EXAMPLES, counts.examples)]
    if counts.base_pass is not None:
        fired += [_fire(band, f"base passes {counts.base_pass:.0%}") for band in _within(_BASE, counts.base_pass)]
    verdict = _decide_verdict(counts)
    (rank,) = _within(_RANKS, counts.examples)
    untrained = verdict in ("use_as_examples", "fix_the_prompt")
    return Advice(
        verdict=verdict,
        sentence=_SENTENCES[verdict],
        rank=None if untrained else int(rank.says),
        fired=(*fired, *_warn(counts)),
    )


_GIB = 2**30
#: Nominal sizes, with room for how makers count. A base below the first size is small beside any card.
_SMALL_CARD, _MIDDLE_CARD = 16.5 * _GIB, 24.5 * _GIB
_WORTH_PACKING, _LARGE_BASE = 3_000_000_000, 13_000_000_000


def advise_method(facts: MethodFacts) -> MethodAdvice:
    """LoRA or QLoRA, and the rank for this many rows."""
    method, rule, says = decide_method(facts.parameters, facts.accelerator)
    card = "no accelerator" if facts.accelerator is None else f"{facts.accelerator / _GIB:.0f} GiB"
    (band,) = _within(_RANKS, facts.examples)
    rank = Fired(
        rule="rank",
        figure=f"{facts.examples} examples",
        says="below 200 rows rank 8, 200-1,000 rank 16, above 1,000 rank 32",
    )
    chosen = Fired(rule=rule, figure=f"{facts.parameters / 1e9:.2f}B parameters, {card}", says=says)
    return MethodAdvice(method=method, rank=int(band.says), fired=(chosen, rank))


def decide_method(parameters: int, accelerator: int | None) -> MethodChoice:
    """From the base's parameters and the bytes of its accelerator, None without one: for the advice and for `auto`.

    4 bits save about a third of the memory and cost about 39 % more time (the practitioners' guides), so a base that
    is small beside its card is left whole.
    """
    if accelerator is None:
        says = "on a processor 4-bit weights are unpacked in every product: they save memory and cost time"
        return MethodChoice("lora", "processor", says)
    if accelerator <= _SMALL_CARD and parameters >= _WORTH_PACKING:
        return MethodChoice("qlora", "small_card", "QLoRA when GPU memory is at most 16 GB")
    if accelerator <= _MIDDLE_CARD and parameters >= _LARGE_BASE:
        return MethodChoice("qlora", "large_base", "QLoRA for 13B or more on 24 GB")
    says = "LoRA: QLoRA saves about a third of the memory and costs about 39 % more time"
    return MethodChoice("lora", "enough_memory", says)


def _within(bands: tuple[_Band, ...], value: float) -> list[_Band]:
    return [band for band in bands if band.least <= value < band.below]


def _fire(band: _Band, figure: str) -> Fired:
    return Fired(rule=band.rule, figure=figure, says=band.says)


def _decide_verdict(counts: AdviceCounts) -> Verdict:
    if counts.base_pass is not None and counts.base_pass >= 0.80:
        return "fix_the_prompt"
    if counts.examples < 30:
        return "use_as_examples"
    if counts.contradictions or (counts.base_pass is not None and counts.base_pass < 0.40):
        return "check_the_data"
    if counts.examples < 100:
        return "format_only"
    return "prompt_meanwhile" if counts.examples < 500 else "train"


def _warn(counts: AdviceCounts) -> list[Fired]:
    """What is wrong with the rows, however many there are."""
    found: list[Fired] = []
    for role, name, share in (
        ("author", counts.top_author, counts.top_author_share),
        ("reviewer", counts.top_reviewer, counts.top_reviewer_share),
    ):
        if share is not None and share > _ONE_VOICE:
            says = f"one {role} above 80 % of the rows: it becomes that person's voice, not the team's"
            found.append(Fired(rule=f"one_{role}", figure=f"{name} has {share:.0%}", says=says))
    if counts.contradictions:
        says = "the same question with different answers: none may stay unresolved in a snapshot"
        found.append(Fired(rule="contradictions", figure=f"{counts.contradictions} open", says=says))
    if counts.repeated:
        says = "rows that repeat another's words teach it once more: keep one"
        found.append(Fired(rule="repeated", figure=f"{counts.repeated} rows", says=says))
    if counts.base_leak:
        says = "rows that the base already answers teach nothing"
        found.append(Fired(rule="base_leak", figure=f"{counts.base_leak:.0%} of the measured rows", says=says))
    if counts.heldout is not None and counts.examples:
        held = counts.heldout / counts.examples
        if not _LEAST_HELDOUT <= held <= _MOST_HELDOUT:
            says = "reserve 10-20 % as a test before anything else, split by time and by pull request"
            found.append(Fired(rule="heldout", figure=f"{held:.0%} held out", says=says))
    return found
