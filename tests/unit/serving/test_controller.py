"""What vLLM holds and what we proved never part, even when vLLM is away in the middle of a proof."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.domain.adapters import AdapterManifest, BaseCheckpoint
from app.domain.errors import Refused, RetryLater, UserError
from serving.controller import Controller
from serving.engine import Engine, EngineOptions
from serving.state import DesiredAdapter, StateFolder
from tests.vllm_standin import Socket, controlling, make_paper_adapter, stamp_base


@pytest.mark.parametrize(
    ("away", "left"),
    [
        (["/v1/completions"], False),
        (["/v1/completions", "/v1/unload_lora_adapter"], True),
    ],
)
async def test_an_adapter_whose_proof_was_cut_off_is_proven_anew(
    away: list[str], left: bool, adapter: Path, base: Path, tmp_path: Path
) -> None:
    name = AdapterManifest.model_validate_json((adapter / "manifest.json").read_bytes()).name
    state = StateFolder(tmp_path / "state")
    state.save_desired((DesiredAdapter(name=name, path=str(adapter), asked_at=datetime.now(UTC)),))
    engine = Engine(EngineOptions(base=base), state=state.path)
    checkpoint = BaseCheckpoint.model_validate_json((base / "base.json").read_bytes())
    controller = Controller(engine, state, checkpoint, tolerance=0.1, say=lambda _: None)
    socket = Socket()
    socket.away = away
    try:
        async with socket.open(engine.socket):
            await controller._become_ready()
            assert not controller.ready.is_set()
            assert (name in socket.adapters) is left
            with pytest.raises(RetryLater):
                async with controller.admit(name):
                    pass
            await controller._become_ready()
            assert controller.names() == ["base", name]
            assert socket.loads == 2
            async with controller.admit(name):
                pass
    finally:
        await engine.client.aclose()


async def test_a_server_whose_tokenizer_changed_gets_no_adapter(adapter: Path, base: Path, tmp_path: Path) -> None:
    name = AdapterManifest.model_validate_json((adapter / "manifest.json").read_bytes()).name
    socket = Socket()
    socket.text_tokens = (7, 9)
    async with controlling(base, tmp_path / "state", socket) as controller:
        with pytest.raises(Refused, match="token 1 was 8 and is 9") as caught:
            await controller.load(name, adapter)
        assert caught.value.reason == "goldens"
        assert controller.names() == ["base"]
        assert socket.adapters == {}


async def test_weights_are_loaded_once_from_a_place_of_their_own(adapter: Path, base: Path, tmp_path: Path) -> None:
    """`load_inplace` would read the disk at every step and keep stale cache entries; it is never sent."""
    name = AdapterManifest.model_validate_json((adapter / "manifest.json").read_bytes()).name
    socket = Socket()
    async with controlling(base, tmp_path / "state", socket) as controller:
        await controller.load(name, adapter)
    (body,) = socket.load_bodies
    assert body.keys() == {"lora_name", "lora_path"}
    assert Path(body["lora_path"]).is_absolute()
    assert name in Path(body["lora_path"]).parts


def _make_three(folder: Path, base: Path) -> list[str]:
    return [make_paper_adapter(folder / str(number), base, installation=str(number)).name for number in range(3)]


async def test_more_adapters_than_are_held_take_turns_and_come_back_on_demand(base: Path, tmp_path: Path) -> None:
    names, socket = _make_three(tmp_path, base), Socket()
    async with controlling(base, tmp_path / "state", socket, held=2) as controller:
        for number, name in enumerate(names):
            await controller.load(name, tmp_path / str(number))
        assert controller.status().resting == (names[0],)
        assert socket.adapters.keys() == set(names[1:])
        async with controller.admit(names[1]):
            pass
        for number in range(3):  # what rests comes back from our own copy, whatever became of where it came from
            (tmp_path / str(number)).rename(tmp_path / f"gone-{number}")
        loads = socket.loads
        async with controller.admit(names[0]):
            assert socket.adapters.keys() == {names[0], names[1]}, "the longest unused made room"
        assert socket.loads == loads + 1
        async with controller.admit(names[0]):
            assert socket.loads == loads + 1
        await controller._become_ready()
        assert socket.loads == loads + 1, "a reconcile leaves who rests at rest"


async def test_a_restart_loads_those_that_were_used_last_and_forgets_none(base: Path, tmp_path: Path) -> None:
    names = _make_three(tmp_path, base)
    async with controlling(base, tmp_path / "state", Socket(), held=2) as controller:
        for number, name in enumerate(names):
            await controller.load(name, tmp_path / str(number))
    socket = Socket()
    async with controlling(base, tmp_path / "state", socket, held=2) as controller:
        assert socket.adapters.keys() == set(names[1:])
        assert controller.status().resting == (names[0],)
        async with controller.admit(names[0]):
            assert names[0] in socket.adapters


async def test_nobody_is_unloaded_while_it_answers(base: Path, tmp_path: Path) -> None:
    names, socket = _make_three(tmp_path, base), Socket()
    async with controlling(base, tmp_path / "state", socket, held=2) as controller:
        for number in range(2):
            await controller.load(names[number], tmp_path / str(number))
        async with controller.admit(names[0]):
            async with controller.admit(names[1]):
                with pytest.raises(RetryLater, match="are answering"):
                    await controller.load(names[2], tmp_path / "2")
            unloading = asyncio.create_task(controller.unload(names[0]))
            await asyncio.sleep(0.05)
            await controller.load(names[2], tmp_path / "2")  # a long answer holds up nobody else
            await controller._become_ready()
            assert names[0] in socket.adapters
            assert not unloading.done()
            with pytest.raises(Refused, match="not served here"):
                async with controller.admit(names[0]):
                    pass
            with pytest.raises(RetryLater, match="being unloaded"):
                await controller.load(names[0], tmp_path / "0")
        await unloading
        assert names[0] not in socket.adapters
        assert not (tmp_path / "state" / "adapters" / names[0]).exists()


async def test_what_an_interrupted_unloading_left_goes_with_the_next_round(
    adapter: Path, base: Path, tmp_path: Path
) -> None:
    name = AdapterManifest.model_validate_json((adapter / "manifest.json").read_bytes()).name
    socket = Socket()
    async with controlling(base, tmp_path / "state", socket) as controller:
        await controller.load(name, adapter)
        async with controller.admit(name):
            unloading = asyncio.create_task(controller.unload(name))
            await asyncio.sleep(0.05)
            unloading.cancel()
            await asyncio.gather(unloading, return_exceptions=True)
        await controller._become_ready()
        assert socket.adapters == {}
        assert list((tmp_path / "state" / "adapters").iterdir()) == []


async def test_one_that_rests_and_was_changed_meanwhile_is_quarantined(base: Path, tmp_path: Path) -> None:
    names, socket = _make_three(tmp_path, base), Socket()
    async with controlling(base, tmp_path / "state", socket, held=1) as controller:
        for number in range(2):
            await controller.load(names[number], tmp_path / str(number))
        with (tmp_path / "state" / "adapters" / names[0] / "probes.json").open("a") as stream:
            stream.write(" ")
        with pytest.raises(Refused, match="not served here any more"):
            async with controller.admit(names[0]):
                pass
        assert controller.status().quarantined[-1].reason == "tampered"
        assert names[0] not in socket.adapters


async def test_a_base_that_was_exchanged_is_not_started_again(base: Path, tmp_path: Path) -> None:
    socket = Socket()
    async with controlling(base, tmp_path / "state", socket) as controller:
        await controller._check_base()
        (base / "model.safetensors").write_text("other weights")
        with pytest.raises(UserError, match="make it anew"):
            await controller._check_base()
        stamp_base(base)
        with pytest.raises(UserError, match="but this server was started with b@r1"):
            await controller._check_base()
