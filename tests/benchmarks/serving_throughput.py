"""How much of vLLM's throughput is left on the way of a review.

`python -m tests.benchmarks.serving_throughput --base DIR [--prompts 12] [--tokens 32] [--repeats 2]` starts one server
with one adapter and asks it the same prompts in two ways, in turns:

    ours    CompletionClient → front → vLLM, as a review does: the adapter, JSON enforced while decoding
    bench   vLLM's own `bench serve` straight at vLLM's socket: the adapter, text, cut where ours ended

Both ask `--concurrency` at once. The bench speaks TCP only, so a process that copies bytes stands between it and the
socket; it costs the bench far less than the front costs us. Shown are output tokens per second of every turn, the
ratio of the medians (to reach: 0.85) and how much of our prompts was found in the prefix cache; each way has a cache
of its own, for ours is salted. Run it on a machine that is otherwise idle, or believe only the ratio.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from app.domain.prompt import Message
from app.inference.adapter_control import AdapterControl
from app.inference.completions import CompletionClient
from tests.benchmarks.served import make_adapters, make_prompts, started
from tests.serving_fixture import ServingProcess

_BENCH = (
    "import sys; from vllm.benchmarks.serve import add_cli_args, main;"
    "from vllm.utils.argparse_utils import FlexibleArgumentParser;"
    "parser = FlexibleArgumentParser(); add_cli_args(parser); main(parser.parse_args(sys.argv[1:]))"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path)
    parser.add_argument("--prompts", type=int, default=12)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--relay", type=Path, help="copy bytes between a free port, which is printed, and this socket")
    options = parser.parse_args()
    if options.relay:
        asyncio.run(relay(options.relay))
    with tempfile.TemporaryDirectory(prefix="us-") as work:
        sys.stdout.write(json.dumps(measure(Path(work), options), indent=1) + "\n")


def measure(work: Path, options: argparse.Namespace) -> dict[str, object]:
    ((name, folder),) = make_adapters(options.base, work, 1, rank=8).items()
    prompts = make_prompts(options.prompts)
    speeds: dict[str, list[float]] = {"ours": [], "bench": []}
    with started(options.base, work / "s", "--max-rank", "8") as server:
        asyncio.run(_load(server, name, folder))
        rates = []
        for turn in range(options.repeats):
            speed, lengths, rate = asyncio.run(ask(server, name, prompts, options))
            speeds["ours"].append(speed)
            rates.append(rate)
            speeds["bench"].append(bench(server, name, prompts, lengths, options=options, out=work / f"{turn}.json"))
    medians = {way: statistics.median(found) for way, found in speeds.items()}
    return {
        "tokens_per_second": speeds,
        "ratio": round(medians["ours"] / medians["bench"], 3),
        "prefix_cache_hit_rate": rates,
        "prompts": len(prompts),
        "load": os.getloadavg(),
    }


async def _load(server: ServingProcess, name: str, folder: Path) -> None:
    async with AdapterControl(server.url, server.control_key) as control:
        await control.load(name, folder)


async def ask(
    server: ServingProcess, name: str, prompts: Sequence[tuple[Message, ...]], options: argparse.Namespace
) -> tuple[float, list[int], float]:
    """Output tokens per second, tokens of each answer, and the share of the prompts' tokens found in the cache."""
    gate = asyncio.Semaphore(options.concurrency)

    async def one(client: CompletionClient, messages: tuple[Message, ...]) -> int:
        async with gate:
            answer = await client.complete(model=name, messages=messages, max_tokens=options.tokens, cache_salt="7")
            return answer.completion_tokens

    async with (
        AdapterControl(server.url, server.control_key) as control,
        CompletionClient(server.url, server.read_key) as client,
    ):
        before = await control.cache()
        began = time.monotonic()
        lengths = await asyncio.gather(*(one(client, messages) for messages in prompts))
        seconds = time.monotonic() - began
        after = await control.cache()
    found, asked = after.found_tokens - before.found_tokens, after.asked_tokens - before.asked_tokens
    return round(sum(lengths) / seconds, 2), list(lengths), round(found / asked, 3)


def bench(
    server: ServingProcess,
    name: str,
    prompts: Sequence[tuple[Message, ...]],
    lengths: Sequence[int],
    *,
    options: argparse.Namespace,
    out: Path,
) -> float:
    """Output tokens per second as `bench serve` counts them."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(options.base)
    rows = out.with_suffix(".jsonl")
    with rows.open("w") as stream:
        for messages, length in zip(prompts, lengths, strict=True):
            turns = [message.model_dump() for message in messages]
            text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
            stream.write(json.dumps({"prompt": text, "output_tokens": length}) + "\n")
    relaying = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.serving_throughput", "--relay", str(server.state / "vllm.sock")],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        port = int(relaying.stdout.readline()) if relaying.stdout else 0
        arguments = ["--backend", "openai", "--endpoint", "/v1/completions", "--base-url", f"http://127.0.0.1:{port}"]
        arguments += ["--model", name, "--tokenizer", str(options.base), "--ignore-eos", "--temperature", "0"]
        arguments += ["--dataset-name", "custom", "--dataset-path", str(rows), "--skip-chat-template"]
        arguments += ["--custom-output-len", "-1", "--num-prompts", str(len(prompts)), "--disable-tqdm"]
        arguments += ["--max-concurrency", str(options.concurrency), "--save-result", "--result-filename", str(out)]
        command = [sys.executable, "-c", _BENCH, *arguments, "--ready-check-timeout-sec", "0"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"bench serve failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    finally:
        relaying.kill()
        relaying.wait()
    found = json.loads(out.read_text())
    if found["completed"] != len(prompts) or found["total_output_tokens"] != sum(lengths):
        raise SystemExit(f"expected {sum(lengths)} tokens of {len(prompts)} answers, bench counted {found}")
    return round(float(found["output_throughput"]), 2)


async def relay(socket: Path) -> None:
    """Until killed."""

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while part := await reader.read(65536):
            writer.write(part)
            await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_unix_connection(socket)
        await asyncio.gather(copy(reader, outer), copy(inner, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    main()
