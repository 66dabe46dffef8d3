"""Git over HTTP: `git http-backend` behind an installation token, read-only."""

import asyncio
import base64
import binascii
import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from app.rehearsal.standin.answers import Refusal, not_found
from app.rehearsal.standin.auth import allows, reaches
from app.rehearsal.standin.git import git_environment
from app.rehearsal.standin.site import Site
from app.rehearsal.standin.state import RequestRecord

ROUTE = "git"
_CHUNK = 1 << 16


async def serve_git(site: Site, request: Request) -> Response:
    """Answer one request of a git client. Pushing is refused: the App may only read contents."""
    values = request.path_params
    full_name, inner = f"{values['owner']}/{values['repo']}", values["inner"]
    try:
        folder = await run_in_threadpool(_allowed, site, full_name, inner, request)
    except Refusal as refusal:
        _record(site, request, refusal.status)
        headers = {"www-authenticate": 'Basic realm="GitHub"'} if refusal.status == 401 else {}
        return JSONResponse(refusal.body, refusal.status, headers)
    content = await request.body()
    # A file rather than a pipe: git may refuse and hang up before it has read all of the request.
    with tempfile.TemporaryFile() as body:
        body.write(content)
        body.seek(0)
        process = await asyncio.create_subprocess_exec(
            "git",
            "http-backend",
            env=_cgi(folder, inner, request) | {"CONTENT_LENGTH": str(len(content))},
            stdin=body,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    status, headers = await _head(process)
    _record(site, request, status)
    return StreamingResponse(_rest(process), status, headers)


def _allowed(site: Site, full_name: str, inner: str, request: Request) -> Path:
    """The bare repository, where the token in the Basic password reaches it.

    Raises:
        Refusal: 401, 403 or 404 as GitHub does.
    """
    if site.faults.take("502_before", request.method, ROUTE):
        raise Refusal(502, "Server Error")
    token = _password(request.headers.get("authorization", ""))
    with site.lock:
        if site.faults.take("expired_token", request.method, ROUTE):
            site.grants.revoke(token)
        grant = site.grants.check(token, site.clock())
        if site.suspended_at is not None:
            raise Refusal(403, "This installation has been suspended")
        repository = site.repositories.get(full_name)
        if repository is None or not reaches(grant, repository):
            raise not_found()
        if not allows(grant.permissions, "contents", "read"):
            raise Refusal(403, "Resource not accessible by integration")
        if "git-receive-pack" in (inner, request.query_params.get("service")):
            raise Refusal(403, f"Permission to {full_name}.git denied to {site.bot.login}.")
        return repository.git.path


def _password(header: str) -> str:
    scheme, _, encoded = header.partition(" ")
    with contextlib.suppress(binascii.Error, UnicodeDecodeError):
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        if scheme.lower() == "basic" and user == "x-access-token":
            return password
    raise Refusal(401, "Requires authentication")


def _cgi(folder: Path, inner: str, request: Request) -> dict[str, str]:
    headers = request.headers
    return git_environment() | {
        "GIT_PROJECT_ROOT": str(folder),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{inner}",
        "REQUEST_METHOD": request.method,
        "QUERY_STRING": request.url.query,
        "CONTENT_TYPE": headers.get("content-type", ""),
        "HTTP_CONTENT_ENCODING": headers.get("content-encoding", ""),
        "GIT_PROTOCOL": headers.get("git-protocol", ""),
        "REMOTE_USER": "",
    }


async def _head(process: asyncio.subprocess.Process) -> tuple[int, dict[str, str]]:
    """The header lines of a CGI answer, up to the empty one."""
    assert process.stdout is not None  # noqa: S101 (it was asked for)
    status, headers = 200, {}
    while line := (await process.stdout.readline()).decode("latin-1").strip():
        name, _, value = line.partition(":")
        if name.lower() == "status":
            status = int(value.split()[0])
        else:
            headers[name] = value.strip()
    return status, headers


async def _rest(process: asyncio.subprocess.Process) -> AsyncIterator[bytes]:
    assert process.stdout is not None  # noqa: S101 (it was asked for)
    try:
        while chunk := await process.stdout.read(_CHUNK):
            yield chunk
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()


def _record(site: Site, request: Request, status: int) -> None:
    site.requests.append(RequestRecord(request.method, ROUTE, request.url.path, status, None, site.clock()))
