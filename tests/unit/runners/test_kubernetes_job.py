"""The manifest, held against Kubernetes' own schemas, and what it promises."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from app.domain.errors import UserError
from app.runners.kubernetes_job import JobState, decide_state, describe_failure, render_job
from app.runners.places import KubernetesPlace, Toleration
from tests.unit.runners.tasks import a_task

PLACE = KubernetesPlace(namespace="understudy", image="registry.example.org/u:1", claim="data", user=10001, group=10001)
FULL = PLACE.model_copy(
    update={
        "tolerations": (Toleration(key="nvidia.com/gpu", effect="NoSchedule"),),
        "node_selector": {"pool": "gpu"},
        "pull_secret": "pull",
        "gpus": 2,
    }
)


def _job(data: Path, place: KubernetesPlace = PLACE, *, current: bool = True) -> dict[str, Any]:
    task = a_task(data, current=current)
    return render_job(place, replace(task, config=task.out / "configuration.yaml" if current else None), data)


@pytest.mark.parametrize("version", ["1.31", "1.37"])
@pytest.mark.parametrize("place", [PLACE, FULL, PLACE.model_copy(update={"claim": None, "host_path": Path("/srv")})])
def test_kubernetes_takes_it(tmp_path: Path, place: KubernetesPlace, version: str) -> None:
    for current in (True, False):
        kubernetes_validate.validate(_job(tmp_path, place, current=current), version, strict=True)


def test_the_schemas_do_see_a_mistake(tmp_path: Path) -> None:
    job = _job(tmp_path)
    job["spec"]["template"]["spec"]["restartPolice"] = "Never"
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(job, "1.37", strict=True)


def test_a_pod_is_no_root_has_no_account_and_sees_its_own_folders(tmp_path: Path) -> None:
    pod = _job(tmp_path, FULL)["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    data = {one["subPath"]: one["readOnly"] for one in container["volumeMounts"] if one["name"] == "data"}
    assert data == {"snapshots/s": True, "base": True, "adapters/42--0123456789ab": True, "runs/r": False}
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "2"
    assert "nvidia.com/gpu" not in _gpu_free(tmp_path)["resources"]["limits"]


def _gpu_free(data: Path) -> dict[str, Any]:
    place = PLACE.model_copy(update={"gpus": 0})
    container: dict[str, Any] = _job(data, place)["spec"]["template"]["spec"]["containers"][0]
    return container


def test_the_command_is_the_trainings_own(tmp_path: Path) -> None:
    command = _job(tmp_path)["spec"]["template"]["spec"]["containers"][0]["command"]
    assert command[:4] == ["python", "-m", "training", "run"]
    assert dict(zip(command[4::2], command[5::2], strict=True)) == {
        "--snapshot": "/understudy/snapshot",
        "--base": "/understudy/base",
        "--config": "/understudy/run/configuration.yaml",
        "--current": "/understudy/current",
        "--out": "/understudy/run",
    }


def test_losing_a_node_is_no_failure_and_a_users_error_is_final(tmp_path: Path) -> None:
    spec = _job(tmp_path)["spec"]
    rules = {rule["action"]: rule for rule in spec["podFailurePolicy"]["rules"]}
    assert rules["Ignore"]["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]
    assert rules["FailJob"]["onExitCodes"]["values"] == [2]
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    assert spec["activeDeadlineSeconds"] == 86_400


def test_the_name_is_the_tasks_and_no_other(tmp_path: Path) -> None:
    name = _job(tmp_path)["metadata"]["name"]
    assert name == _job(tmp_path)["metadata"]["name"]
    assert len(name) <= 63
    assert name == "understudy-" + name.removeprefix("understudy-").lower()


def test_a_base_that_no_pod_could_see_is_refused(tmp_path: Path) -> None:
    task = a_task(tmp_path / "data")
    with pytest.raises(UserError, match="UNDERSTUDY_BASE"):
        render_job(PLACE, task, tmp_path / "data" / "snapshots")


@pytest.mark.parametrize(
    ("conditions", "state"),
    [
        (None, JobState.RUNNING),
        ([{"type": "FailureTarget", "status": "True"}], JobState.RUNNING),
        ([{"type": "Failed", "status": "False"}], JobState.RUNNING),
        (
            [{"type": "SuccessCriteriaMet", "status": "True"}, {"type": "Complete", "status": "True"}],
            JobState.SUCCEEDED,
        ),
        ([{"type": "FailureTarget", "status": "True"}, {"type": "Failed", "status": "True"}], JobState.FAILED),
    ],
)
def test_only_final_conditions_end_a_job(conditions: list[dict[str, str]] | None, state: JobState) -> None:
    assert decide_state({"status": {"conditions": conditions}}) is state
    assert decide_state({}) is JobState.RUNNING


def test_a_failure_is_told_in_the_clusters_words() -> None:
    failed = {"type": "Failed", "status": "True", "reason": "DeadlineExceeded", "message": "active longer than allowed"}
    assert describe_failure({"status": {"conditions": [failed]}}) == "DeadlineExceeded: active longer than allowed"
