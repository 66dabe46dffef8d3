"""The task and what the queue says. That SkyPilot 0.14.1 takes such a task was tried by hand, in its own environment:
its package pins what ours does not (docs/operating.md says how)."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from app.domain.errors import RetryLater
from app.runners.places import GitCheckout, SkyPilotPlace
from app.runners.skypilot_task import parse_queue, render_task, select_job
from tests.unit.runners.tasks import a_task

PLACE = SkyPilotPlace(bucket="s3://acme-understudy", checkout=Path("/srv/understudy"), setup="make install")


def test_it_is_spot_and_its_checkpoints_lie_in_the_bucket(tmp_path: Path) -> None:
    task = a_task(tmp_path)
    staged = replace(task, config=tmp_path / "configuration.yaml", policy=tmp_path / "thresholds.json")
    told = yaml.safe_load(render_task(PLACE, staged))
    assert told["resources"]["use_spot"] is True
    assert told["file_mounts"]["/understudy/bucket"] == {"source": "s3://acme-understudy", "mode": "MOUNT_CACHED"}
    assert told["file_mounts"]["/understudy/snapshot"] == str(task.snapshot)
    command = shlex.split(told["run"])
    assert command[1:4] == ["-m", "training", "run"]
    assert command[command.index("--out") + 1] == f"/understudy/bucket/runs/{task.job_name}"
    assert command[command.index("--config") + 1] in told["file_mounts"]
    assert command[command.index("--current") + 1] in told["file_mounts"]
    assert told["file_mounts"][command[command.index("--policy") + 1]] == str(tmp_path / "thresholds.json")
    assert told["workdir"] == "/srv/understudy"


def test_a_repository_and_a_machine_without_accelerator(tmp_path: Path) -> None:
    place = PLACE.model_copy(
        update={"accelerators": None, "infra": "gcp", "checkout": GitCheckout(url="https://example.org/u", ref="v1")}
    )
    told = yaml.safe_load(render_task(place, replace(a_task(tmp_path, current=False), config=None)))
    assert told["workdir"] == {"url": "https://example.org/u", "ref": "v1"}
    assert told["resources"]["cpus"] == "8+"
    assert told["resources"]["infra"] == "gcp"
    assert "--current" not in told["run"]
    assert "--config" not in told["run"]


QUEUE = """Starting the API server
[{"job_id": 4, "job_name": "a", "status": "FAILED", "failure_reason": "x", "accelerators": {"L4": 0.5}},
 {"job_id": 9, "job_name": "a", "status": "RECOVERING"}, {"job_id": 11, "job_name": "b", "status": "SUCCEEDED"},
 {"job_id": 12, "job_name": null, "status": "PENDING"}]"""


def test_the_newest_job_of_the_name_counts_until_its_end_was_told() -> None:
    jobs = parse_queue(QUEUE)
    newest = select_job(jobs, "a", ())
    assert newest is not None
    assert (newest.job_id, newest.is_final) == (9, False)
    older = select_job(jobs, "a", (9,))
    assert older is not None
    assert (older.job_id, older.is_final) == (4, True)
    assert select_job(jobs, "a", (4, 9)) is None
    assert select_job(jobs, "c", ()) is None


@pytest.mark.parametrize("text", ["", "Traceback", "[1]", '[{"job_id": "x"}]'])
def test_what_is_no_queue_is_asked_again(text: str) -> None:
    with pytest.raises(RetryLater):
        parse_queue(text)
