"""A Job is made once, watched through silences and restarts, and its end is told once."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.domain.errors import Refused, RetryLater, UserError
from app.runners.kubernetes import KubernetesRunner
from app.runners.kubernetes_job import RUN_ANNOTATION
from app.runners.places import KubernetesPlace
from app.runners.running import TrainingTask
from tests.integration.runners.cluster import TOKEN, Cluster
from tests.integration.runners.heard import Heard, until
from tests.integration.runners.services import answering
from tests.made_run import progress_line
from tests.unit.runners.tasks import a_task
from tests.waiting import eventually

_LOOK = 0.05


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def place(cluster: Cluster, tmp_path: Path) -> Iterator[KubernetesPlace]:
    (tmp_path / "token").write_text(TOKEN)
    with answering(cluster.handle) as url:
        yield KubernetesPlace(
            url=url, token_file=tmp_path / "token", namespace="understudy", image="i", claim="d", user=1, group=1
        )


@pytest.fixture
def task(tmp_path: Path) -> TrainingTask:
    return a_task(tmp_path)


@pytest.fixture
async def running(
    cluster: Cluster, place: KubernetesPlace, task: TrainingTask, tmp_path: Path
) -> AsyncIterator[tuple["asyncio.Task[None]", Heard]]:
    heard = Heard()
    runner = KubernetesRunner(place, tmp_path, look_seconds=_LOOK)
    work = asyncio.create_task(runner.run(task, heard.listener))
    await until(lambda: cluster.created, work)
    yield work, heard
    work.cancel()


async def test_a_job_is_made_followed_and_taken_away(
    cluster: Cluster, task: TrainingTask, running: tuple["asyncio.Task[None]", Heard]
) -> None:
    work, heard = running
    cluster.failures += [500, 503, 429, 500]
    (task.out / "progress.jsonl").write_bytes(progress_line(3))
    log, words = task.out / f"pod-{task.job_name}-x7k2p.log", "sft 1/10\nloss 1.5\n"
    await until(lambda: not cluster.failures and log.exists() and log.read_text() == words, work)
    cluster.end(task.job_name, "Complete")
    await work
    assert cluster.created == cluster.deleted == [task.job_name]
    assert [one.step for one in heard.steps] == [3]
    assert log.read_text() == words
    assert (task.out / "configuration.yaml").read_text() == "rank: 8\n"
    assert cluster.refused == []


async def test_a_link_that_a_pod_laid_for_its_log_is_not_followed(
    cluster: Cluster, task: TrainingTask, tmp_path: Path, running: tuple["asyncio.Task[None]", Heard]
) -> None:
    (tmp_path / "release.pem").write_text("a key")
    pod = f"{task.job_name}-l1nk0"
    (task.out / f"pod-{pod}.log").symlink_to(tmp_path / "release.pem")
    cluster.pods[pod] = (task.job_name, b"other words\n")
    await until(lambda: sum(path.endswith(f"/{pod}/log") for path in cluster.asked) >= 2, running[0])
    cluster.end(task.job_name, "Complete")
    await running[0]
    assert (tmp_path / "release.pem").read_text() == "a key"


async def test_a_failure_is_told_with_the_pods_last_words(
    cluster: Cluster, task: TrainingTask, running: tuple["asyncio.Task[None]", Heard]
) -> None:
    cluster.pods[f"{task.job_name}-x7k2p"] = (task.job_name, b"error: expected rows, got none\n")
    cluster.end(task.job_name, "Failed", reason="PodFailurePolicy", message="exit code 2")
    with pytest.raises(UserError, match="PodFailurePolicy: exit code 2\nerror: expected rows, got none"):
        await running[0]
    assert cluster.deleted == [task.job_name]


async def test_a_job_that_somebody_deleted_is_said_to_be_gone(
    cluster: Cluster, task: TrainingTask, running: tuple["asyncio.Task[None]", Heard]
) -> None:
    cluster.jobs.clear()
    with pytest.raises(UserError, match="somebody deleted it"):
        await running[0]


async def test_being_cancelled_leaves_the_job_and_cancel_ends_it(
    cluster: Cluster,
    task: TrainingTask,
    place: KubernetesPlace,
    running: tuple["asyncio.Task[None]", Heard],
    tmp_path: Path,
) -> None:
    running[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await running[0]
    assert task.job_name in cluster.jobs
    runner = KubernetesRunner(place, tmp_path)
    await runner.cancel(task)
    assert cluster.deleted == [task.job_name]
    await runner.cancel(task)


_SERVICE = """
import asyncio, sys
from pathlib import Path
from app.runners.kubernetes import KubernetesRunner
from app.runners.places import KubernetesPlace
from tests.integration.runners.heard import Heard
from tests.unit.runners.tasks import a_task
data = Path(sys.argv[2])
place = KubernetesPlace(url=sys.argv[1], token_file=data / "token", namespace="understudy", image="i", claim="d",
                        user=1, group=1)
asyncio.run(KubernetesRunner(place, data, look_seconds=0.05).run(a_task(data), Heard().listener))
"""


def test_a_killed_service_finds_its_job_again(
    cluster: Cluster, place: KubernetesPlace, task: TrainingTask, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", _SERVICE, str(place.url), str(tmp_path)]
    with subprocess.Popen(command) as first:
        eventually(lambda: first.poll() is not None or task.job_name in cluster.jobs, 60)
        assert first.poll() is None
        first.kill()
    cluster.asked.clear()
    with subprocess.Popen(command) as second:
        eventually(lambda: second.poll() is not None or len(cluster.asked) >= 8, 60)  # it looks again and again
        assert second.poll() is None
        cluster.end(task.job_name, "Complete")
        assert second.wait(60) == 0
    assert cluster.created == [task.job_name]


async def test_an_end_that_nobody_saw_is_found(
    cluster: Cluster, place: KubernetesPlace, task: TrainingTask, tmp_path: Path
) -> None:
    cluster.jobs[task.job_name] = {
        "metadata": {"name": task.job_name, "annotations": {RUN_ANNOTATION: task.name}},
        "status": {"conditions": [{"type": "Complete", "status": "True"}]},
    }
    await KubernetesRunner(place, tmp_path, look_seconds=_LOOK).run(task, Heard().listener)
    assert (cluster.created, cluster.deleted) == ([], [task.job_name])


async def test_a_job_of_another_run_is_not_ours(
    cluster: Cluster, place: KubernetesPlace, task: TrainingTask, tmp_path: Path
) -> None:
    runner = KubernetesRunner(place, tmp_path, look_seconds=_LOOK)
    cluster.jobs[task.job_name] = {"metadata": {"annotations": {RUN_ANNOTATION: "other"}}}
    with pytest.raises(Refused, match="belongs to other"):
        await runner.run(task, Heard().listener)
    cluster.jobs[task.job_name] = {"metadata": {"deletionTimestamp": "now", "annotations": {RUN_ANNOTATION: task.name}}}
    with pytest.raises(RetryLater, match="being deleted"):
        await runner.run(task, Heard().listener)


async def test_a_cluster_that_says_no_or_nothing(place: KubernetesPlace, task: TrainingTask, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("wrong")
    with pytest.raises(RetryLater, match="401"):
        await KubernetesRunner(place, tmp_path).run(task, Heard().listener)
    gone = place.model_copy(update={"url": "http://127.0.0.1:9"})
    with pytest.raises(RetryLater, match="does not answer"):
        await KubernetesRunner(gone, tmp_path).run(task, Heard().listener)
    outside = place.model_copy(update={"url": None})
    with pytest.raises(UserError, match=r"certificates|token"):
        await KubernetesRunner(outside, tmp_path, account=tmp_path / "none").run(task, Heard().listener)
