"""OpenAI's and Together's files and fine-tuning services as far as we use them. Requests are checked, and answers made,
by the types of the package `openai` (vLLM brings it); Together's shapes are those of its package's 3.1 types.
"""

import threading
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any

from openai.types import FileObject
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent
from openai.types.fine_tuning.job_create_params import JobCreateParams
from pydantic import TypeAdapter

from tests.integration.runners.services import Answer, Asked

KEY = "hosted-key"
_TOGETHER_BODY = {
    "training_file", "model", "suffix", "n_epochs", "learning_rate", "warmup_ratio", "max_grad_norm", "weight_decay",
    "batch_size", "random_seed", "training_type", "training_method",
}  # fmt: skip


@dataclass
class Hosted:
    dialect: str
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    jobs: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    #: break the connection's promise: the job is made, the answer is a 502
    lose_next_creation: bool = False
    url: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def handle(self, asked: Asked) -> Answer:
        with self._lock:
            path = asked.path.removeprefix("/v1")
            self.requests.append(f"{asked.method} {path}")
            if path.startswith("/storage/"):
                assert "authorization" not in asked.headers, "the key is for the service alone"
                self.contents[path.removeprefix("/storage/")] = asked.body
                return Answer(200)
            if asked.headers.get("authorization") != f"Bearer {KEY}":
                return Answer(401, {"error": {"message": "Incorrect API key provided"}})
            jobs = "/fine_tuning/jobs" if self.dialect == "openai" else "/fine-tunes"
            return self._files(asked, path) if path.startswith("/files") else self._jobs(asked, path.removeprefix(jobs))

    def move(self, status: str, **more: Any) -> None:
        with self._lock:
            self.jobs[-1] |= {"status": status, **more}

    def _files(self, asked: Asked, path: str) -> Answer:
        if asked.method == "GET":
            return Answer(200, {"object": "list", "data": list(self.files.values())})
        if asked.method == "DELETE":
            found = self.files.pop(path.removeprefix("/files/"), None)
            return Answer(404 if found is None else 200, {"deleted": True})
        if path.endswith("/preprocess"):
            return Answer(200, self.files[path.split("/")[2]])
        return self._upload(asked)

    def _upload(self, asked: Asked) -> Answer:
        name = f"file-{len(self.contents)}"
        if self.dialect == "together":
            told = dict(part.split("=") for part in asked.body.decode().split("&"))
            assert set(told) == {"purpose", "file_name", "file_type", "checksum"}
            self._keep(name, told["file_name"], 0)
            return Answer(302, headers={"location": f"{self.url}/storage/{name}", "x-together-file-id": name})
        head = f"content-type: {asked.headers['content-type']}\r\n\r\n".encode()
        parts: dict[str, Any] = {}
        for part in message_from_bytes(head + asked.body).get_payload():
            parts[str(part.get_param("name", header="content-disposition"))] = part  # type: ignore[union-attr]  # a form has parts
        assert parts["purpose"].get_payload() == "fine-tune"
        self.contents[name] = parts["file"].get_payload(decode=True)
        self._keep(name, parts["file"].get_filename(), len(self.contents[name]))
        return Answer(200, self.files[name])

    def _keep(self, name: str, filename: str, size: int) -> None:
        told = {"id": name, "bytes": size, "created_at": 1, "filename": filename, "object": "file"}
        made = FileObject.model_validate({**told, "purpose": "fine-tune", "status": "processed"})
        self.files[name] = made.model_dump(mode="json")

    def _jobs(self, asked: Asked, rest: str) -> Answer:
        if rest == "":
            return Answer(200, {"data": self.jobs, "has_more": False}) if asked.method == "GET" else self._create(asked)
        job = next((one for one in self.jobs if one["id"] == rest.split("/")[1]), None)
        if job is None:
            return Answer(404, {"error": {"message": "no such job"}})
        if rest.endswith("/events"):
            return Answer(200, {"data": self.events})
        if rest.endswith("/cancel"):
            job["status"] = "cancelled"
        return Answer(200, job)

    def _create(self, asked: Asked) -> Answer:
        assert asked.headers["idempotency-key"]
        body = asked.json()
        assert body["training_file"] in self.files
        job = self._openai_job(body) if self.dialect == "openai" else self._together_job(body)
        self.jobs.append(job)
        if self.lose_next_creation:
            self.lose_next_creation = False
            return Answer(502, {"error": {"message": "bad gateway"}})
        return Answer(200, job)

    def _openai_job(self, body: dict[str, Any]) -> dict[str, Any]:
        assert set(body) <= set(JobCreateParams.__annotations__)
        TypeAdapter(JobCreateParams).validate_python(body)
        assert len(body["suffix"]) <= 64
        told = {name: body[name] for name in ("model", "training_file", "seed", "metadata")}
        made = {
            "id": f"ftjob-{len(self.jobs)}",
            "created_at": len(self.jobs),
            "hyperparameters": {},
            "object": "fine_tuning.job",
            "organization_id": "org",
            "result_files": [],
            "status": "queued",
        }
        return FineTuningJob.model_validate(told | made).model_dump(mode="json")

    def _together_job(self, body: dict[str, Any]) -> dict[str, Any]:
        assert set(body) == _TOGETHER_BODY
        assert set(body["training_type"]) == {"type", "lora_r", "lora_alpha"}
        assert body["training_type"]["type"] == "Lora"
        assert len(body["suffix"]) <= 40
        told = {name: body[name] for name in ("model", "training_file", "suffix")}
        return {**told, "id": f"ft-{len(self.jobs)}", "status": "pending", "created_at": f"2026-01-0{len(self.jobs)}"}


def openai_event(step: int) -> dict[str, Any]:
    told = {"step": step, "total_steps": 20, "train_loss": 0.7}
    event = {"id": f"e{step}", "created_at": step, "level": "info", "message": "", "type": "metrics", "data": told}
    return FineTuningJobEvent.model_validate({**event, "object": "fine_tuning.job.event"}).model_dump(mode="json")


def together_event(step: int) -> dict[str, Any]:
    return {"created_at": f"2026-01-01T00:00:0{step}Z", "message": "", "object": "fine-tune-event",
            "type": "TRAINING_STEP", "step": step, "total_steps": 20}  # fmt: skip
