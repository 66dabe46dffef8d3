"""What the benchmarks of serving share: a server, adapters that fit it, and prompts as reviews ask them."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.domain.adapters import AdapterManifest, Probe
from app.domain.diff import DiffLine, Hunk
from app.domain.prompt import Message, render_prompt
from tests.serving_fixture import (
    COMPLETION_TOKENS,
    PROBE_TOKENS,
    TARGETS,
    ServingProcess,
    find_on_leash,
    measure_logprob,
    seal,
    start_serving,
    write_goldens,
)

_SOURCES = Path(__file__).parents[2] / "serving"
_LINES = 14
_DRAWS = 20
#: In logprob. vLLM and PyTorch differ by a few hundredths here, and the server's effect probe wants .005 of its own.
_APART = 0.1


@contextmanager
def started(base: Path, state: Path, *arguments: str) -> Iterator[ServingProcess]:
    """A server that is ready; what it said is shown when it never is."""
    server = start_serving(base, state, *arguments)
    try:
        server.wait_ready(900)
        yield server
    finally:
        server.process.terminate()
        server.process.wait(60)


def make_prompts(count: int) -> list[tuple[Message, ...]]:
    """Marked lines of this repository's own files, as if they had just been added."""
    made: list[tuple[Message, ...]] = []
    for path in sorted(_SOURCES.glob("*.py")):
        texts = path.read_text().splitlines()
        for start in range(0, len(texts) - _LINES, _LINES):
            lines = tuple(
                DiffLine(kind="added", old=None, new=start + at + 1, text=text)
                for at, text in enumerate(texts[start : start + _LINES])
            )
            header = f"@@ -0,0 +{start + 1},{_LINES} @@"
            made.append(render_prompt(f"serving/{path.name}", Hunk(header=header, lines=lines), start + _LINES // 2))
    return made[:: max(1, len(made) // count)][:count]


def make_adapters(base: Path, folder: Path, count: int, *, rank: int) -> dict[str, Path]:
    """Random ones, by name; the base is read once for all. Their probes are measured, so a server can prove them."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    network: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16)
    base_logprob = measure_logprob(network)
    config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=list(TARGETS), task_type="CAUSAL_LM")
    adapted: Any = get_peft_model(network, config)
    name = json.loads((base / "base.json").read_text())["name"]
    made = {}
    for number in range(count):
        place = folder / str(number)
        manifest = _save_adapter(
            adapted, base, place, seed=number, base_name=name, rank=rank, base_logprob=base_logprob
        )
        made[manifest.name] = place
    return made


def _save_adapter(
    adapted: Any, base: Path, folder: Path, *, seed: int, base_name: str, rank: int, base_logprob: float
) -> AdapterManifest:
    adapter_logprob = _randomise(adapted, seed, base_logprob)
    adapted.save_pretrained(str(folder / "adapter"))
    (folder / "adapter" / "README.md").unlink(missing_ok=True)
    config = json.loads((folder / "adapter/adapter_config.json").read_text()) | {"base_model_name_or_path": base_name}
    (folder / "adapter/adapter_config.json").write_text(json.dumps(config))
    probe = Probe(
        tokens=PROBE_TOKENS,
        completion_tokens=COMPLETION_TOKENS,
        adapter_logprob=adapter_logprob,
        base_logprob=base_logprob,
    )
    (folder / "probes.json").write_text(json.dumps([probe.model_dump(mode="json")]))
    first = folder.with_name("0") / "goldens.json"
    if first.is_file():
        shutil.copyfile(first, folder / "goldens.json")
    else:
        write_goldens(base, folder)
    return seal(folder, base, rank=rank, seed=seed)


def _randomise(adapted: Any, seed: int, base_logprob: float) -> float:
    """Small weights, which vLLM's kernels answer alike, drawn until the probe tells them from the base. Returns its
    logprob with them."""
    import torch

    for attempt in range(_DRAWS):
        torch.manual_seed(seed + attempt * 1_000)
        with torch.no_grad():
            for name, weights in adapted.named_parameters():
                if "lora_" in name:
                    weights.normal_(std=0.05)
        logprob = measure_logprob(adapted)
        if abs(logprob - base_logprob) > _APART:
            return logprob
    raise RuntimeError(f"expected weights {_APART} apart from the base within {_DRAWS} draws, got none")


def read_memory(state: Path) -> float:
    """MiB of main memory that vLLM and its engine have for themselves."""
    fields = [
        line for pid in find_on_leash(state) for line in (Path("/proc") / str(pid) / "status").read_text().splitlines()
    ]
    return sum(int(line.split()[1]) for line in fields if line.startswith("RssAnon:")) / 1024
