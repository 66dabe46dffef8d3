"""A Kubernetes API server as far as a Job needs one, held to Kubernetes' own schemas and rules.

201 for a new Job, 409 with a Status for a second of the name, 404 for none, 401 without the token; deleting takes the
pods along. Pods do what the test says.
"""

import re
import threading
from dataclasses import dataclass, field
from typing import Any

import kubernetes_validate

from tests.integration.runners.services import Answer, Asked

TOKEN = "cluster-token"
_JOBS = re.compile(r"/apis/batch/v1/namespaces/understudy/jobs(?:/([a-z0-9-]+))?")
_LOG = re.compile(r"/api/v1/namespaces/understudy/pods/([a-z0-9-]+)/log")


@dataclass
class Cluster:
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    created: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    #: pod → (job, log)
    pods: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    #: statuses that the next requests get instead of an answer
    failures: list[int] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    #: the path of every request
    asked: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def handle(self, asked: Asked) -> Answer:
        with self._lock:
            self.asked.append(asked.path)
            if asked.headers.get("authorization") != f"Bearer {TOKEN}":
                return _status(401, "Unauthorized")
            if self.failures:
                return _status(self.failures.pop(0), "etcdserver: request timed out")
            if found := _JOBS.fullmatch(asked.path):
                return self._jobs(asked, found[1])
            if found := _LOG.fullmatch(asked.path):
                pod = self.pods.get(found[1])
                return _status(404, "pods not found") if pod is None else Answer(200, pod[1])
            if asked.path == "/api/v1/namespaces/understudy/pods":
                return Answer(200, {"kind": "PodList", "items": self._pods_of(asked.query["labelSelector"][0])})
            self.refused.append(asked.path)
            return _status(403, "forbidden")

    def end(self, name: str, kind: str, **more: str) -> None:
        with self._lock:
            self.jobs[name]["status"] = {"conditions": [{"type": kind, "status": "True", **more}]}

    def _jobs(self, asked: Asked, name: str | None) -> Answer:
        if asked.method == "POST":
            return self._create(asked.json())
        if name is None or name not in self.jobs:
            return _status(404, f'jobs.batch "{name}" not found')
        if asked.method == "DELETE":
            assert asked.query["propagationPolicy"] == ["Background"]
            self.deleted.append(name)
            self.pods = {pod: held for pod, held in self.pods.items() if held[0] != name}
            return Answer(200, self.jobs.pop(name))
        return Answer(200, self.jobs[name])

    def _create(self, job: dict[str, Any]) -> Answer:
        kubernetes_validate.validate(job, "1.37", strict=True)
        name = job["metadata"]["name"]
        if name in self.jobs:
            return _status(409, f'jobs.batch "{name}" already exists')
        self.jobs[name] = {**job, "status": {}}
        self.created.append(name)
        self.pods[f"{name}-x7k2p"] = (name, b"sft 1/10\nloss 1.5\n")
        return Answer(201, self.jobs[name])

    def _pods_of(self, selector: str) -> list[dict[str, Any]]:
        label, _, job = selector.partition("=")
        assert label == "batch.kubernetes.io/job-name"
        return [{"metadata": {"name": pod}} for pod, held in self.pods.items() if held[0] == job]


def _status(code: int, message: str) -> Answer:
    return Answer(code, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code})
