"""Keeps what vLLM serves equal to what was asked for: at start, after a crash, after every change, and every while.

vLLM forgets its adapters when it restarts and can be told to load others behind our back, so the desired set lives in
our state folder and the actual one is read from vLLM each time.

More adapters may be desired than vLLM holds at once. Then those that were used last are held, the others rest: their
checked copies stay in the state folder, and a request for one brings it back, proven anew.
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from app.domain.adapters import BaseCheckpoint
from app.domain.errors import Refused, RetryLater, UserError
from app.domain.serving import (
    BASE_NAME,
    EngineCard,
    PrefixCache,
    ProbeReport,
    Quarantine,
    ServedAdapter,
    ServingStatus,
)
from serving.engine import Engine, read_engine_name
from serving.folder import ProvenAdapter, adopt, read_base, read_precision
from serving.goldens import compare_goldens
from serving.plans import decide_reconcile, decide_residents, decide_victims
from serving.probe import check_report, measure
from serving.state import DesiredAdapter, StateFolder

RECONCILE_SECONDS = 30.0
FIRST_BACKOFF_SECONDS, LAST_BACKOFF_SECONDS = 1.0, 60.0


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
        #: the last used is the last
        self._desired = {item.name: item for item in state.load_desired()}
        self._served: dict[str, ServedAdapter] = {}
        #: no longer desired, but a request to it may still be under way
        self._leaving: set[str] = set()
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
            first = self.engine.starts == 0
            try:
                if not first:
                    await self._check_base()
                await self.engine.start(self._say)
                await self._become_ready()
                began = asyncio.get_running_loop().time()
                await self._watch()
                if asyncio.get_running_loop().time() - began > LAST_BACKOFF_SECONDS:
                    pause = FIRST_BACKOFF_SECONDS
            except UserError as error:
                if first:
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
            if name in self._leaving:
                raise RetryLater(f"{name} is being unloaded", 2)
            if name not in self._served:
                await self._make_room()
                served = await self._serve(name, path)
                self._desired[name] = DesiredAdapter(name=name, path=str(path), asked_at=served.loaded_at)
            self._touch(name)
            self._save_desired()
            return self._served[name].probe

    async def unload(self, name: str) -> None:
        """Stop admitting requests, wait for those under way, then forget the adapter. Other calls go on meanwhile.

        Raises:
            Refused: when no such adapter is served.
        """
        async with self._changing:
            if name not in self._desired and name not in self._leaving:
                raise Refused("unknown_name", f"no adapter {name} is served")
            if self._desired.pop(name, None) is not None:
                self._save_desired()
            self._served.pop(name, None)
            self._leaving.add(name)
        try:
            async with self._answered:  # ends: the engine's client gives up on every request after a while
                await self._answered.wait_for(lambda: not self._in_flight[name])
            async with self._changing:
                if name not in self._desired:
                    await self._forget(name)
        finally:
            self._leaving.discard(name)

    @asynccontextmanager
    async def admit(self, name: str) -> AsyncIterator[None]:
        """Hold the adapter while a request to it is answered; one that rests is brought back first.

        Raises:
            Refused: for a name that is not served, or whose copy no longer proves to be what was trained.
            RetryLater: while vLLM starts, or all that it holds are answering.
        """
        if name != BASE_NAME and name not in self._desired:
            raise Refused("unknown_name", f"the model {name!r} is not served here")
        self._require_ready()
        if name != BASE_NAME:
            self._touch(name)
            if name not in self._served:
                await self._bring_back(name)
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
            resting=tuple(sorted(self._desired.keys() - self._served.keys())),
            capacity=self._capacity,
            answering=self._in_flight.total(),
            quarantined=self._state.load_quarantine(),
        )

    async def read_cache(self) -> PrefixCache:
        """Raises: RetryLater while vLLM starts."""
        self._require_ready()
        return await self.engine.read_cache()

    @property
    def _capacity(self) -> int:
        return self.engine.options.held

    async def _reconcile(self) -> None:
        """One round: unload what nobody asked for, load what is missing. The caller holds the lock."""
        actual = await self.engine.list_served()
        actual.pop(BASE_NAME, None)
        # Listed but not proven by us is as good as served from elsewhere: it is loaded again, and proven.
        proven = {name: root if name in self._served else "" for name, root in actual.items()}
        residents = decide_residents(tuple(self._desired), capacity=self._capacity)
        plan = decide_reconcile({name: self._weights(name) for name in residents}, proven)
        for name in plan.unload:
            if not self._in_flight[name]:  # else the next round, or whoever waits for its end
                self._served.pop(name, None)
                await self.engine.unload(name)
        for name in plan.load:
            await self._serve_again(name)
        for name in {entry.name for entry in self._state.adapters.iterdir()} - self._desired.keys() - self._leaving:
            await asyncio.to_thread(self._drop_copy, name)  # of an unloading that was cut off: nobody may use it

    async def _serve_again(self, name: str) -> None:
        """One that is desired but not held; when it does not prove itself any more it is desired no longer."""
        try:
            await self._serve(name, Path(self._desired[name].path))
            self._say(f"{name}: loaded again")
        except Refused as error:
            self._say(f"{name}: {error}")
            del self._desired[name]
            self._save_desired()

    async def _bring_back(self, name: str) -> None:
        async with self._changing:
            self._require_ready()
            if name in self._desired and name not in self._served:
                await self._make_room()
                await self._serve_again(name)
            if name not in self._served:
                raise Refused("unknown_name", f"the model {name!r} is not served here any more")

    async def _make_room(self) -> None:
        """The caller holds the lock."""
        busy = {name for name, count in self._in_flight.items() if count}
        for name in decide_victims(tuple(self._desired), self._served, busy, capacity=self._capacity):
            del self._served[name]
            await self.engine.unload(name)
            self._say(f"{name}: rests, for {self._capacity} others were used since")

    async def _forget(self, name: str) -> None:
        with suppress(RetryLater):  # vLLM is away: it forgets by itself, or the next round unloads what it still lists
            if name in await self.engine.list_served():
                await self.engine.unload(name)
        await asyncio.to_thread(self._drop_copy, name)

    def _touch(self, name: str) -> None:
        self._desired[name] = self._desired.pop(name)

    def _save_desired(self) -> None:
        self._state.save_desired(tuple(self._desired.values()))

    async def _check_base(self) -> None:
        """Raises: UserError when the base's files are no longer those that this server was started with."""
        found = await asyncio.to_thread(read_base, self.engine.options.base)
        if found != self._base:
            raise UserError(
                f"the base in {self.engine.options.base} is {found.name}@{found.revision} with weights "
                f"{found.weights_hash[:12]}, but this server was started with {self._base.name}@{self._base.revision} "
                f"and {self._base.weights_hash[:12]}; put that back, or start the server anew on the other"
            )

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
