"""An exported adapter answers as base and adapter do, in programs that know nothing of us."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from app.domain.errors import Refused, UserError
from app.domain.prompt import SYSTEM
from serving.export import CHATML_TEMPLATE, check_chatml, check_ollama, export
from serving.probe import TOLERANCES
from tests.serving_fixture import PROBE_TOKENS, make_adapter, seal


@pytest.fixture(scope="module")
def adapter(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "adapter"
    make_adapter(tiny_base, folder, seed=5, scale=0.5)
    return folder


def test_a_merged_checkpoint_loads_anywhere_and_answers_as_base_and_adapter_do(
    adapter: Path, tiny_base: Path, tmp_path: Path
) -> None:
    out = tmp_path / "merged"
    command = [sys.executable, "-m", "serving", "export", "--adapter", adapter, "--base", tiny_base]
    command += ["--format", "merged", "--out", out]
    told = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout
    assert "one checkpoint" in told
    base = AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.bfloat16)
    bare = _score(base)
    apart = _score(PeftModel.from_pretrained(base, str(adapter / "adapter")))
    merged = _score(AutoModelForCausalLM.from_pretrained(out, dtype="auto"))
    off, moved = (merged - apart).abs().mean(), (apart - bare).abs().mean()
    assert off < TOLERANCES["bfloat16"] / 2
    assert moved > 4 * off, "else this test proves nothing"
    turns = [{"role": "user", "content": "x"}]
    texts = [
        AutoTokenizer.from_pretrained(folder).apply_chat_template(turns, tokenize=False) for folder in (out, tiny_base)
    ]
    assert texts[0] == texts[1]
    assert not list(out.rglob("*.bin"))


def _score(network: Any) -> torch.Tensor:
    """Log-probability of every token of PROBE_TOKENS but the first."""
    ids = torch.tensor([PROBE_TOKENS])
    with torch.no_grad():
        logits = network(input_ids=ids, use_cache=False).logits[0, :-1].float()
    scores: torch.Tensor = logits.log_softmax(-1).gather(1, ids[0, 1:, None])[:, 0]
    return scores


def test_a_merge_that_answers_otherwise_is_not_let_out(adapter: Path, tiny_base: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    make_adapter(tiny_base, changed, seed=5, scale=0.5)
    stored = json.loads((changed / "probes.json").read_text())
    stored[0]["adapter_logprob"] += 0.5
    (changed / "probes.json").write_text(json.dumps(stored))
    seal(changed, tiny_base)
    with pytest.raises(Refused, match="off by 0"):
        export(changed, tiny_base, tmp_path / "out", kind="merged")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["changed"]


def test_a_folder_for_ollama_has_base_adapter_template_system_text_and_limits(
    adapter: Path, tiny_base: Path, tmp_path: Path
) -> None:
    export(adapter, tiny_base, tmp_path / "ollama", kind="ollama")
    lines = (tmp_path / "ollama" / "Modelfile").read_text()
    assert lines.startswith("FROM ./base\nADAPTER ./adapter\n")
    assert f'SYSTEM """{SYSTEM}"""' in lines
    assert f'TEMPLATE """{CHATML_TEMPLATE}"""' in lines
    assert "PARAMETER num_ctx 2048\n" in lines
    assert 'PARAMETER stop "<|im_end|>"' in lines
    for inside in ("model.safetensors", "config.json", "tokenizer.json"):
        assert (tmp_path / "ollama/base" / inside).read_bytes() == (tiny_base / inside).read_bytes()
    assert {path.name for path in (tmp_path / "ollama/adapter").iterdir()} == {
        "adapter_config.json",
        "adapter_model.safetensors",
    }
    with pytest.raises(UserError, match="not there yet"):
        export(adapter, tiny_base, tmp_path / "ollama", kind="ollama")


def test_what_ollama_would_compute_otherwise_is_refused() -> None:
    llama = {"architectures": ["LlamaForCausalLM"]}
    check_ollama(llama, {"lora_alpha": 16})
    with pytest.raises(UserError, match="got Qwen3ForCausalLM; use --format merged"):
        check_ollama({"architectures": ["Qwen3ForCausalLM"]}, {})
    with pytest.raises(UserError, match="without use_rslora"):
        check_ollama(llama, {"use_rslora": True})
    with pytest.raises(UserError, match=r"ChatML.*begins with '\[INST\]"):
        check_chatml("{% for message in messages %}[INST] {{ message['content'] }}{% endfor %}")


def test_a_changed_adapter_is_not_exported(tiny_base: Path, tmp_path: Path) -> None:
    make_adapter(tiny_base, tmp_path / "adapter", seed=6)
    with (tmp_path / "adapter/adapter/adapter_model.safetensors").open("ab") as stream:
        stream.write(b" ")
    with pytest.raises(Refused, match="it was changed"):
        export(tmp_path / "adapter", tiny_base, tmp_path / "out", kind="merged")
