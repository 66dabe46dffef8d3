"""What goes to a hosted service, how often, and what is kept of what comes back."""

import asyncio
import json
import random
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from app.dataset.sending import render_sent_rows
from app.domain.errors import RetryLater, UserError
from app.domain.external import ExternalVersion
from app.runners.hosted import HostedRunner
from app.runners.hosted_dialects import check_open
from app.runners.places import HostedPlace
from app.runners.running import TrainingTask
from tests.integration.runners.heard import Heard, until
from tests.integration.runners.hosted_service import KEY, Hosted, openai_event, together_event
from tests.integration.runners.services import answering
from tests.planted_secrets import KINDS
from tests.unit.dataset.exported import a_snapshot, examples
from tests.unit.runners.tasks import a_task


@pytest.fixture(params=["openai", "together"])
def hosted(request: pytest.FixtureRequest) -> Iterator[Hosted]:
    made = Hosted(request.param)
    with answering(made.handle) as url:
        made.url = f"{url}/v1"
        yield made


@pytest.fixture
def task(tmp_path: Path) -> TrainingTask:
    return a_task(tmp_path)


@pytest.fixture
def runner(hosted: Hosted, tmp_path: Path) -> HostedRunner:
    return _runner(hosted, tmp_path)


def _runner(hosted: Hosted, folder: Path) -> HostedRunner:
    (folder / "key").write_text(KEY + "\n")
    told = {"dialect": hosted.dialect, "url": hosted.url, "model": "base-8b", "key_file": folder / "key"}
    place = HostedPlace.model_validate(told)
    return HostedRunner(place, agreed_host="127.0.0.1", rows=render_sent_rows, look_seconds=0.05)


def _are_jobs(hosted: Hosted, count: int) -> bool:
    return len(hosted.jobs) == count


async def test_rows_go_once_and_a_name_comes_back(hosted: Hosted, runner: HostedRunner, task: TrainingTask) -> None:
    heard = Heard()
    work = asyncio.create_task(runner.run(task, heard.listener))
    await until(lambda: hosted.jobs, work)
    hosted.events += [openai_event(2), openai_event(5)] if hosted.dialect == "openai" else [together_event(5)]
    await until(lambda: heard.steps, work)
    name = "fine_tuned_model" if hosted.dialect == "openai" else "model_output_name"
    hosted.move("succeeded" if hosted.dialect == "openai" else "completed", **{name: "ft:base-8b:acme"})
    await work
    (sent,) = hosted.contents.values()
    rows = [json.loads(line) for line in sent.splitlines()]
    assert all(set(row) == {"messages"} for row in rows)
    version = ExternalVersion.model_validate_json((task.out / "external.json").read_bytes())
    assert (version.model, version.base_model, version.rows) == ("ft:base-8b:acme", "base-8b", len(rows))
    assert (heard.steps[-1].step, heard.steps[-1].total) == (5, 20)
    assert [action for action, _ in heard.acts] == ["training.sent"]
    assert heard.acts[0][1]["host"] == "127.0.0.1"
    assert ("2027-01-06" in str(heard.acts[0][1].get("note"))) is (hosted.dialect == "openai")
    assert hosted.files == {}  # what was sent does not stay
    asked = len(hosted.requests)
    await runner.run(task, heard.listener)
    assert len(hosted.requests) == asked  # not bought again


async def test_an_answer_that_was_lost_makes_no_second_job(
    hosted: Hosted, runner: HostedRunner, task: TrainingTask, tmp_path: Path
) -> None:
    hosted.lose_next_creation = True
    with pytest.raises(RetryLater, match="502"):
        await runner.run(task, Heard().listener)
    again = asyncio.create_task(_runner(hosted, tmp_path).run(task, Heard().listener))
    (job,) = hosted.jobs
    await until(lambda: sum(one.endswith(job["id"]) for one in hosted.requests) >= 2, again)  # it follows that one
    again.cancel()
    with pytest.raises(asyncio.CancelledError):
        await again
    assert len(hosted.jobs) == len(hosted.contents) == 1
    await runner.cancel(task)
    assert hosted.jobs[0]["status"] == "cancelled"
    assert hosted.files == {}
    await runner.cancel(task)


async def test_a_failure_is_told_and_may_be_tried_again(
    hosted: Hosted, runner: HostedRunner, task: TrainingTask
) -> None:
    for count in (1, 2):
        work = asyncio.create_task(runner.run(task, Heard().listener))
        await until(partial(_are_jobs, hosted, count), work)
        hosted.move("failed", error={"code": "invalid", "message": "rows too few"})
        with pytest.raises(UserError, match="ended as failed: rows too few"):
            await work
        assert not (task.out / "external.json").exists()


async def test_no_secret_and_no_heldout_row_is_sent(hosted: Hosted, tmp_path: Path) -> None:
    secret = KINDS["github"][0](random.Random(7))  # noqa: S311  no secret
    a_snapshot(
        tmp_path / "data" / "snapshots" / "s", examples([f"Use {secret} here.", *(f"Say {n}." for n in range(9))])
    )
    task = a_task(tmp_path / "data")
    work = asyncio.create_task(_runner(hosted, tmp_path).run(task, Heard().listener))
    await until(lambda: hosted.jobs, work)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    (sent,) = hosted.contents.values()
    assert secret.encode() not in sent
    assert 0 < sent.count(b"\n") < 15
    for line in (task.snapshot / "comments.heldout.jsonl").read_text().splitlines():
        assert json.loads(line)["completion"][0]["content"].encode() not in sent


async def test_a_wrong_key_is_a_persons_matter(
    hosted: Hosted, runner: HostedRunner, task: TrainingTask, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("canary")
    with pytest.raises(UserError, match="check the key in") as refused:
        await runner.run(task, Heard().listener)
    assert "canary" not in str(refused.value)
    (tmp_path / "key").unlink()
    with pytest.raises(UserError, match="expected the service's key"):
        await runner.run(task, Heard().listener)


def test_openai_is_not_asked_after_its_last_day() -> None:
    told = {"dialect": "openai", "url": "https://api.openai.com/v1", "model": "m", "key_file": "k"}
    place = HostedPlace.model_validate(told)
    check_open(place, date(2027, 1, 6))
    with pytest.raises(UserError, match="until 2027-01-06"):
        check_open(place, date(2027, 1, 7))
    check_open(place.model_copy(update={"url": "https://api.example.org/v1"}), date(2027, 1, 7))
