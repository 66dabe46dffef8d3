"""`python -m serving run | status | export`."""

import argparse
import asyncio
import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import httpx

from app.domain.errors import UnderstudyError, UserError
from app.domain.serving import PrefixCache
from app.domain.watchers import METRICS_TOKEN
from serving.engine import EngineOptions
from serving.export import export
from serving.leash import PR_SET_PDEATHSIG
from serving.needs import Sizes, decide_sizes, load_needs
from serving.run import Place, run
from serving.speaking import make_say
from serving.state import load_address, read_key


def main(arguments: list[str] | None = None) -> int:
    """The exit code; errors that a person can cure are one line on standard error."""
    given = _parser().parse_args(arguments)
    try:
        return {"run": _run, "status": _status, "export": _export}[given.command](given)
    except UnderstudyError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m serving", description="Serve one base and many adapters.")
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("run", help="start vLLM and the front; stops on SIGTERM")
    start.add_argument("--base", type=Path, required=True, help="base checkpoint folder")
    start.add_argument("--state", type=Path, required=True, help="folder for keys, copies of adapters and logs")
    start.add_argument("--port", type=int, default=0, help="of the front; 0 takes a free one")
    start.add_argument("--host", default="127.0.0.1", help="of the front; another than this machine's own needs --url")
    start.add_argument("--url", help="where the service reaches the front, such as http://serving:8001")
    sizes = start.add_argument_group("sizes", "what is left out is taken from what the service knows of its adapters")
    sizes.add_argument("--max-rank", type=int, help="largest LoRA rank that can be loaded")
    sizes.add_argument("--max-loras", type=int, help="adapters that can answer at the same time")
    sizes.add_argument("--held", type=int, help="adapters in memory; those unused for longest rest on disk")
    sizes.add_argument("--max-length", type=int, help="tokens of prompt and answer together")
    start.add_argument("--threads", type=int, default=0, help="CPU threads; 0 leaves one core to the rest")
    start.add_argument("--die-with-parent", action="store_true", help="end when the process that started this ends")
    state = commands.add_parser("status", help="what is served, by the running server")
    state.add_argument("--state", type=Path, required=True)
    state.add_argument("--json", action="store_true")
    take = commands.add_parser(
        "export", help="write an adapter for other programs: merged into its base, or for Ollama"
    )
    take.add_argument("--adapter", type=Path, required=True, help="adapter folder, such as data/adapters/NAME")
    take.add_argument("--base", type=Path, required=True, help="the base checkpoint folder that it was trained on")
    take.add_argument("--format", choices=("merged", "ollama"), required=True)
    take.add_argument("--out", type=Path, required=True, help="folder that is not there yet")
    return parser


def _export(given: argparse.Namespace) -> int:
    print(export(given.adapter, given.base, given.out, kind=given.format))
    return 0


def _run(given: argparse.Namespace) -> int:
    if given.die_with_parent:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    said = Sizes(given.max_rank, given.max_loras, given.held, given.max_length)
    sizes = decide_sizes(said, load_needs(given.state))
    print(sizes.told, flush=True)
    options = EngineOptions(
        base=given.base,
        max_rank=sizes.max_rank,
        max_adapters=sizes.max_loras,
        held=sizes.held,
        max_length=sizes.max_length,
        threads=given.threads,
    )
    token = os.environ.get(METRICS_TOKEN) or None
    asyncio.run(run(options, state_path=given.state, place=_place(given), say=make_say(), metrics_token=token))
    return 0


def _place(given: argparse.Namespace) -> Place:
    if given.host not in ("127.0.0.1", "::1", "localhost") and not given.url:
        raise UserError(f"expected --url beside --host {given.host}, by which the service reaches the front")
    return Place(host=given.host, port=given.port, url=given.url)


def _status(given: argparse.Namespace) -> int:
    state = given.state
    address = load_address(state)
    headers = {"authorization": f"Bearer {read_key(state, 'control')}"}
    try:
        answer = httpx.get(f"{address.url}/control/status", headers=headers, timeout=10, trust_env=False)
        answer.raise_for_status()
        cache = httpx.get(f"{address.url}/control/cache", headers=headers, timeout=10, trust_env=False)
    except httpx.HTTPError as error:
        raise UserError(f"the server at {address.url} (process {address.pid}) does not answer: {error}") from error
    found = answer.json()
    if given.json:
        print(json.dumps(found, indent=1))
        return 0
    cached = PrefixCache.model_validate_json(cache.content) if cache.is_success else None
    _tell(found, cached)
    return 0


def _tell(found: dict[str, Any], cached: PrefixCache | None) -> None:
    print(f"{found['state']}: {found['base']}@{found['revision']}, rank up to {found['max_rank']}")
    for adapter in found["adapters"]:
        print(f"  {adapter['name']}  effect {max(adapter['probe']['effect']):.3f}  from {adapter['path']}")
    if found["resting"]:
        print(
            f"  {len(found['resting'])} rest, for {found['capacity']} are held at once: {', '.join(found['resting'])}"
        )
    if cached is not None:
        print(f"  {cached.hit_rate:.0%} of the prompts' tokens were found in the prefix cache")
    for record in found["quarantined"]:
        print(f"  quarantined {record['name']}: {record['message']}")


if __name__ == "__main__":
    sys.exit(main())
