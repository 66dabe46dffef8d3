"""One real vLLM for all tests that need a server, on a tiny random base, and adapters that fit it.

Start-up takes most of a minute, so the server is shared by the whole session: tests load adapters of their own and
leave others alone. `make_adapter` writes what a training writes, with probes measured by transformers and PEFT.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.domain.adapters import AdapterManifest, BaseCheckpoint, Probe
from app.domain.prompt import PROMPT_VERSION
from serving.leash import MARK
from serving.state import load_address, read_key
from training.base.making import ensure_tiny

PROBE_TOKENS = tuple(range(1000, 1040))
COMPLETION_TOKENS = 12
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass
class ServingProcess:
    """`python -m serving run` as a child. `lines` is what it said so far."""

    base: Path
    state: Path
    process: subprocess.Popen[str]
    output: Path
    started_at: float = field(default_factory=time.monotonic)

    @property
    def url(self) -> str:
        return load_address(self.state).url

    @property
    def read_key(self) -> str:
        return read_key(self.state, "read")

    @property
    def control_key(self) -> str:
        return read_key(self.state, "control")

    def said(self) -> str:
        return self.output.read_text()

    def wait_ready(self, seconds: float = 300) -> float:
        """Seconds since the start; fails with everything the server said."""
        while not (self.state / "front.json").exists():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() - self.started_at < seconds, self.said()
            time.sleep(0.2)
        return time.monotonic() - self.started_at


def start_serving(base: Path, state: Path, *arguments: str) -> ServingProcess:
    """Not ready yet; the caller stops it."""
    state.mkdir(parents=True, exist_ok=True)
    output = state.with_name(f"{state.name}.output")
    command = [sys.executable, "-m", "serving", "run", "--base", str(base), "--state", str(state), *arguments]
    with output.open("w") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT, text=True)
    return ServingProcess(base=base, state=state, process=process, output=output)


def find_on_leash(state: Path) -> list[int]:
    """Processes that belong to the vLLM of this state folder, by the mark in their environment."""
    wanted = f"{MARK}={state.resolve()}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def find_server(state: Path) -> int:
    """vLLM's own API server among the processes on the leash, not the leash or the engine."""
    module = b"vllm.entrypoints.openai.api_server"
    return next(
        pid
        for pid in find_on_leash(state)
        if module in (words := (Path("/proc") / str(pid) / "cmdline").read_bytes().split(b"\0"))[1:3]
        and words[1] == b"-m"
    )


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base") / "tiny"
    ensure_tiny(folder)
    return folder


@pytest.fixture(scope="session")
def serving(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServingProcess]:
    """Ends with kill -9 of the front, so that every session proves that no engine of vLLM outlives it."""
    started = start_serving(tiny_base, tmp_path_factory.mktemp("serving") / "state", "--max-rank", "8")
    try:
        started.wait_ready()
        yield started
        assert len(find_on_leash(started.state)) >= 3, "expected the leash, vLLM's server and its engine"
    finally:
        started.process.kill()
        started.process.wait(30)
    deadline = time.monotonic() + 20
    while left := find_on_leash(started.state):
        assert time.monotonic() < deadline, f"processes {left} outlived the front"
        time.sleep(0.1)


def make_adapter(
    base: Path, folder: Path, *, seed: int = 1, rank: int = 8, scale: float = 0.2, installation: str = "7"
) -> AdapterManifest:
    """A LoRA with random halves; `scale` is the spread of lora_B, 0 makes an adapter without effect."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    network = AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16)
    config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=list(TARGETS), task_type="CAUSAL_LM")
    base_logprob = measure_logprob(network)
    adapted = get_peft_model(network, config)
    with torch.no_grad():
        for name, weights in adapted.named_parameters():
            if "lora_B" in name:
                weights.normal_(std=scale)
    adapter_logprob = measure_logprob(adapted)
    adapted.save_pretrained(str(folder / "adapter"))
    (folder / "adapter" / "README.md").unlink(missing_ok=True)
    options = json.loads((folder / "adapter/adapter_config.json").read_text())
    options["base_model_name_or_path"] = BaseCheckpoint.model_validate_json((base / "base.json").read_bytes()).name
    (folder / "adapter/adapter_config.json").write_text(json.dumps(options))
    probe = Probe(
        tokens=PROBE_TOKENS,
        completion_tokens=COMPLETION_TOKENS,
        adapter_logprob=adapter_logprob,
        base_logprob=base_logprob,
    )
    (folder / "probes.json").write_text(json.dumps([probe.model_dump(mode="json")]))
    write_goldens(base, folder)
    for name in ("locator.skops", "filter.skops"):
        (folder / name).write_bytes(b"not read by the server")
    return seal(folder, base, rank=rank, seed=seed, installation=installation)


def write_goldens(base: Path, folder: Path) -> None:
    from training.base.goldens import make_goldens
    from training.base.tokens import load_tokenizer

    (folder / "goldens.json").write_text(make_goldens(load_tokenizer(base)).model_dump_json())


def seal(folder: Path, base: Path, *, rank: int = 8, seed: int = 1, installation: str = "7") -> AdapterManifest:
    """Write the manifest over the files as they are now; what a careless or hostile publisher could do as well."""
    (folder / "manifest.json").unlink(missing_ok=True)
    manifest = AdapterManifest(
        installation=installation,
        base=BaseCheckpoint.model_validate_json((base / "base.json").read_bytes()),
        prompt_version=PROMPT_VERSION,
        snapshot="ds1:0",
        rank=rank,
        seed=seed,
        config={},
        packages={},
        files={
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        },
        created_at=datetime.now(UTC),
    )
    (folder / "manifest.json").write_text(manifest.model_dump_json())
    return manifest


def measure_logprob(network: Any) -> float:
    """Mean log-probability of the last COMPLETION_TOKENS of PROBE_TOKENS, as a training measures it."""
    import torch

    ids = torch.tensor([PROBE_TOKENS])
    with torch.no_grad():
        logits = network(input_ids=ids, use_cache=False).logits.float()
    scored = logits[0, :-1].log_softmax(-1).gather(1, ids[0, 1:, None])[:, 0]
    return float(scored[-COMPLETION_TOKENS:].mean())


def end(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
