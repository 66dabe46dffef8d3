"""Keeps what vLLM serves equal to what was asked for: at start, after a crash, after every change, and every while.

vLLM forgets its adapters when it restarts and can be told to load others behind our back, so the desired set lives in
our state folder and the actual one is read from vLLM each time.
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from app.domain.adapters import BaseCheckpoint
from app.domain.base import Record
from app.domain.errors import Refused, RetryLater, UserError
from app.domain.serving import BASE_NAME, EngineCard, ProbeReport, Quarantine, ServedAdapter, ServingStatus
from serving.engine import Engine, read_engine_name
from serving.folder import ProvenAdapter, adopt, read_precision
from serving.goldens import compare_goldens
from serving.probe import check_report, measure
from serving.state import DesiredAdapter, StateFolder

RECONCILE_SECONDS = 30.0
DRAIN_SECONDS = 30.0
FIRST_BACKOFF_SECONDS, LAST_BACKOFF_SECONDS = 1.0, 60.0


class ReconcilePlan(Record):
    load: tuple[str, ...]
    unload: tuple[str, ...]


def decide_reconcile(desired: Mapping[str, Path], actual: Mapping[str, str]) -> ReconcilePlan:
    """`desired`: name → folder it must be served from; `actual`: name → root that vLLM lists, the base left out."""
    wrong = {name for name, root in actual.items() if name not in desired or str(desired[name]) != root}
    right = actual.keys() - wrong
    return ReconcilePlan(load=tuple(sorted(desired.keys() - right)), unload=tuple(sorted(wrong)))


class Controller:
    """The only caller of vLLM's load and unload routes. `ready` is set while everything desired is served."""

    def __init__(
        self, engine: Engine, state: StateFolder, base: BaseCheckpoint, *, tolerance: float, say: Callable[[str], None]
    ) -> None:
        self.engine = engine
        self.ready = asyncio.Event()
        self._state = state
        self._base = base
        self._tolerance = tolerance
        self._say = say
        self._phase: Literal["starting", "ready", "restarting"] = "starting"
        self._desired = {item.name: item for item in state.load_desired()}
        self._served: dict[str, ServedAdapter] = {}
        self._in_flight: Counter[str] = Counter()
        self._answered = asyncio.Condition()
        self._changing = asyncio.Lock()

    async def supervise(self) -> None:
        """Start vLLM, and start it again whenever it ends. Runs until cancelled.

        Raises:
            UserError: when the very first start fails; later ones are retried with growing pauses.
        """
        pause = FIRST_BACKOFF_SECONDS
        while True:
            try:
                await self.engine.start(self._say)
                await self._become_ready()
                began = asyncio.get_running_loop().time()
                await self._watch()
                if asyncio.get_running_loop().time() - began > LAST_BACKOFF_SECONDS:
                    pause = FIRST_BACKOFF_SECONDS
            except UserError as error:
                if self.engine.starts == 1:
                    raise
                self._say(str(error))
            self.ready.clear()
            self._phase = "restarting"
            self._served.clear()
            self._say(f"vLLM ended; it is started again in {pause:.0f} s")
            await asyncio.sleep(pause)
            pause = min(2 * pause, LAST_BACKOFF_SECONDS)

    async def load(self, name: str, path: Path) -> ProbeReport:
        """Serve an adapter after proving it; repeating the call is harmless.

        Raises:
            Refused: when it must not be served; the others keep serving, and the reason is kept on record.
            RetryLater: while vLLM starts.
        """
        async with self._changing:
            self._require_ready()
            if name in self._served:
                return self._served[name].probe
            served = await self._serve(name, path)
            self._desired[name] = DesiredAdapter(name=name, path=str(path), asked_at=served.loaded_at)
            self._state.save_desired(tuple(self._desired.values()))
            return served.probe

    async def unload(self, name: str) -> None:
        """Stop admitting requests, wait for those under way, then forget the adapter.

        Raises:
            Refused: when no such adapter is served.
        """
        async with self._changing:
            if name not in self._desired:
                raise Refused("unknown_name", f"no adapter {name} is served")
            del self._desired[name]
            self._state.save_desired(tuple(self._desired.values()))
            served = self._served.pop(name, None)
            await self._drain(name)
            if served is not None:
                await self.engine.unload(name)
            await asyncio.to_thread(self._drop_copy, name)

    @asynccontextmanager
    async def admit(self, name: str) -> AsyncIterator[None]:
        """Hold the adapter while a request to it is answered.

        Raises:
            Refused: for a name that is not served.
            RetryLater: while vLLM starts.
        """
        if name != BASE_NAME and name not in self._desired:
            raise Refused("unknown_name", f"the model {name!r} is not served here")
        self._require_ready()
        if name != BASE_NAME and name not in self._served:
            raise RetryLater(f"{name} is being loaded", 2)
        self._in_flight[name] += 1
        try:
            yield
        finally:
            async with self._answered:
                self._in_flight[name] -= 1
                self._answered.notify_all()

    def names(self) -> list[str]:
        return [BASE_NAME, *sorted(self._served)]

    def card(self) -> EngineCard:
        return EngineCard(
            engine=read_engine_name(), precision=read_precision(self.engine.options.base), base=self._base
        )

    def status(self) -> ServingStatus:
        return ServingStatus(
            state=self._phase,
            base=self._base.name,
            revision=self._base.revision,
            max_rank=self.engine.options.max_rank,
            engine_pid=self.engine.pid,
            starts=self.engine.starts,
            ready_seconds=self.engine.ready_seconds,
            adapters=tuple(self._served[name] for name in sorted(self._served)),
            quarantined=self._state.load_quarantine(),
        )

    async def _reconcile(self) -> None:
        """One round: unload what nobody asked for, load what is missing. The caller holds the lock."""
        actual = await self.engine.list_served()
        actual.pop(BASE_NAME, None)
        # Listed but not proven by us is as good as served from elsewhere: it is loaded again, and proven.
        proven = {name: root if name in self._served else "" for name, root in actual.items()}
        plan = decide_reconcile({name: self._weights(name) for name in self._desired}, proven)
        for name in plan.unload:
            self._served.pop(name, None)
            await self.engine.unload(name)
        for name in plan.load:
            try:
                await self._serve(name, Path(self._desired[name].path))
                self._say(f"{name}: loaded again")
            except Refused as error:
                self._say(f"{name}: {error}")
                del self._desired[name]
                self._state.save_desired(tuple(self._desired.values()))

    async def _become_ready(self) -> None:
        async with self._changing:
            try:
                await self._reconcile()
            except RetryLater as error:
                self._say(str(error))
                return
            self._phase = "ready"
        self.ready.set()

    async def _watch(self) -> None:
        """Returns when vLLM ended; reconciles every while until then."""
        ended = asyncio.ensure_future(self.engine.wait())
        try:
            while not (await asyncio.wait({ended}, timeout=RECONCILE_SECONDS))[0]:
                await self._become_ready()
        finally:
            ended.cancel()

    async def _serve(self, name: str, path: Path) -> ServedAdapter:
        """Check, copy, load, list, probe. Whatever fails leaves nothing loaded under the name."""
        try:
            proven = await asyncio.to_thread(
                adopt,
                path,
                name=name,
                base=self._base,
                into=self._state.adapters,
                max_rank=self.engine.options.max_rank,
            )
            probe = await self._load_and_probe(proven)
        except Refused as error:
            self._quarantine(name, path, error)
            raise
        served = ServedAdapter(name=name, path=str(path), loaded_at=datetime.now(UTC), probe=probe)
        self._served[name] = served
        return served

    async def _load_and_probe(self, proven: ProvenAdapter) -> ProbeReport:
        name, folder = proven.manifest.name, proven.weights_folder
        await self.engine.load(name, folder)
        try:
            root = (await self.engine.list_served()).get(name)
            if root != str(folder):
                raise Refused("not_listed", f"vLLM took {name} but lists it with root {root}, expected {folder}")
            await compare_goldens(self.engine, name, proven.goldens)
            report = await measure(self.engine, name, proven.probes, tolerance=self._tolerance)
            check_report(report)
        except (Refused, RetryLater):
            with suppress(RetryLater):  # vLLM is away; what it still holds then is unloaded when it is back
                await self.engine.unload(name)
            raise
        return report

    async def _drain(self, name: str) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS), self._answered:
                await self._answered.wait_for(lambda: not self._in_flight[name])

    def _quarantine(self, name: str, path: Path, error: Refused) -> None:
        self._drop_copy(name)
        record = Quarantine(name=name, path=str(path), reason=error.reason, message=str(error), at=datetime.now(UTC))
        self._state.add_quarantine(record)

    def _drop_copy(self, name: str) -> None:
        known = {entry.name: entry for entry in self._state.adapters.iterdir()}
        if name in known:
            shutil.rmtree(known[name])

    def _weights(self, name: str) -> Path:
        return self._state.adapters / name / "adapter"

    def _require_ready(self) -> None:
        if self._phase != "ready":
            raise RetryLater(f"vLLM is {self._phase}", 5)
