"""The proof after the load: the adapter is served (parity), by the right base, and it does something (effect).

vLLM answers 200 and lists an adapter whose tensors matched nothing, so nothing less than its log-probabilities says
that it is served. They are compared with those that transformers + PEFT gave at training time.
"""

import time
from typing import Protocol

from app.domain.adapters import Probe
from app.domain.errors import Refused
from app.domain.serving import BASE_NAME, ProbeReport

#: Largest difference of a mean log-probability per token between vLLM and transformers, by the base's dtype.
#: bfloat16 keeps 8 bits, and the two libraries round at different places.
TOLERANCES = {"float32": 0.02, "float16": 0.05, "bfloat16": 0.1}
#: Smallest change of the mean log-probability of some probe that counts as doing something.
LEAST_EFFECT = 0.005


class Scorer(Protocol):
    async def score(self, name: str, tokens: tuple[int, ...]) -> list[float]: ...


async def measure(scorer: Scorer, name: str, probes: tuple[Probe, ...], *, tolerance: float) -> ProbeReport:
    """Score every probe under the adapter and under the base, on the server that is going to answer."""
    began = time.monotonic()
    adapter = [await _mean(scorer, name, probe) for probe in probes]
    base = [await _mean(scorer, BASE_NAME, probe) for probe in probes]
    return ProbeReport(
        name=name,
        parity=_differences(adapter, [probe.adapter_logprob for probe in probes]),
        base_parity=_differences(base, [probe.base_logprob for probe in probes]),
        effect=_differences(adapter, base),
        tolerance=tolerance,
        least_effect=LEAST_EFFECT,
        seconds=round(time.monotonic() - began, 3),
    )


def check_report(report: ProbeReport) -> None:
    """Raise unless what is served is what was trained.

    Raises:
        Refused: `base_parity`, `no_effect` or `parity`, in this order, for each explains the ones after it.
    """
    if max(report.base_parity) > report.tolerance:
        raise Refused(
            "base_parity",
            f"the served base differs from the one that {report.name} was trained on: mean log-probability off by "
            f"{max(report.base_parity):.4f}, at most {report.tolerance} is rounding",
        )
    if max(report.effect) < report.least_effect:
        raise Refused(
            "no_effect",
            f"{report.name} answers as the base does: log-probabilities differ by {max(report.effect):.6f} at most, "
            f"expected {report.least_effect} or more; the server would serve the base under the adapter's name",
        )
    if max(report.parity) > report.tolerance:
        raise Refused(
            "parity",
            f"{report.name} is not served as it was trained: mean log-probability off by {max(report.parity):.4f}, "
            f"at most {report.tolerance} is rounding",
        )


async def _mean(scorer: Scorer, name: str, probe: Probe) -> float:
    scored = (await scorer.score(name, probe.tokens))[-probe.completion_tokens :]
    return sum(scored) / len(scored)


def _differences(left: list[float], right: list[float]) -> tuple[float, ...]:
    return tuple(round(abs(one - other), 6) for one, other in zip(left, right, strict=True))
