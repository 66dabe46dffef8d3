"""The manifest of a training Job, and what the cluster's answer about it means. Pure.

A pod sees four folders of the data volume and nothing else of it: the snapshot, the base and the adapter in use, all
read-only, and its own run. It has no account of the cluster, no root and no writable image. Spot-safe: a pod that loses
its node is replaced without counting as a failure, and its successor goes on from the last checkpoint; the training's
exit status 2, an error made for a person, is not tried again.
"""

from enum import StrEnum
from pathlib import Path
from typing import Any

from app.domain.errors import UserError
from app.runners.places import KubernetesPlace
from app.runners.running import TrainingTask, render_arguments

CONTAINER = "trainer"
#: Which run a Job is for: names are short hashes, this says the whole.
RUN_ANNOTATION = "understudy/run"
_MOUNTED = Path("/understudy")
_TOLD_TO_A_PERSON = 2
#: How long a finished Job that nobody came back for stays.
_KEPT_SECONDS = 7 * 86_400
#: The trainer saves a checkpoint when it is asked to end.
_GRACE_SECONDS = 120


class JobState(StrEnum):
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


def render_job(place: KubernetesPlace, task: TrainingTask, data: Path) -> dict[str, Any]:
    """The Job for batch/v1 of a staged task. `data` is the folder that the volume's root is.

    Raises:
        UserError: when a folder of the task lies outside of `data`, where no pod could see it.
    """
    meta = {
        "name": task.job_name,
        "namespace": place.namespace,
        "labels": {"app.kubernetes.io/name": "understudy-training", "app.kubernetes.io/managed-by": "understudy"},
        "annotations": {RUN_ANNOTATION: task.name},
    }
    spec = {
        "backoffLimit": place.retries,
        "activeDeadlineSeconds": place.deadline_seconds,
        "ttlSecondsAfterFinished": _KEPT_SECONDS,
        "podFailurePolicy": {"rules": _failure_rules()},
        "template": {"metadata": {"labels": meta["labels"]}, "spec": _render_pod(place, task, data)},
    }
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": spec}


def _failure_rules() -> list[dict[str, Any]]:
    said = {"containerName": CONTAINER, "operator": "In", "values": [_TOLD_TO_A_PERSON]}
    return [
        {"action": "FailJob", "onExitCodes": said},
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
    ]


def _render_pod(place: KubernetesPlace, task: TrainingTask, data: Path) -> dict[str, Any]:
    pod: dict[str, Any] = {
        "restartPolicy": "Never",  # what podFailurePolicy asks for
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": _GRACE_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": place.user,
            "runAsGroup": place.group,
            "fsGroup": place.group,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_render_container(place, task, data)],
        "volumes": [
            {"name": "data", **_render_volume(place)},
            {"name": "scratch", "emptyDir": {}},
            {"name": "shared-memory", "emptyDir": {"medium": "Memory"}},  # several GPUs talk through it
        ],
    }
    if place.node_selector:
        pod["nodeSelector"] = dict(place.node_selector)
    if place.tolerations:
        pod["tolerations"] = [one.model_dump(exclude_none=True) for one in place.tolerations]
    if place.pull_secret is not None:
        pod["imagePullSecrets"] = [{"name": place.pull_secret}]
    return pod


def _render_volume(place: KubernetesPlace) -> dict[str, Any]:
    if place.claim is not None:
        return {"persistentVolumeClaim": {"claimName": place.claim}}
    return {"hostPath": {"path": str(place.host_path), "type": "Directory"}}


def _render_container(place: KubernetesPlace, task: TrainingTask, data: Path) -> dict[str, Any]:
    folders = {"snapshot": task.snapshot, "base": task.base, "current": task.current, "run": task.out}
    mounts = [
        {"name": "data", "mountPath": str(_MOUNTED / name), "subPath": _sub_path(path, data), "readOnly": name != "run"}
        for name, path in folders.items()
        if path is not None
    ]
    mounts += [{"name": "scratch", "mountPath": "/tmp"}, {"name": "shared-memory", "mountPath": "/dev/shm"}]  # noqa: S108  of the pod
    arguments = render_arguments(
        _MOUNTED / "snapshot",
        _MOUNTED / "base",
        _MOUNTED / "run",
        config=None if task.config is None else _MOUNTED / "run" / task.config.name,
        current=None if task.current is None else _MOUNTED / "current",
        policy=None if task.policy is None else _MOUNTED / "run" / task.policy.name,
    )
    wanted = {"cpu": place.cpu, "memory": place.memory}
    gpus = {place.gpu_resource: str(place.gpus)} if place.gpus else {}
    return {
        "name": CONTAINER,
        "image": place.image,
        "command": [place.python, *arguments],
        "workingDir": place.checkout,
        "env": [{"name": "HOME", "value": "/tmp"}, {"name": "PYTHONUNBUFFERED", "value": "1"}],  # noqa: S108  of the pod
        "resources": {"requests": wanted | gpus, "limits": {"memory": place.memory} | gpus},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": mounts,
    }


def _sub_path(path: Path, data: Path) -> str:
    if not path.is_relative_to(data) or path == data:
        raise UserError(
            f"expected {path} to lie in {data}, which the cluster's pods see as their volume; move it there "
            "and name it with UNDERSTUDY_BASE"
        )
    return path.relative_to(data).as_posix()


def decide_state(job: dict[str, Any]) -> JobState:
    """From the conditions, as the Job's documentation says: `Complete` and `Failed` are final, nothing else is."""
    final = {one["type"] for one in job.get("status", {}).get("conditions") or () if one.get("status") == "True"}
    if "Complete" in final:
        return JobState.SUCCEEDED
    return JobState.FAILED if "Failed" in final else JobState.RUNNING


def describe_failure(job: dict[str, Any]) -> str:
    """The cluster's own words, such as `DeadlineExceeded: Job was active longer than specified deadline`."""
    for one in job.get("status", {}).get("conditions") or ():
        if one["type"] == "Failed" and one.get("status") == "True":
            return f"{one.get('reason', 'Failed')}: {one.get('message', '')}"[:500]
    return "Failed"
