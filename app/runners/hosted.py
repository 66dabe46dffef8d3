"""Training at a hosted service: the rows go there, and a model's name comes back.

Nothing goes anywhere unless the operator names the host a second time, in UNDERSTUDY_HOSTED_HOST; each sending is on
record before it happens. Only questions and answers are sent, without the rows that hold a secret; where reviewers kept
silent stays here, so no Locator comes of it. What comes back is an ExternalVersion: it can be measured through the
service's own endpoint, it is not loaded into our server and never promoted by this program.
"""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, JsonValue

from app.domain.errors import RetryLater, UserError
from app.domain.external import ExternalVersion
from app.domain.snapshots import SnapshotManifest
from app.runners.hosted_api import HostedApi
from app.runners.hosted_dialects import (
    OPENAI_CLOSES,
    HostedJob,
    HostedState,
    check_open,
    parse_progress,
    render_request,
)
from app.runners.patience import ask_until
from app.runners.places import HostedPlace
from app.runners.running import Listener, TrainingTask

EXTERNAL = "external.json"
_LOOK_SECONDS = 30.0
_SEED = 7
#: A snapshot's folder → its rows for training as lines of OpenAI's chat format, without those that hold a secret.
RenderRows = Callable[[Path], bytes]


class _Notes(BaseModel):
    """What a restart needs: the file and job under way, and jobs whose end was told."""

    file: str | None = None
    job: str | None = None
    told: tuple[str, ...] = ()


class HostedRunner:
    keeps_weights = True

    def __init__(
        self, place: HostedPlace, *, agreed_host: str | None, rows: RenderRows, look_seconds: float = _LOOK_SECONDS
    ) -> None:
        """Raises:
        UserError: when `agreed_host` is not the host that the rows would go to.
        """
        if agreed_host != place.host:
            raise UserError(
                f"expected UNDERSTUDY_HOSTED_HOST={place.host}, got {agreed_host or 'nothing'}: the words of the team "
                "would go to that host, and nothing leaves this machine without your naming it"
            )
        self._place = place
        self._rows = rows
        self._look_seconds = look_seconds

    async def run(self, task: TrainingTask, listener: Listener) -> None:
        """As Runner.run; `task.out` holds `external.json` at the end. An answer that is there is not bought again."""
        if (task.out / EXTERNAL).is_file():
            return
        check_open(self._place, datetime.now(UTC).date())
        task.out.mkdir(parents=True, exist_ok=True)
        rows = await asyncio.to_thread(self._rows, task.snapshot)
        async with self._open() as api:
            job = await self._ensure(api, task, rows, listener)
            ended = await self._await_end(api, job, listener)
            notes = _load_notes(task)
            if notes.file is not None:
                await api.delete_file(notes.file)
            if ended.state is HostedState.SUCCEEDED and ended.model:
                _save_external(self._place, task, rows, ended)
                return
            _save(task.out / "hosted.json", _Notes(told=(*notes.told, ended.id)))
            raise UserError(f"the training at {self._place.host} ended as {ended.status}: {ended.reason}")

    async def cancel(self, task: TrainingTask) -> None:
        """As Runner.cancel; the file that was sent is deleted there, too."""
        notes = _load_notes(task)
        async with self._open() as api:
            job = await api.find_job(task.job_name, notes.told)
            if job is not None and job.state is HostedState.RUNNING:
                await api.cancel_job(job.id)
            if notes.file is not None:
                await api.delete_file(notes.file)

    def _open(self) -> HostedApi:
        try:
            return HostedApi(self._place, self._place.key_file.read_text(encoding="ascii").strip())
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"expected the service's key in {self._place.key_file}, could not read it") from error

    async def _ensure(self, api: HostedApi, task: TrainingTask, rows: bytes, listener: Listener) -> HostedJob:
        """The job under way, by our note or by its name there; else a new one."""
        notes = _load_notes(task)
        found = await api.find_job(task.job_name, notes.told)
        if found is not None:
            return found
        if notes.job is not None:
            return await api.load_job(notes.job)
        file = await self._ensure_file(api, task, rows, listener)
        body = render_request(self._place, file=file, name=task.job_name, seed=_SEED)
        job = await api.create_job(body, f"{task.job_name}-{len(notes.told)}")
        _save(task.out / "hosted.json", _Notes(file=file, job=job.id, told=notes.told))
        return job

    async def _ensure_file(self, api: HostedApi, task: TrainingTask, rows: bytes, listener: Listener) -> str:
        digest = hashlib.sha256(rows).hexdigest()
        filename = f"understudy-{digest[:16]}.jsonl"
        file = await api.find_file(filename, len(rows))
        if file is None:
            facts: dict[str, JsonValue] = {
                "host": self._place.host,
                "model": self._place.model,
                "rows": rows.count(b"\n"),
                "sha256": digest,
            }
            closes: dict[str, JsonValue] = {"note": OPENAI_CLOSES} if self._place.dialect == "openai" else {}
            await listener.act("training.sent", {"run": task.name, **facts, **closes})
            file = await api.upload(filename, rows)
        _save(task.out / "hosted.json", _Notes(file=file, told=_load_notes(task).told))
        return file

    async def _await_end(self, api: HostedApi, job: HostedJob, listener: Listener) -> HostedJob:
        async def look() -> HostedJob:
            found = await api.load_job(job.id)
            newest = parse_progress(await api.list_events(job.id), found)
            if newest is not None:
                await listener.progress(newest)
            return found

        try:
            async with asyncio.timeout(self._place.deadline_seconds):
                return await ask_until(
                    look, lambda found: found.state is not HostedState.RUNNING, every_seconds=self._look_seconds
                )
        except TimeoutError:
            raise RetryLater(f"{job.id} takes longer than {self._place.deadline_seconds} s", 600) from None


def _save_external(place: HostedPlace, task: TrainingTask, rows: bytes, job: HostedJob) -> None:
    manifest = SnapshotManifest.model_validate_json((task.snapshot / "manifest.json").read_bytes())
    version = ExternalVersion(
        dialect=place.dialect,
        host=place.host,
        model=job.model or "",
        base_model=place.model,
        job=job.id,
        snapshot=manifest.id,
        rows=rows.count(b"\n"),
        rows_hash=hashlib.sha256(rows).hexdigest(),
        trained_tokens=job.trained_tokens,
        created_at=datetime.now(UTC),
    )
    _save(task.out / EXTERNAL, version)


def _load_notes(task: TrainingTask) -> _Notes:
    try:
        return _Notes.model_validate_json((task.out / "hosted.json").read_bytes())
    except FileNotFoundError:
        return _Notes()


def _save(path: Path, record: BaseModel) -> None:
    beside = path.with_name(f".{path.name}.writing")
    beside.write_text(record.model_dump_json(indent=1) + "\n", encoding="utf-8")
    beside.replace(path)
