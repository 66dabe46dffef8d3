"""Several model servers and one registry: real fronts, controllers, HTTP and SQLite; only vLLM itself is a stand-in."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.adapters import AdapterState
from app.domain.errors import Refused, RetryLater
from app.domain.prompt import Message
from app.domain.serving import BASE_NAME, ServingNeeds
from app.inference.replicas import survey
from app.store.database import open_engine, writing
from app.store.migrate import migrate
from app.store.rounds import move_pointer, save_adapter_state, save_adapter_version
from app.store.tables import AdapterVersionRow
from app.workflows import context
from app.workflows.erased_files import delete_adapters
from app.workflows.reviewers import ServedWriter, find_fronts, load_base_writer, load_reviewer
from app.workflows.upholding import uphold_servers
from serving.needs import load_needs
from tests.vllm_standin import Server, make_base, make_paper_adapter, serving

ASKED = (Message(role="user", content="x"),)
INSTALLATION = 7


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return make_base(tmp_path / "base")


@pytest.fixture
async def servers(base: Path, tmp_path: Path) -> AsyncIterator[list[Server]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(serving(base, tmp_path / f"server-{number}")) for number in range(2)]


@pytest.fixture
def services(base: Path, tmp_path: Path) -> Iterator[context.Services]:
    url = f"sqlite:///{tmp_path / 'understudy.db'}"
    migrate(url)
    made = context.Services(
        database=open_engine(url),
        host="github.test",
        app_slug="understudy",
        data=tmp_path / "data",
        base=base,
        serving=tmp_path / "server-0",
        replicas=(tmp_path / "server-1",),
        training_config=None,
        retention_days=30,
        github=lambda _: pytest.fail("nothing here asks GitHub"),
    )
    context.install(made)
    yield made
    context.install(None)
    made.database.dispose()


def register(services: context.Services, number: int, state: AdapterState = AdapterState.PROMOTED) -> str:
    """A version of the installation, its folder where a learning round would put it; returns its name."""
    making = services.data / f"making-{number}"
    manifest = make_paper_adapter(making, services.base, locator=str(number).encode())
    place = making.rename(services.data / "adapters" / manifest.name)
    with writing(services.database) as session:
        row = AdapterVersionRow(
            name=manifest.name,
            installation_id=INSTALLATION,
            snapshot_id="ds1:0",
            state=state.value,
            path=str(place),
            manifest=manifest.model_dump(mode="json"),
        )
        save_adapter_version(session, row)
    return manifest.name


def promote(services: context.Services, name: str) -> None:
    with writing(services.database) as session:
        move_pointer(session, INSTALLATION, name)


async def served(services: context.Services) -> list[frozenset[str]]:
    return [replica.known for replica in (await survey(services.servers)).replicas]


@pytest.fixture(autouse=True)
def _adapters(services: context.Services) -> None:
    (services.data / "adapters").mkdir(parents=True)


async def test_what_the_pointers_name_comes_to_every_server_and_what_is_retired_goes(
    services: context.Services, servers: list[Server]
) -> None:
    names = [register(services, number) for number in range(3)]
    for name in names:
        promote(services, name)
        await uphold_servers()
    assert await served(services) == [{names[1], names[2]}] * 2, "the one before is kept to go back to"
    again = await uphold_servers()
    assert [(plan.load, plan.unload) for plan in again.values()] == [((), ())] * 2
    with writing(services.database) as session:
        save_adapter_state(session, INSTALLATION, names[1], AdapterState.ERASED)
    await uphold_servers()
    assert await served(services) == [{names[2]}] * 2


async def test_a_server_that_is_away_holds_up_no_other_and_catches_up(
    services: context.Services, base: Path, tmp_path: Path
) -> None:
    name = register(services, 1)
    promote(services, name)
    async with serving(base, tmp_path / "server-1") as second:
        assert list(await uphold_servers()) == [str(second.state)]
        assert name in second.controller.names()
        async with serving(base, tmp_path / "server-0") as first:
            fronts = await find_fronts(name, services.data / "adapters" / name)
            assert fronts[0].url == (await survey([second.state])).replicas[0].front.url, "who holds it is asked"
            await uphold_servers()
            assert name in first.controller.names()


async def test_a_server_restarted_on_an_empty_folder_is_filled(
    services: context.Services, base: Path, tmp_path: Path
) -> None:
    name = register(services, 1)
    promote(services, name)
    for number in range(2):
        async with serving(base, tmp_path / f"server-{number}") as server:
            await uphold_servers()
            assert name in server.controller.names()
        (server.state / "front.json").unlink()


async def test_when_a_server_goes_away_in_mid_review_the_next_one_answers(
    services: context.Services, servers: list[Server]
) -> None:
    name, folder = register(services, 1), services.data / "adapters"
    fronts = await find_fronts(name, folder / name)
    writer = ServedWriter(fronts, INSTALLATION, name, folder / name)
    answers = [await writer.write(ASKED)]
    await servers[0].stop()
    answers.append(await writer.write(ASKED))
    assert answers == [json.dumps({"comment": f"by {name}"})] * 2
    assert [len(server.socket.answered) for server in servers] == [1, 1]
    await servers[1].stop()
    with pytest.raises(RetryLater):
        await writer.write(ASKED)
    with pytest.raises(RetryLater, match="no model server is ready"):
        await find_fronts(name, folder / name)


async def test_an_adapter_that_was_unloaded_in_mid_review_is_loaded_again(
    services: context.Services, servers: list[Server]
) -> None:
    name, folder = register(services, 1), services.data / "adapters"
    writer = ServedWriter(await find_fronts(name, folder / name), INSTALLATION, name, folder / name)
    await servers[0].controller.unload(name)
    assert await writer.write(ASKED) is not None


async def test_reviews_spread_over_the_servers_that_hold_the_adapter(
    services: context.Services, servers: list[Server]
) -> None:
    name, folder = register(services, 1), services.data / "adapters"
    promote(services, name)
    await uphold_servers()
    servers[0].socket.go_on.clear()
    first = ServedWriter(await find_fronts(name, folder / name), INSTALLATION, name, folder / name)
    busy = asyncio.create_task(first.write(ASKED))
    await servers[0].socket.asked.wait()
    second = ServedWriter(await find_fronts(name, folder / name), INSTALLATION, name, folder / name)
    await second.write(ASKED)
    assert servers[1].socket.answered == [name]
    servers[0].socket.go_on.set()
    await busy


async def test_an_erasure_reaches_every_server_before_it_tells_of_one_that_is_away(
    services: context.Services, servers: list[Server]
) -> None:
    name = register(services, 1)
    promote(services, name)
    await uphold_servers()
    await servers[0].stop()
    with pytest.raises(RetryLater):
        await delete_adapters([name])
    assert name not in servers[1].controller.names()
    assert (services.data / "adapters" / name).is_dir(), "not yet: a server that has it may come back"
    (servers[0].state / "front.json").unlink()
    assert await delete_adapters([name]) == 1
    assert not list(services.data.rglob(f"*{name}*"))
    assert not (servers[0].state / "adapters" / name).exists()


async def test_what_a_server_refuses_is_not_tried_every_round_and_keeps_no_other_out(
    services: context.Services, servers: list[Server]
) -> None:
    broken, good = register(services, 1), register(services, 2)
    with (services.data / "adapters" / broken / "probes.json").open("a") as stream:
        stream.write(" ")
    promote(services, broken)
    with writing(services.database) as session:
        move_pointer(session, INSTALLATION + 1, good)
    await uphold_servers()
    assert await served(services) == [{good}] * 2
    plans = await uphold_servers()
    assert {plan.load for plan in plans.values()} == {()}
    assert [record.reason for record in servers[0].controller.status().quarantined] == ["tampered"]


async def test_an_adapter_of_another_base_is_not_even_sent(
    services: context.Services, base: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    promote(services, register(services, 1))
    other = make_base(tmp_path / "other", weights="other weights")
    async with serving(other, tmp_path / "server-0") as server:
        await uphold_servers()
        assert server.controller.status().quarantined == ()
        assert server.controller.names() == [BASE_NAME]
    assert "weights_hash" in caplog.text


async def test_a_servers_size_is_derived_from_the_registry(
    services: context.Services, servers: list[Server], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert load_needs(servers[0].state) is None
    promote(services, register(services, 1))
    await uphold_servers()
    assert load_needs(servers[0].state) == ServingNeeds(max_rank=16, adapters=1, max_length=2048)
    assert "restart it" in caplog.text, "this server holds rank 8, the next training makes 16"
    (tmp_path / "larger.yaml").write_text("rank: 64\nmax_length: 4096\n")
    context.install(replace(services, training_config=tmp_path / "larger.yaml"))
    await uphold_servers()
    assert load_needs(servers[1].state) == ServingNeeds(max_rank=64, adapters=1, max_length=4352)


async def test_the_base_is_asked_only_by_name_and_never_in_place_of_an_adapter(
    services: context.Services, servers: list[Server]
) -> None:
    assert await load_reviewer(INSTALLATION) is None
    assert await (await load_base_writer(INSTALLATION)).write(ASKED) == json.dumps({"comment": "by base"})
    name = register(services, 1)
    with (services.data / "adapters" / name / "probes.json").open("a") as stream:
        stream.write(" ")
    promote(services, name)
    with pytest.raises(Refused, match="it was changed"):
        await load_reviewer(INSTALLATION)
