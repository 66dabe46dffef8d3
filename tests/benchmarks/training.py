"""How fast an adapter is trained, beside plain TRL and beside a bare loop.

`python -m tests.benchmarks.training --rows SNAPSHOT/comments.train.jsonl --base DIR [--repeats 5] [--tokens 8000]` runs
each arm in a process of its own, one after the other and that `--repeats` times, on the same rows:

    trl        TRL's defaults: float32 weights, bfloat16 products, checkpointing, random order, all positions scored
    trl_order  the same with our rows in our order, our start and our rate, so that losses can be held side by side
    ours       training/recipes/sft.py
    bare       forward, backward, step and nothing else: the base in bfloat16 with PEFT, our rows in our order
    bare_head  the same, with only the trained positions scored

Counted are real tokens, no padding, of all steps but the first. Per second of the clock and per second of processor
time: the second is what counts on a machine that is busy with other work. To reach: 3 times `trl`, `bare` no more than
1.3 times as fast as ours, losses of `ours` and `trl_order` within 0.5 %.
"""

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from training.process.environment import prepare_process, read_packages, use_threads

prepare_process()

ARMS = ("trl", "trl_order", "ours", "bare", "bare_head")


class Step(NamedTuple):
    """One step: its loss, its real tokens, and both clocks at its end."""

    loss: float
    tokens: int
    wall: float
    cpu: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=8000)
    parser.add_argument("--arms", default=",".join(ARMS))
    parser.add_argument("--arm", choices=ARMS, help="run this one here and print its steps")
    options = parser.parse_args()
    if options.arm:
        sys.stdout.write(json.dumps(run_arm(options.arm, options.rows, options.base, options.tokens)) + "\n")
        return
    runs: dict[str, list[list[Step]]] = {arm: [] for arm in options.arms.split(",")}
    for repeat in range(options.repeats):
        for arm, done in runs.items():
            done.append(_child(arm, options))
            speed = " ".join(f"{value:.0f}" for value in _speeds(done[-1]))
            sys.stderr.write(f"{repeat + 1}/{options.repeats} {arm}: {speed} tokens per second, per cpu second\n")
    sys.stdout.write(json.dumps(compare(runs), indent=1) + "\n")


def _child(arm: str, options: argparse.Namespace) -> list[Step]:
    asked = ["--rows", options.rows, "--base", options.base, "--tokens", options.tokens, "--arm", arm]
    command = [sys.executable, "-m", "tests.benchmarks.training", *map(str, asked)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    if said.returncode:
        raise SystemExit(said.stderr)
    return [Step(*row) for row in json.loads(said.stdout.splitlines()[-1])]


def _speeds(steps: Sequence[Step]) -> tuple[float, float]:
    tokens = sum(step.tokens for step in steps[1:])
    return tokens / (steps[-1].wall - steps[0].wall), tokens / (steps[-1].cpu - steps[0].cpu)


def compare(runs: dict[str, list[list[Step]]]) -> dict[str, Any]:
    """Medians with least and most, the ratios that were promised, and the losses beside each other."""
    told: dict[str, Any] = {
        "machine": _machine(),
        "packages": read_packages(),
        "repeats": len(next(iter(runs.values()))),
    }
    middle: dict[str, list[float]] = {}
    for arm, done in runs.items():
        both = list(zip(*(_speeds(steps) for steps in done), strict=True))
        middle[arm] = [statistics.median(values) for values in both]
        told[arm] = {
            name: f"{statistics.median(values):.0f} ({min(values):.0f} to {max(values):.0f})"
            for name, values in zip(("tokens_per_second", "tokens_per_cpu_second"), both, strict=True)
        } | {"losses": [round(step.loss, 4) for step in done[0]], "tokens": sum(step.tokens for step in done[0])}
    for one, other in (("ours", "trl"), ("bare", "ours"), ("bare_head", "ours")):
        if one in middle and other in middle:
            ratios = [mine / theirs for mine, theirs in zip(middle[one], middle[other], strict=True)]
            # of neighbours in time: what else a machine does weighs on both alike
            pairs = [_speeds(mine)[0] / _speeds(theirs)[0] for mine, theirs in zip(runs[one], runs[other], strict=True)]
            told[f"{one}_over_{other}"] = {
                "clock": round(ratios[0], 2),
                "clock_of_pairs": round(statistics.median(pairs), 2),
                "cpu": round(ratios[1], 2),
            }
    if "ours" in runs and "trl_order" in runs:
        told["loss_difference"] = _loss_difference(runs["ours"][0], runs["trl_order"][0])
    return told


def _loss_difference(ours: Sequence[Step], theirs: Sequence[Step]) -> dict[str, float]:
    """Relative: of the mean over all steps, and of the step that differs most."""
    mean = sum(step.loss for step in ours) / sum(step.loss for step in theirs) - 1
    most = max(abs(one.loss / other.loss - 1) for one, other in zip(ours, theirs, strict=True))
    return {"mean": round(mean, 5), "most_of_a_step": round(most, 5)}


def _machine() -> str:
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    model = next((line.split(":")[1].strip() for line in text.splitlines() if line.startswith("model name")), "unknown")
    flags = [flag for flag in ("avx2", "avx512_bf16", "amx_bf16") if flag in text]
    return f"{model}, {os.cpu_count()} cores, {', '.join(flags)}, {platform.system()}"


def run_arm(arm: str, file: Path, base: Path, tokens: int) -> list[Step]:
    """The steps of one arm, trained in this process."""
    import torch
    from transformers import set_seed

    from app.domain.snapshots import CommentRow
    from training.config import resolve_config
    from training.process.files import load_rows
    from training.rows.batches import plan_batches

    config = resolve_config().config.model_copy(update={"epochs": 1.0, "validation_share": 0.0, "method": "lora"})
    use_threads(0)
    set_seed(config.seed)
    torch.set_flush_denormal(False)
    comments = _choose(load_rows(file, CommentRow), base, tokens, config.max_length)
    plan = plan_batches([row for _, row in comments], {row.example: 1.0 for _, row in comments}, config)
    if arm == "trl":
        return _trl(base, config, [comment for comment, _ in comments])
    if arm == "trl_order":
        return _trl_order(base, config, plan)
    return _ours(base, config, plan) if arm == "ours" else _bare(base, config, plan, head_only=arm == "bare_head")


def _choose(comments: list[Any], base: Path, tokens: int, longest: int) -> list[tuple[Any, Any]]:
    """Random rows of together about `tokens` tokens, a multiple of sixteen of them; none is over-long for any arm."""
    from training.base.tokens import load_tokenizer
    from training.rows.tokenising import encode_comment

    tokenizer = load_tokenizer(base)
    random.Random(7).shuffle(comments)  # noqa: S311 - the same rows in every run
    chosen: list[tuple[Any, Any]] = []
    for comment in comments:
        row = encode_comment(tokenizer, comment)
        if len(row.tokens) < longest:
            chosen.append((comment, row))
        if len(chosen) % 16 == 0 and sum(len(row.tokens) for _, row in chosen) >= tokens:
            break
    return chosen


def _watch(steps: list[Step], tokens: Callable[[dict[str, Any]], int]) -> Any:
    from transformers import TrainerCallback

    class Watch(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            logs = kwargs["logs"]
            if "loss" in logs:
                steps.append(Step(float(logs["loss"]), tokens(logs), time.monotonic(), time.process_time()))

    return Watch()


def _defaults(config: Any, out: str, **changes: Any) -> Any:
    from trl.trainer.sft_config import SFTConfig

    return SFTConfig(
        output_dir=out,
        bf16=True,
        use_cpu=True,
        max_length=config.max_length,
        per_device_train_batch_size=config.batch_rows,
        num_train_epochs=1,
        save_strategy="no",
        logging_steps=1,
        report_to=[],
        disable_tqdm=True,
        seed=config.seed,
        **changes,
    )


def _lora(config: Any) -> Any:
    from peft import LoraConfig

    return LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=list(config.target_modules),
        task_type="CAUSAL_LM",
    )


def _trl(base: Path, config: Any, comments: list[Any]) -> list[Step]:
    from datasets import Dataset
    from trl.trainer.sft_trainer import SFTTrainer

    from training.base.tokens import load_tokenizer

    steps: list[Step] = []
    rows = [
        {
            "prompt": [message.model_dump() for message in row.prompt],
            "completion": [message.model_dump() for message in row.completion],
        }
        for row in comments
    ]
    seen = 0

    def counted(logs: dict[str, Any]) -> int:
        nonlocal seen
        seen, before = int(logs["num_tokens"]), seen
        return seen - before

    with tempfile.TemporaryDirectory() as out:
        SFTTrainer(
            model=str(base),
            args=_defaults(config, out),
            train_dataset=Dataset.from_list(rows),
            processing_class=load_tokenizer(base).raw,
            peft_config=_lora(config),
            callbacks=[_watch(steps, counted)],
        ).train()
    return steps


def _trl_order(base: Path, config: Any, plan: list[Any]) -> list[Step]:
    import torch
    from datasets import Dataset
    from peft import get_peft_model
    from transformers import AutoModelForCausalLM
    from trl.trainer.sft_trainer import SFTTrainer

    from training.base.tokens import load_tokenizer

    weights = get_peft_model(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), _lora(config))
    steps: list[Step] = []
    counts = iter(_counts(plan, config))
    with tempfile.TemporaryDirectory() as out:
        changes = {"train_sampling_strategy": "sequential", "dataset_kwargs": {"skip_prepare_dataset": True}}
        SFTTrainer(
            model=weights,
            args=_defaults(config, out, **changes),
            train_dataset=Dataset.from_list(
                [{"input_ids": list(row.tokens), "labels": list(row.labels)} for row in plan]
            ),
            processing_class=load_tokenizer(base).raw,
            callbacks=[_watch(steps, lambda _: next(counts))],
            optimizers=_learning(weights, config, len(_counts(plan, config))),
        ).train()
    return steps


def _counts(plan: list[Any], config: Any) -> list[int]:
    width = config.batch_rows
    return [sum(len(row.tokens) for row in plan[at : at + width]) for at in range(0, len(plan), width)]


def _learning(weights: Any, config: Any, steps: int) -> tuple[Any, Any]:
    import torch

    from training.recipes.pace import decide_rate

    optimizer = torch.optim.AdamW(
        [item for item in weights.parameters() if item.requires_grad],
        lr=config.learning_rate,
        weight_decay=config.weight_decay,
    )
    return optimizer, torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: decide_rate((step + 0.5) / steps, config)
    )


def _ours(base: Path, config: Any, plan: list[Any]) -> list[Step]:
    from training.base.making import load_base
    from training.base.tokens import load_tokenizer
    from training.process.progress import Progress
    from training.recipes.sft import train_plan
    from training.recipes.task import Task
    from training.rows.mixture import Mixture

    steps: list[Step] = []
    counts = iter(_counts(plan, config))

    class Watch(Progress):
        def report(self, stage: str, step: int, total: int, **figures: Any) -> None:
            steps.append(Step(float(figures["loss"]), next(counts), time.monotonic(), time.process_time()))

    mixture = Mixture(tuple(plan), {}, (), len(plan), (), None)
    with tempfile.TemporaryDirectory() as out:
        no_snapshot: Any = None  # train_plan reads none: the plan is what it trains on
        task = Task(no_snapshot, base, load_base(base), config, Path(out), None)
        train_plan(task, plan, mixture, load_tokenizer(base), Watch(None))
    return steps


def _bare(base: Path, config: Any, plan: list[Any], *, head_only: bool) -> list[Step]:
    import torch
    from peft import get_peft_model
    from transformers import AutoModelForCausalLM

    from training.base.precision import decide_attention
    from training.base.tokens import load_tokenizer

    pad = load_tokenizer(base).pad
    longest = max(len(row.tokens) for row in plan)
    loaded = AutoModelForCausalLM.from_pretrained(
        base, dtype=torch.bfloat16, attn_implementation=decide_attention(longest, on_gpu=False)
    )
    weights = get_peft_model(loaded, _lora(config))
    counts = _counts(plan, config)
    optimizer, schedule = _learning(weights, config, len(counts))
    steps: list[Step] = []
    loss: Any
    for number, tokens in enumerate(counts):
        batch = plan[number * config.batch_rows : (number + 1) * config.batch_rows]
        width = max(len(row.tokens) for row in batch)
        ids = torch.tensor([[*row.tokens, *[pad] * (width - len(row.tokens))] for row in batch])
        seen = torch.tensor([[1] * len(row.tokens) + [0] * (width - len(row.tokens)) for row in batch])
        labels = torch.tensor([[*row.labels, *[-100] * (width - len(row.tokens))] for row in batch])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            if head_only:
                states = weights.get_base_model().base_model(input_ids=ids, attention_mask=seen).last_hidden_state
                scored = labels[:, 1:] != -100
                logits = weights.get_base_model().lm_head(states[:, :-1][scored]).float()
                loss = torch.nn.functional.cross_entropy(logits, labels[:, 1:][scored])
            else:
                loss = weights(input_ids=ids, attention_mask=seen, labels=labels).loss
        loss.backward()
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        steps.append(Step(loss.item(), tokens, time.monotonic(), time.process_time()))
    return steps


if __name__ == "__main__":
    main()
