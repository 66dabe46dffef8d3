"""What the front tells a scraper, and whom it tells."""

from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from serving.front import create_front
from tests.vllm_standin import Socket, controlling

_TOKEN = "a-token-of-the-tests"
_CHAT = {"model": "base", "messages": [{"role": "user", "content": "canary"}], "max_tokens": 4}


@pytest.mark.parametrize(
    "case",
    [
        (None, "127.0.0.1", {}, 200),
        (None, "127.0.0.1", {"x-forwarded-for": "10.0.0.9"}, 401),
        (None, "127.0.0.1", {"host": "rebound.example:8001"}, 401),
        (None, "10.0.0.9", {}, 401),
        (_TOKEN, "10.0.0.9", {"authorization": f"Bearer {_TOKEN}"}, 200),
        (_TOKEN, "127.0.0.1", {"authorization": "Bearer read"}, 401),
        (_TOKEN, "127.0.0.1", {}, 401),
    ],
)
async def test_figures_are_for_this_machine_or_for_the_token(
    base: Path, tmp_path: Path, case: tuple[str | None, str, dict[str, str], int]
) -> None:
    token, peer, sent, status = case
    async with controlling(base, tmp_path / "state", Socket()) as controller:
        front = create_front(controller, read_key="read", control_key="control", metrics_token=token)
        transport = httpx.ASGITransport(front, client=(peer, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8001") as client:
            assert (await client.get("/metrics", headers=sent)).status_code == status


async def test_questions_are_counted_and_what_they_say_is_not_told(base: Path, tmp_path: Path) -> None:
    async with controlling(base, tmp_path / "state", Socket()) as controller:
        front = create_front(controller, read_key="read", control_key="control")
        transport = httpx.ASGITransport(front, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8001") as client:
            for model in ("base", "base", "unknown"):
                key = {"authorization": "Bearer read"}
                await client.post("/v1/chat/completions", json=_CHAT | {"model": model}, headers=key)
            told = (await client.get("/metrics")).text
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(told)
        for sample in family.samples
    }
    assert samples["understudy_serving_requests_total", "chat", "answered"] == 2
    assert samples["understudy_serving_requests_total", "chat", "refused"] == 1
    assert samples["understudy_serving_ready",] == 1
    assert samples["understudy_serving_adapters", "held"] == 0
    assert "canary" not in told
