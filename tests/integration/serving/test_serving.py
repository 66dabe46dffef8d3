"""The real server: what is loaded is proven, what is not proven is not loaded, and what was loaded comes back."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.domain.adapters import AdapterManifest
from app.domain.errors import Refused, RetryLater
from app.domain.prompt import RESPONSE_SCHEMA, Message, parse_completion
from app.inference.adapter_control import AdapterControl
from app.inference.completions import CompletionClient
from serving.folder import read_base
from tests.serving_fixture import ServingProcess, end, find_on_leash, find_server, make_adapter, seal, start_serving
from training.base.making import load_base

pytestmark = pytest.mark.slow

ASKED = (Message(role="system", content="Answer as JSON."), Message(role="user", content="a.py\n>+x = eval(y)"))


@pytest.fixture
async def control(serving: ServingProcess) -> AsyncIterator[AdapterControl]:
    async with AdapterControl(serving.url, serving.control_key) as made:
        yield made


@pytest.fixture
async def client(serving: ServingProcess) -> AsyncIterator[CompletionClient]:
    async with CompletionClient(serving.url, serving.read_key) as made:
        yield made


async def _names(serving: ServingProcess) -> list[str]:
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {serving.read_key}"}) as http:
        cards = (await http.get(f"{serving.url}/v1/models")).raise_for_status().json()["data"]
        return [card["id"] for card in cards]


async def _answer(client: CompletionClient, model: str) -> str:
    answer = await client.complete(model=model, messages=ASKED, max_tokens=24, cache_salt="7")
    return answer.text


async def test_a_proven_adapter_is_listed_and_answers(
    serving: ServingProcess, control: AdapterControl, client: CompletionClient, tmp_path: Path
) -> None:
    manifest = make_adapter(serving.base, tmp_path, seed=11)
    report = await control.load(manifest.name, tmp_path)
    assert max(report.parity) < report.tolerance / 2
    assert max(report.base_parity) < report.tolerance / 2
    assert max(report.effect) > report.least_effect
    assert manifest.name in await _names(serving)
    assert await control.load(manifest.name, tmp_path) == report, "a repeated call changes nothing"
    assert await _answer(client, manifest.name) != await _answer(client, "base")
    await control.unload(manifest.name)
    assert manifest.name not in await _names(serving)
    with pytest.raises(Refused, match="not served") as refused:
        await _answer(client, manifest.name)
    assert refused.value.reason == "unknown_name"


async def test_two_adapters_answer_each_as_itself(
    control: AdapterControl, client: CompletionClient, serving: ServingProcess, tmp_path: Path
) -> None:
    first = make_adapter(serving.base, tmp_path / "a", seed=21, scale=0.5)
    second = make_adapter(serving.base, tmp_path / "b", seed=22, scale=0.5)
    await control.load(first.name, tmp_path / "a")
    warm = [await _answer(client, first.name) for _ in range(2)]
    await control.load(second.name, tmp_path / "b")
    other = await _answer(client, second.name)
    together = await asyncio.gather(*(_answer(client, name) for name in (first.name, second.name)))
    assert len(set(warm)) == 1
    assert other != warm[0]
    assert together == [warm[0], other]
    for name in (first.name, second.name):
        await control.unload(name)


async def test_an_adapter_without_effect_is_quarantined(
    control: AdapterControl, serving: ServingProcess, tmp_path: Path
) -> None:
    good = make_adapter(serving.base, tmp_path / "good", seed=31)
    await control.load(good.name, tmp_path / "good")
    idle = make_adapter(serving.base, tmp_path / "idle", seed=32, scale=0)
    with pytest.raises(Refused, match="answers as the base does") as refused:
        await control.load(idle.name, tmp_path / "idle")
    assert refused.value.reason == "no_effect"
    names = await _names(serving)
    assert idle.name not in names
    assert good.name in names, "the one that was served goes on"
    status = await control.status()
    assert [record.reason for record in status.quarantined if record.name == idle.name] == ["no_effect"]
    await control.unload(good.name)


async def test_weights_that_are_not_those_of_the_probe_are_quarantined(
    control: AdapterControl, serving: ServingProcess, tmp_path: Path
) -> None:
    """Well formed, well hashed, of this base, but other weights than those the training measured."""
    make_adapter(serving.base, tmp_path, seed=41, scale=0.5)
    stored = json.loads((tmp_path / "probes.json").read_text())
    stored[0]["adapter_logprob"] += 0.5
    (tmp_path / "probes.json").write_text(json.dumps(stored))
    manifest = seal(tmp_path, serving.base)
    await _refused(control, serving, manifest, tmp_path, reason="parity")


@pytest.mark.parametrize("file", ["adapter/adapter_model.safetensors", "adapter/adapter_config.json", "probes.json"])
async def test_a_tampered_file_is_named_before_anything_is_loaded(
    control: AdapterControl, serving: ServingProcess, tmp_path: Path, file: str
) -> None:
    manifest = make_adapter(serving.base, tmp_path, seed=51)
    with (tmp_path / file).open("ab") as stream:
        stream.write(b"\n")
    message = await _refused(control, serving, manifest, tmp_path, reason="tampered")
    assert file in message


async def test_an_adapter_of_another_base_is_refused_before_loading(
    control: AdapterControl, serving: ServingProcess, tmp_path: Path
) -> None:
    make_adapter(serving.base, tmp_path / "a", seed=61)
    other = json.loads((serving.base / "base.json").read_text()) | {"weights_hash": "0" * 64}
    (tmp_path / "base.json").write_text(json.dumps(other))
    manifest = seal(tmp_path / "a", tmp_path)
    message = await _refused(control, serving, manifest, tmp_path / "a", reason="other_base")
    assert "weights_hash" in message


async def test_a_rank_beyond_the_slots_is_refused(
    control: AdapterControl, serving: ServingProcess, tmp_path: Path
) -> None:
    manifest = make_adapter(serving.base, tmp_path, seed=71, rank=16)
    message = await _refused(control, serving, manifest, tmp_path, reason="rank")
    assert "16" in message


async def test_a_pickle_is_refused(control: AdapterControl, serving: ServingProcess, tmp_path: Path) -> None:
    make_adapter(serving.base, tmp_path, seed=81)
    (tmp_path / "adapter/adapter_model.bin").write_bytes(b"\x80\x04.")
    manifest = seal(tmp_path, serving.base)
    message = await _refused(control, serving, manifest, tmp_path, reason="file_kind")
    assert "adapter_model.bin" in message


async def test_only_absolute_paths_and_real_names(control: AdapterControl, tmp_path: Path) -> None:
    for name, path in (("7--0123456789ab", Path("hub/repository")), ("base", tmp_path), ("..", tmp_path)):
        with pytest.raises(Refused):
            await control.load(name, path)


async def test_an_answer_has_the_agreed_shape(client: CompletionClient) -> None:
    """Even a network of random weights cannot leave the schema; it may run on, but never out of shape."""
    answer = await client.complete(model="base", messages=ASKED, max_tokens=400, cache_salt="7")
    assert answer.text.startswith('{"comment": "'), "spelled as training spells it"
    assert answer.prompt_tokens > 10
    assert answer.completion_tokens <= 400
    if answer.finish_reason == "stop":
        assert parse_completion(answer.text) is not None
    letters: dict[str, Any] = {"comment": {"enum": ["a", "b"]}}
    closed: dict[str, Any] = {**RESPONSE_SCHEMA, "properties": letters}
    answer = await client.complete(model="base", messages=ASKED, max_tokens=40, schema=closed)
    assert answer.finish_reason == "stop"
    assert json.loads(answer.text)["comment"] in ("a", "b")


async def test_only_the_listed_routes_answer(serving: ServingProcess) -> None:
    """Every route that vLLM prints at its start, and some that attackers try, through the front with a valid key."""
    allowed = {("GET", "/health"), ("GET", "/v1/models"), ("GET", "/v1/engine")}
    allowed |= {("POST", "/v1/chat/completions"), ("POST", "/v1/completions"), ("GET", "/metrics")}
    routes = _routes_of_vllm(serving)
    assert len(routes) > 30, "vLLM has many routes; if it prints none, this test proves nothing"
    assert {("POST", "/v1/load_lora_adapter"), ("POST", "/invocations"), ("POST", "/adapters")} <= routes
    tried = (
        "/openapi.json",
        "/docs",
        "/metrics",
        "/pause",
        "/v1/models/",
        "//v1/models",
        "/control",
        "/HEALTH",
        "/v1/engine",
    )
    routes |= {(method, path) for path in tried for method in ("GET", "POST", "PUT", "DELETE")}
    headers = {"authorization": f"Bearer {serving.control_key}"}
    async with httpx.AsyncClient(base_url=serving.url, headers=headers, timeout=30) as http:
        answers = {route: (await http.request(*route, json={})).status_code for route in sorted(routes)}
    async with httpx.AsyncClient(base_url=serving.url, timeout=30) as http:  # no key, but this machine
        figures = (await http.get("/metrics")).text
        assert "understudy_serving_ready 1.0" in figures
        assert "vllm:" not in figures  # the front's own, vLLM's stay behind it
    assert {route for route, status in answers.items() if status != 404} == allowed


def _routes_of_vllm(serving: ServingProcess) -> set[tuple[str, str]]:
    """Method and path, from lines like `Route: /ping, Methods: GET, POST`."""
    log = (serving.state / "vllm.log").read_text().splitlines()
    told = [line.split("Route: ")[1].split(", Methods: ") for line in log if "Route: " in line]
    return {(method, path) for path, methods in told for method in methods.split(", ")}


async def test_keys_open_what_they_are_for(serving: ServingProcess) -> None:
    routes = [("GET", "/v1/models"), ("POST", "/v1/chat/completions"), ("GET", "/control/status")]
    routes += [("POST", "/v1/completions"), ("GET", "/v1/engine")]
    control = [("PUT", "/control/adapters/7--0123456789ab"), ("DELETE", "/control/adapters/7--0123456789ab")]
    async with httpx.AsyncClient(base_url=serving.url) as http:
        for method, path in routes + control:
            for key in ("", "Bearer wrong", f"Basic {serving.control_key}"):
                assert (await http.request(method, path, headers={"authorization": key})).status_code == 401
        for method, path in [routes[2], *control]:
            read = {"authorization": f"Bearer {serving.read_key}"}
            assert (await http.request(method, path, headers=read)).status_code == 401


async def test_bad_requests_are_refused_without_repeating_them(serving: ServingProcess) -> None:
    headers = {"authorization": f"Bearer {serving.read_key}"}
    good: dict[str, Any] = {"model": "base", "messages": [{"role": "user", "content": "secret words"}]}
    async with httpx.AsyncClient(base_url=serving.url, headers=headers) as http:
        cases: list[tuple[dict[str, Any], int]] = [
            ({"model": "7--0123456789ab"}, 404),
            ({"model": "../etc"}, 404),
            ({"chat_template": "secret words"}, 422),
            ({"messages": []}, 422),
            ({"messages": [{"role": "user", "content": "x" * 300_000}]}, 413),
        ]
        for change, status in cases:
            answer = await http.post("/v1/chat/completions", json=good | change)
            assert answer.status_code == status
            assert "secret words" not in answer.text


async def test_a_prompt_of_tokens_is_scored_and_nothing_else_of_that_route_is_open(serving: ServingProcess) -> None:
    headers = {"authorization": f"Bearer {serving.read_key}"}
    good: dict[str, Any] = {"model": "base", "prompt": [1, 2, 3], "max_tokens": 1, "prompt_logprobs": 0}
    refused: list[dict[str, Any]] = [
        {"prompt": "words"},
        {"prompt": [[1, 2], [3]]},
        {"prompt": [-1]},
        {"prompt": []},
        {"prompt_logprobs": 5},
        {"logprobs": 5},
        {"n": 50},
        {"echo": True},
        {"prompt_embeds": "AAAA"},
        {"vllm_xargs": {"a": 1}},
        {"temperature": 2},
    ]
    async with httpx.AsyncClient(base_url=serving.url, headers=headers, timeout=60) as http:
        answer = await http.post("/v1/completions", json=good)
        assert len(answer.json()["choices"][0]["prompt_logprobs"]) == 3
        for change in refused:
            assert (await http.post("/v1/completions", json=good | change)).status_code == 422, change
        assert (await http.post("/v1/completions", json=good | {"model": "7--0123456789ab"})).status_code == 404


async def test_content_is_in_no_log(serving: ServingProcess, client: CompletionClient) -> None:
    marker = "canary-8d1f6c"
    await client.complete(model="base", messages=(Message(role="user", content=marker),), max_tokens=4)
    written = [path for path in serving.state.rglob("*") if path.is_file()] + [serving.output]
    assert not [path for path in written if marker.encode() in path.read_bytes()]


def test_status_is_told_to_people_and_programs(serving: ServingProcess) -> None:
    command = [sys.executable, "-m", "serving", "status", "--state", str(serving.state)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert told.startswith("ready: tiny-llama-random@")
    found = json.loads(subprocess.run([*command, "--json"], check=True, capture_output=True, text=True).stdout)
    assert found["state"] == "ready"
    assert found["starts"] >= 1


async def test_after_a_kill_of_vllm_the_adapters_are_back(
    serving: ServingProcess, control: AdapterControl, client: CompletionClient, tmp_path: Path
) -> None:
    manifest = make_adapter(serving.base, tmp_path / "a", seed=91, scale=0.5)
    await control.load(manifest.name, tmp_path / "a")
    before, starts = await _answer(client, manifest.name), (await control.status()).starts
    (tmp_path / "a").rename(tmp_path / "gone")  # what is served does not depend on where it came from
    killed = set(find_on_leash(serving.state))
    end(find_server(serving.state))
    await asyncio.to_thread(_wait_until, lambda: not killed & set(find_on_leash(serving.state)), 20)
    with pytest.raises(RetryLater):
        await _answer(client, manifest.name)
    while (status := await control.status()).state != "ready" or status.starts == starts:
        assert status.starts <= starts + 1
        await asyncio.sleep(0.5)
    assert manifest.name in await _names(serving)
    assert await _answer(client, manifest.name) == before
    await control.unload(manifest.name)


def test_after_a_kill_of_the_front_nothing_of_vllm_is_left(tiny_base: Path, tmp_path: Path) -> None:
    """While vLLM starts. That its engine dies as well is proven at the end of the session, by the fixture `serving`."""
    started = start_serving(tiny_base, tmp_path / "state")
    _wait_until(lambda: len(find_on_leash(started.state)) >= 2, 60)
    started.process.kill()
    started.process.wait(10)
    _wait_until(lambda: not find_on_leash(started.state), 20)


def test_it_ends_with_its_parent_when_asked_to(tiny_base: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    serve = [
        sys.executable,
        "-m",
        "serving",
        "run",
        "--die-with-parent",
        "--base",
        str(tiny_base),
        "--state",
        str(state),
    ]
    parent = subprocess.Popen([sys.executable, "-c", "import subprocess, sys; subprocess.run(sys.argv[1:])", *serve])
    _wait_until(lambda: len(find_on_leash(state)) >= 2, 60)
    parent.kill()
    parent.wait(10)
    _wait_until(lambda: not find_on_leash(state), 20)


def test_serves_the_base_that_training_made(tiny_base: Path) -> None:
    assert read_base(tiny_base) == load_base(tiny_base)


def _wait_until(true: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


async def _refused(
    control: AdapterControl, serving: ServingProcess, manifest: AdapterManifest, folder: Path, *, reason: str
) -> str:
    """The message of the refusal; nothing is left under the name, and the refusal is on record."""
    with pytest.raises(Refused) as refused:
        await control.load(manifest.name, folder)
    assert refused.value.reason == reason
    assert manifest.name not in await _names(serving)
    assert not (serving.state / "adapters" / manifest.name).exists()
    assert (await control.status()).quarantined[-1].reason == reason
    return str(refused.value)
