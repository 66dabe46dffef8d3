"""What fifty adapters on one base cost beside one: main memory, latency, and the way back of one that rests.

`python -m tests.benchmarks.many_adapters --base DIR [--adapters 50] [--held 40] [--answers 40]` starts one server,
loads one adapter, then all of them. Answers are short and asked one after the other, in turns of ten to one adapter and
ten to ten others, so that other work on the machine slows both alike. More are loaded than are held: the rest comes
back on demand, with its proof.

    memory   MiB of vLLM's own memory with one adapter and with all; each adapter's share beside its file
    latency  median seconds of an answer, one adapter and many in turns, and their ratio
    back     median seconds of the first answer of an adapter that rested, with its loading and its proof
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

from app.inference.adapter_control import AdapterControl
from app.inference.completions import CompletionClient
from tests.benchmarks.served import make_adapters, make_prompts, read_memory, started
from tests.serving_fixture import ServingProcess

_TURN = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--adapters", type=int, default=50)
    parser.add_argument("--held", type=int, default=40)
    parser.add_argument("--answers", type=int, default=40)
    parser.add_argument("--tokens", type=int, default=8)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="us-") as folder:
        work = Path(folder)
        adapters = make_adapters(options.base, work, options.adapters, rank=8)
        with started(options.base, work / "s", "--max-rank", "8", "--held", str(options.held)) as server:
            found = asyncio.run(measure(server, adapters, options))
        sizes = [path.stat().st_size for path in work.glob("*/adapter/adapter_model.safetensors")]
    sys.stdout.write(json.dumps(found | {"file_mib": round(sizes[0] / 2**20, 2)}, indent=1) + "\n")


async def measure(server: ServingProcess, adapters: dict[str, Path], options: argparse.Namespace) -> dict[str, object]:
    names = list(adapters)
    prompt = make_prompts(1)[0]
    async with (
        AdapterControl(server.url, server.control_key) as control,
        CompletionClient(server.url, server.read_key) as client,
    ):

        async def seconds(name: str) -> float:
            return (await client.complete(model=name, messages=prompt, max_tokens=options.tokens)).seconds

        await control.load(names[0], adapters[names[0]])
        await seconds(names[0])
        alone = read_memory(server.state)
        proofs = [(await control.load(name, adapters[name])).seconds for name in names[1:]]
        resting = list((await control.status()).resting)
        held = [name for name in names if name not in resting]
        for name in held:
            await seconds(name)
        together = read_memory(server.state)
        one, many = [], []
        for turn in range(0, options.answers, _TURN):
            one += [await seconds(held[-1]) for _ in range(_TURN)]
            many += [await seconds(held[(turn + at) % (len(held) - 1)]) for at in range(_TURN)]
        back = [await seconds(name) for name in resting]
    ratio = statistics.median(many) / statistics.median(one)
    return {
        "memory_mib": {"one": round(alone), "all": round(together), "held": len(held)},
        "memory_mib_per_adapter": round((together - alone) / (len(held) - 1), 2),
        "latency_seconds": {"one": round(statistics.median(one), 3), "many": round(statistics.median(many), 3)},
        "latency_ratio": round(ratio, 3),
        "back_seconds": round(statistics.median(back), 3) if back else None,
        "proof_seconds": round(statistics.median(proofs), 3),
        "load": os.getloadavg(),
    }


if __name__ == "__main__":
    main()
