"""Merges an adapter into its base, in 32 bits, and proves the result on the adapter's stored probes.

Torch, transformers and PEFT are imported here only, when a merge is asked for: the serving program itself has none.
"""

import shutil
from pathlib import Path
from typing import Any, NamedTuple

from app.domain.adapters import Probe
from app.domain.errors import Refused
from serving.folder import ProvenAdapter, read_precision
from serving.probe import LEAST_EFFECT, TOLERANCES

#: What a checkpoint has beside its weights; all but the first are the base's own, byte for byte.
BASE_FILES = ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja")


class MergeReport(NamedTuple):
    """|mean log-probability per completion token, merged - as stored by the training|, for every probe.

    `effect` is the largest distance from the base's stored ones: a merge that did nothing has none.
    """

    parity: tuple[float, ...]
    effect: float
    tolerance: float

    @property
    def worst(self) -> float:
        return max(self.parity)


def merge(proven: ProvenAdapter, base: Path, out: Path) -> MergeReport:
    """Write the checkpoint to `out` and measure what was written.

    Raises:
        Refused: `parity` or `no_effect`, when it does not answer as base and adapter do.
    """
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    precision = read_precision(base)
    network: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, local_files_only=True)
    # Rounded once, at the end: in 16 bits the sum would lose what is small beside the base's weights.
    merged: Any = PeftModel.from_pretrained(network, str(proven.weights_folder)).merge_and_unload(safe_merge=True)
    merged.to(getattr(torch, precision)).save_pretrained(str(out))
    for name in BASE_FILES[1:]:
        if (base / name).is_file():
            shutil.copyfile(base / name, out / name)
    report = measure_merge(out, proven.probes, TOLERANCES.get(precision, TOLERANCES["bfloat16"]))
    if report.effect < LEAST_EFFECT:
        raise Refused("no_effect", f"the merged weights answer as the base does: {proven.manifest.name} got lost")
    if report.worst > report.tolerance:
        raise Refused(
            "parity",
            f"the merged weights are off by {report.worst:.4f} in mean log-probability per token, at most "
            f"{report.tolerance} is rounding",
        )
    return report


def measure_merge(folder: Path, probes: tuple[Probe, ...], tolerance: float) -> MergeReport:
    """Load the folder as anybody would and score every probe."""
    import torch
    from transformers import AutoModelForCausalLM

    network: Any = AutoModelForCausalLM.from_pretrained(folder, dtype="auto", local_files_only=True)
    found = []
    with torch.no_grad():
        for probe in probes:
            ids = torch.tensor([probe.tokens])
            logits = network(input_ids=ids, use_cache=False).logits[0, :-1].float()
            scored = logits.log_softmax(-1).gather(1, ids[0, 1:, None])[:, 0]
            found.append(float(scored[-probe.completion_tokens :].mean()))
    return MergeReport(
        parity=tuple(abs(one - probe.adapter_logprob) for one, probe in zip(found, probes, strict=True)),
        effect=max(abs(one - probe.base_logprob) for one, probe in zip(found, probes, strict=True)),
        tolerance=tolerance,
    )
