"""The pure decisions: what to load and unload, what a probe proves, what passes through the front."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from app.domain.errors import Refused, RetryLater
from app.domain.serving import ProbeReport, ServingNeeds
from serving.chat import MOST_TOKENS, ChatRequest
from serving.engine import EngineOptions, read_counter, render_command, render_environment
from serving.needs import FIRST, MOST_HELD, Sizes, decide_sizes
from serving.plans import decide_reconcile, decide_residents, decide_victims
from serving.probe import check_report

ROOM = {"a": Path("/s/a/adapter"), "b": Path("/s/b/adapter")}


def test_reconcile_leaves_what_is_right() -> None:
    plan = decide_reconcile(ROOM, {name: str(path) for name, path in ROOM.items()})
    assert (plan.load, plan.unload) == ((), ())


def test_reconcile_loads_what_is_missing_and_unloads_strangers() -> None:
    plan = decide_reconcile(ROOM, {"a": "/s/a/adapter", "stranger": "/x"})
    assert (plan.load, plan.unload) == (("b",), ("stranger",))


def test_reconcile_replaces_what_is_served_from_elsewhere() -> None:
    plan = decide_reconcile(ROOM, {"a": "/x", "b": "/s/b/adapter"})
    assert (plan.load, plan.unload) == (("a",), ("a",))


def test_the_last_used_are_held() -> None:
    assert decide_residents(("a", "b", "c"), capacity=2) == {"b", "c"}
    assert decide_residents(("a",), capacity=2) == {"a"}


def test_the_longest_unused_makes_room_and_nobody_who_answers() -> None:
    assert decide_victims(("a", "b", "c"), ("a", "b"), (), capacity=3) == ()
    assert decide_victims(("a", "b", "c"), ("a", "b", "c"), (), capacity=3) == ("a",)
    assert decide_victims(("a", "b", "c"), ("a", "b", "c"), ("a",), capacity=3) == ("b",)
    assert decide_victims(("resting", "b"), ("b",), (), capacity=1) == ("b",)
    with pytest.raises(RetryLater, match="all 2 adapters"):
        decide_victims(("a", "b"), ("a", "b"), ("a", "b"), capacity=2)


def test_sizes_are_what_was_said_else_what_the_registry_needs_else_the_first_ones() -> None:
    first = decide_sizes(Sizes(), None)
    assert (first.max_rank, first.max_loras, first.held, first.max_length) == (FIRST.max_rank, 2, 4, 2048)
    needs = ServingNeeds(max_rank=32, adapters=5, max_length=4352)
    derived = decide_sizes(Sizes(max_length=1024), needs)
    assert (derived.max_rank, derived.max_loras, derived.held, derived.max_length) == (32, 5, 10, 1024)
    assert derived.told == (
        "max rank 32 (the registry), max loras 5 (the registry), held 10 (the registry), max length 1024 (said)"
    )
    assert decide_sizes(Sizes(), needs.model_copy(update={"adapters": 900})).held == MOST_HELD


def test_a_counter_is_summed_over_its_labels_and_a_missing_one_is_no_zero() -> None:
    page = '# HELP hits x\nhits{engine="0"} 3.0\nhits{engine="1"} 4.0\nhits_created{engine="0"} 1.7e9\n'
    assert read_counter(page, "hits") == 7
    with pytest.raises(Refused, match="no asked"):
        read_counter(page, "asked")


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        ({}, None),
        ({"parity": (0.01, 0.2)}, "parity"),
        ({"effect": (0.0, 0.0049)}, "no_effect"),
        ({"effect": (0.0, 2.0)}, None),
        ({"base_parity": (0.11, 0.0), "effect": (0.0, 0.0)}, "base_parity"),
    ],
)
def test_a_probe_proves_base_adapter_and_effect(figures: dict[str, object], reason: str | None) -> None:
    report = ProbeReport(
        name="7--0123456789ab",
        parity=(0.01, 0.02),
        base_parity=(0.0, 0.01),
        effect=(1.0, 2.0),
        tolerance=0.1,
        least_effect=0.005,
        seconds=1,
    ).model_copy(update=figures)
    if reason is None:
        check_report(report)
        return
    with pytest.raises(Refused) as refused:
        check_report(report)
    assert refused.value.reason == reason


def test_a_request_is_bounded_and_spelled_as_training_spells() -> None:
    asked = ChatRequest.model_validate_json(
        '{"model": "base", "messages": [{"role": "user", "content": "x"}], "max_tokens": 100000, "temperature": 0,'
        ' "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}}'
    )
    body = asked.render()
    assert body["max_tokens"] == MOST_TOKENS
    schema = body["response_format"]["json_schema"]["schema"]
    assert schema["type"] == "object"
    assert schema["x-guidance"]["key_separator"] == ": "
    assert "top_p" not in body


@pytest.mark.parametrize(
    "extra",
    [
        '"stream": true',
        '"n": 5',
        '"chat_template": "{{ x }}"',
        '"structured_outputs": {"regex": "a"}',
        '"tools": []',
        '"logits_processors": ["os.system"]',
        '"documents": []',
        '"max_tokens": 0',
        '"temperature": 9',
        '"response_format": {"type": "structural_tag"}',
    ],
)
def test_a_request_with_anything_else_is_refused(extra: str) -> None:
    with pytest.raises(ValidationError):
        ChatRequest.model_validate_json(f'{{"model": "m", "messages": [{{"role": "user", "content": "x"}}], {extra}}}')


@pytest.mark.parametrize("content", ['[{"type": "image_url", "image_url": {"url": "http://x"}}]', "null", "3"])
def test_only_text_is_a_message(content: str) -> None:
    with pytest.raises(ValidationError):
        ChatRequest.model_validate_json(f'{{"model": "m", "messages": [{{"role": "user", "content": {content}}}]}}')


def test_vllm_gets_no_secret_of_ours() -> None:
    options = EngineOptions(base=Path("/b"))
    inherited = {"PATH": "/bin", "GITHUB_PRIVATE_KEY": "s", "HF_TOKEN": "t", "VLLM_SERVER_DEV_MODE": "1"}
    given = render_environment(options, inherited, device="cpu", mark="/s", cores=2)
    assert given["PATH"] == "/bin"
    assert not {"GITHUB_PRIVATE_KEY", "HF_TOKEN", "VLLM_SERVER_DEV_MODE"} & given.keys()
    assert given["OMP_NUM_THREADS"] == "1"
    assert given["HF_HUB_OFFLINE"] == "1"


def test_vllm_is_started_as_a_module_with_the_template_of_the_base() -> None:
    command = render_command(EngineOptions(base=Path("/b"), max_rank=9), device="cpu", socket=Path("/r/vllm.sock"))
    assert command[1:3] == ["-m", "vllm.entrypoints.openai.api_server"]
    assert command[command.index("--chat-template") + 1] == "/b/chat_template.jinja"
    assert command[command.index("--max-lora-rank") + 1] == "16"
    assert "--enable-log-requests" not in command
    assert "--distributed-executor-backend" not in render_command(
        EngineOptions(base=Path("/b")), device="cuda", socket=Path("/r/vllm.sock")
    )
