"""Takes an adapter to where no vLLM is: merged into its base, for whatever reads transformers' folders, or for Ollama.

    merged   one checkpoint of the base's own type, measured with the adapter's stored probes before it is let out
    ollama   base, adapter and a Modelfile; Ollama converts both itself (`ollama create NAME -f Modelfile`)

There is no GGUF among them: the converters are scripts of llama.cpp and on no package index; `gguf` only reads and
writes the format.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import ValidationError

from app.domain.adapters import AdapterManifest, BaseCheckpoint
from app.domain.errors import UserError
from app.domain.prompt import SYSTEM
from serving.folder import CONFIG, MANIFEST, ProvenAdapter, prove, read_base
from serving.lora import RANKS
from serving.merging import BASE_FILES, merge

Format = Literal["merged", "ollama"]
#: Bases whose adapters Ollama converts, by transformers' name (ConvertAdapter in its convert/convert.go).
OLLAMA_ARCHITECTURES = ("LlamaForCausalLM", "Gemma2ForCausalLM")
#: Fields of adapter_config.json that PEFT computes with and Ollama does not read.
OLLAMA_UNREAD = ("use_rslora", "alpha_pattern", "rank_pattern")
#: Turns as ChatML writes them, in Ollama's template language. The only ones we can translate.
CHATML_TEMPLATE = (
    "{{- range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}<|im_start|>assistant\n"
)
CHATML_STOP = "<|im_end|>"


def export(adapter: Path, base: Path, out: Path, *, kind: Format) -> str:
    """Write `out`, whole or not at all. Returns what a person is told.

    Raises:
        Refused: when the adapter is not what its manifest says, fits another base, or the result does not answer as
            the adapter did.
        UserError: when `out` is there already, the base is no base, or the format cannot hold this adapter.
    """
    if out.exists():
        raise UserError(f"expected a folder that is not there yet, got {out}; name another --out or remove it")
    checkpoint = read_base(base)
    proven = prove(adapter, name=_read_name(adapter), base=checkpoint, max_rank=RANKS[-1])
    beside = out.with_name(f".{out.name}.making")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        told = _MAKERS[kind](proven, base, beside)
        _save_origin(beside, proven, checkpoint)
        beside.rename(out)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return f"{proven.manifest.name} is in {out}: {told}"


def _read_name(adapter: Path) -> str:
    """The name that the folder's content has; `prove` holds everything else against it."""
    try:
        return AdapterManifest.model_validate_json((adapter / MANIFEST).read_bytes()).name
    except (OSError, ValidationError) as error:
        raise UserError(
            f"expected an adapter folder with its {MANIFEST} at {adapter}, such as data/adapters/NAME: {error}"
        ) from error


def _export_merged(proven: ProvenAdapter, base: Path, out: Path) -> str:
    report = merge(proven, base, out)
    return (
        f"one checkpoint; its mean log-probability per token is off by at most {report.worst:.4f} on the adapter's "
        f"{len(report.parity)} stored probes ({report.tolerance} is rounding)"
    )


def _export_ollama(proven: ProvenAdapter, base: Path, out: Path) -> str:
    check_ollama(json.loads((base / "config.json").read_bytes()), json.loads((proven.path / CONFIG).read_bytes()))
    check_chatml((base / "chat_template.jinja").read_text(encoding="utf-8"))
    (out / "base").mkdir(parents=True)
    for path in sorted({base / name for name in BASE_FILES} | {*base.glob("*.safetensors")}):
        shutil.copyfile(path, out / "base" / path.name)
    shutil.copytree(proven.weights_folder, out / "adapter")
    (out / "Modelfile").write_text(render_modelfile(proven.manifest.config), encoding="utf-8")
    return "`ollama create NAME -f Modelfile` there makes a model of it"


def check_ollama(base: dict[str, Any], adapter: dict[str, Any]) -> None:
    """Raises: UserError when Ollama would refuse this adapter, or compute another than PEFT does."""
    found = (base.get("architectures") or ["none"])[0]
    if found not in OLLAMA_ARCHITECTURES:
        raise UserError(
            f"expected a base of {' or '.join(OLLAMA_ARCHITECTURES)}, for Ollama converts no other adapters, got "
            f"{found}; use --format merged, which Ollama imports by FROM for more of them"
        )
    for field in OLLAMA_UNREAD:
        if adapter.get(field):
            raise UserError(f"expected an adapter without {field}, which Ollama does not read; use --format merged")


def check_chatml(template: str) -> None:
    """Raises: UserError when the base writes its turns otherwise than CHATML_TEMPLATE does."""
    turns = [{"role": "system", "content": "S s"}, {"role": "user", "content": "U\nu"}]
    wanted = "".join(f"<|im_start|>{turn['role']}\n{turn['content']}<|im_end|>\n" for turn in turns)
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    found = environment.from_string(template).render(messages=turns, add_generation_prompt=True)
    if found != f"{wanted}<|im_start|>assistant\n":
        raise UserError(
            "expected a base whose chat template is ChatML, the one that we can write in Ollama's language, got one "
            f"that begins with {found[:40]!r}; use --format merged and write the TEMPLATE yourself"
        )


def render_modelfile(config: dict[str, Any]) -> str:
    """`config` is the training's: its max_length is the context that the adapter saw."""
    return "\n".join(
        (
            "FROM ./base",
            "ADAPTER ./adapter",
            f'TEMPLATE """{CHATML_TEMPLATE}"""',
            f'SYSTEM """{SYSTEM}"""',
            "PARAMETER temperature 0",
            f"PARAMETER num_ctx {max(2048, int(config.get('max_length', 0)))}",
            f'PARAMETER stop "{CHATML_STOP}"',
            "",
        )
    )


def _save_origin(out: Path, proven: ProvenAdapter, base: BaseCheckpoint) -> None:
    """So that whoever finds the folder knows what is in it."""
    manifest = proven.manifest
    origin = {"adapter": manifest.name, "base": base.model_dump(), "prompt_version": manifest.prompt_version}
    (out / "understudy.json").write_text(json.dumps(origin, indent=1) + "\n", encoding="utf-8")


_MAKERS: dict[Format, Callable[[ProvenAdapter, Path, Path], str]] = {
    "merged": _export_merged,
    "ollama": _export_ollama,
}
