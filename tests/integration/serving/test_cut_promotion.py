"""kill -9 before and after every step of a round that promotes: what answers is the old version or the new, whole."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.domain.adapters import AdapterState
from app.store.database import open_engine, reading
from app.store.learning import select_audit
from app.store.migrate import migrate
from app.store.rounds import load_pointer, select_adapter_versions
from tests.cutting import Cut, CutProgram
from tests.integration.runners.approved import approve_examples
from tests.integration.serving.promoting_program import INSTALLATION, Learning
from tests.vllm_standin import Server, make_base, serving

pytestmark = pytest.mark.slow


@contextmanager
def a_server(base: Path, state: Path) -> Iterator[Server]:
    """In a thread with a loop of its own, for this test blocks."""
    loop, ready, end = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    found: list[Server] = []

    async def run() -> None:
        async with serving(base, state, held=64) as server:
            found.append(server)
            ready.set()
            await end.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    try:
        assert ready.wait(30)
        yield found[0]
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(30)
        loop.close()


class Registry:
    """What our tables say, read while no process of ours runs."""

    def __init__(self, folder: Path) -> None:
        database = open_engine(f"sqlite:///{folder / 'understudy.db'}")
        try:
            with reading(database) as session:
                pointer = load_pointer(session, INSTALLATION)
                self.pointer = None if pointer is None else pointer.adapter_name
                versions = select_adapter_versions(session, INSTALLATION)
                self.promoted = [row.name for row in versions if row.state == AdapterState.PROMOTED]
                self.promotions = [row.subject for row in select_audit(session, action="adapter.promote")]
        finally:
            database.dispose()


def test_wherever_a_promotion_is_killed_one_whole_version_answers(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'understudy.db'}"
    migrate(url)
    database = open_engine(url)
    approve_examples(database, INSTALLATION, 40)
    database.dispose()
    base = make_base(tmp_path / "base")
    with a_server(base, tmp_path / "server") as server:
        program = CutProgram("-m", "tests.integration.serving.promoting_program", str(tmp_path))
        try:
            found = program.take(Learning(number=0))
            assert found["verdicts"] == ["promote"]
            steps = list(dict.fromkeys(found["steps"]))
            assert steps == ["_take_snapshot", "_train", "_register", "_load", "_confirm", "_settle"]
            before = Registry(tmp_path)
            waiting: int | None = None
            for number, cut in enumerate((Cut(step=s, when=w) for s in steps for w in ("before", "after")), 1):
                assert program.take(Learning(number=number, waiting=waiting, cut=cut)) is None, f"nothing was cut {cut}"
                now = Registry(tmp_path)
                # the round before was finished by this process, this one is cut off: its version is not in use
                assert now.promotions[:-1] == before.promotions or now.promotions == before.promotions, cut
                assert now.pointer == now.promotions[-1]
                assert now.promoted == [now.pointer]
                assert now.pointer in server.socket.adapters
                before, waiting = now, number
            last = waiting + 1 if waiting is not None else 0
            assert program.take(Learning(number=last, waiting=waiting))["verdicts"] == ["promote", "promote"]
        finally:
            program.close()
        done = Registry(tmp_path)
        assert len(done.promotions) == len(set(done.promotions)) == last + 1
        assert done.promoted == [done.pointer] == [done.promotions[-1]]
        assert done.pointer in server.socket.adapters
