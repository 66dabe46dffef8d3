"""Each check of rows, base and settings. Pure: rows and figures in, findings out; silence says that all is well."""

from collections.abc import Sequence
from itertools import pairwise

from app.domain.advice import Advice, MethodAdvice
from app.domain.estimates import Estimate, gib
from app.domain.preflight import Finding, Severity, TokenHistogram
from training.config import TrainingConfig
from training.rows.tokenising import TokenRow

#: Rows over max_length that are still no reason to look (above 1 % long files go unlearnt).
_FEW_OVERLONG = 0.01
#: Below this share of one label a preference or acceptance training learns to always give the other.
LEAST_MINORITY = 0.05
#: Share of the free memory that a training may be estimated to need.
_FILLED = 0.9
#: What the serving front lets an answer have.
SERVED_ANSWER_TOKENS = 512


def check_advice(advice: Advice, *, despite: bool) -> list[Finding]:
    """Whether to train at all; `despite` turns a refusal into a warning, for somebody who knows better."""
    severity: Severity = "warn" if despite or advice.rank is not None else "refuse"
    found = []
    if advice.verdict != "train":
        rules = "; ".join(f"{fired.rule}: {fired.says} ({fired.figure})" for fired in advice.fired)
        how = "" if severity == "warn" else " Train nevertheless with --despite-advice"
        found.append(Finding(check="advice", severity=severity, text=f"{advice.sentence} [{rules}]{how}"))
    found += [
        Finding(check=f"advice:{fired.rule}", severity="warn", text=f"{fired.figure}: {fired.says}")
        for fired in advice.fired
        if fired.rule in ("one_author", "one_reviewer", "contradictions", "repeated", "heldout")
    ]
    return found


def check_method(method: MethodAdvice, *, chosen: str, rank: int) -> list[Finding]:
    """The configuration has the last word; that it differs from the advice is said."""
    said = [f"{fired.figure}: {fired.says}" for fired in method.fired]
    found = []
    if chosen != method.method:
        text = f"the configuration says {chosen}, the advice is {method.method} ({said[0]})"
        found.append(Finding(check="method", severity="warn", text=text))
    if rank != method.rank:
        text = f"the configuration says rank {rank}, the advice is {method.rank} ({said[1]})"
        found.append(Finding(check="rank_advice", severity="note", text=text))
    return found


def check_rank(rank: int, *, max_rank: int) -> list[Finding]:
    if rank <= max_rank:
        return []
    text = (
        f"rank {rank} is above {max_rank}, the largest that the servers hold; train at {max_rank} or less, or start "
        f"them with `serving run --max-rank {rank}` and say --max-rank {rank} here"
    )
    return [Finding(check="rank", severity="refuse", text=text, mode=9)]


def check_endings(rows: Sequence[TokenRow], *, end: int) -> list[Finding]:
    """Every row's last token is the end of an answer, and it is trained."""
    bad = [row for row in rows if row.tokens[-1] != end or row.labels[-1] != end]
    if not bad:
        return []
    text = f"{bad[0].example} and {len(bad) - 1} more do not train the end token {end} last; stopping is not learnt"
    return [Finding(check="end_trained", severity="refuse", text=text, mode=2)]


def check_turn_end(rows: Sequence[TokenRow], *, turn_end: int | None, end: int) -> list[Finding]:
    """The token that the template closes a turn with is the one that is trained as the end.

    `turn_end` is None where the template closes none.
    """
    if turn_end == end or not rows:
        return []
    text = f"the chat template closes a turn with token {turn_end}, but {end} is trained as the end of an answer"
    return [Finding(check="turn_end", severity="refuse", text=text, mode=4)]


def check_trained_share(rows: Sequence[TokenRow]) -> list[Finding]:
    """Something of every row is trained, and never all of it."""
    bad = [row for row in rows if not 0 < sum(label != -100 for label in row.labels) < len(row.tokens)]
    if not bad:
        return []
    text = f"{bad[0].example} and {len(bad) - 1} more train none or all of their tokens; expected the answer alone"
    return [Finding(check="trained_share", severity="refuse", text=text, mode=3)]


def check_openings(rows: Sequence[TokenRow], *, beginning: int | None, opens_turns: bool) -> list[Finding]:
    """One beginning-of-text token at most; where the template opens every turn with it, never two in a row."""
    if beginning is None:
        return []
    bad = [
        row
        for row in rows
        if _is_doubled(row.tokens, beginning) or (not opens_turns and row.tokens.count(beginning) > 1)
    ]
    if not bad:
        return []
    text = f"{bad[0].example} and {len(bad) - 1} more hold the beginning token {beginning} twice; it is served once"
    return [Finding(check="one_beginning", severity="refuse", text=text, mode=23)]


def _is_doubled(tokens: Sequence[int], token: int) -> bool:
    return any(one == other == token for one, other in pairwise(tokens))


def check_lengths(histogram: TokenHistogram, *, max_length: int) -> list[Finding]:
    if histogram.over_length <= _FEW_OVERLONG:
        return []
    text = (
        f"{histogram.over_length:.1%} of the rows are over {max_length} tokens and left out whole (none is cut); "
        f"p99 is {histogram.p99}, the longest {histogram.longest}"
    )
    return [Finding(check="over_length", severity="warn", text=text, mode=5)]


def check_answers(histogram: TokenHistogram, config: TrainingConfig, *, answer_tokens: int) -> list[Finding]:
    """Room for the answers that are trained, where they are generated: in the evaluation and behind the front."""
    found = []
    for where, room in (("an evaluation", config.answer_tokens), ("the server", SERVED_ANSWER_TOKENS)):
        if room < histogram.answer_p99:
            text = f"{where} gives an answer {room} tokens, trained answers have up to {histogram.answer_p99} (p99)"
            text += f"; with {answer_tokens} one is not cut in the middle"
            found.append(Finding(check="answer_tokens", severity="warn", text=text, mode=24))
    return found


def check_vocabulary(*, tokens: int, rows: int) -> list[Finding]:
    """`tokens` the tokenizer may give, `rows` the embedding has."""
    if tokens <= rows:
        return []
    text = f"the tokenizer knows {tokens} tokens, the base has embeddings for {rows}; vLLM serves no resized base"
    return [Finding(check="vocabulary", severity="refuse", text=text, mode=8)]


def check_labels(labels: Sequence[bool], *, needed: bool) -> list[Finding]:
    """Yes and no, for trainings that learn from both; `needed` where nothing can be learnt without."""
    minority = min(labels.count(True), labels.count(False))
    if labels and minority >= LEAST_MINORITY * len(labels):
        return []
    text = f"{minority} of {len(labels)} outcomes are of the rarer kind; expected {LEAST_MINORITY:.0%} or more of each"
    return [Finding(check="label_balance", severity="refuse" if needed else "note", text=text, mode=22)]


def check_memory(estimate: Estimate) -> list[Finding]:
    """Refused where it would not fit: on a processor the system would kill the process without a word."""
    needed, free = estimate.memory.total - estimate.memory.libraries, estimate.device.free
    if needed <= _FILLED * free:
        return []
    text = (
        f"about {gib(needed)} are needed beyond what this process has, {gib(free)} of {estimate.device.name} are free; "
        "take a smaller batch_rows or max_length, or QLoRA"
    )
    return [Finding(check="memory", severity="refuse", text=text, mode=19)]
