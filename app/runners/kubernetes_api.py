"""The five calls to a Kubernetes API server that a training needs.

By httpx and not by a client library: the official one is synchronous and brings the whole API's models, the
asynchronous ones bring aiohttp beside the httpx that the service has; `kubectl` would have to be in the service's image
and answers in text. Jobs and pod logs are stable v1 interfaces. A cluster that is reached through a kubeconfig's login
program is reached by `kubectl proxy`, which is then `url`.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from app.domain.errors import Refused, RetryLater, UserError
from app.runners.places import KubernetesPlace

#: Where every pod finds its own account, by the Kubernetes documentation.
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_IN_CLUSTER = "https://kubernetes.default.svc"
_SECONDS = 30.0
_PAUSE_SECONDS = 10.0


class KubernetesApi:
    """One namespace of one cluster. Use as an async context manager."""

    def __init__(self, place: KubernetesPlace, *, account: Path = ACCOUNT) -> None:
        inside = place.url is None
        self._namespace = place.namespace
        self._token_file = account / "token" if inside else place.token_file
        trusted = account / "ca.crt" if inside else place.ca_file
        self._client = httpx.AsyncClient(
            base_url=place.url or _IN_CLUSTER, timeout=_SECONDS, verify=_trust(trusted), trust_env=not inside
        )

    async def __aenter__(self) -> "KubernetesApi":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def create_job(self, manifest: dict[str, Any]) -> bool:
        """False when a Job of this name is there already.

        Raises:
            RetryLater, UserError: as every call here.
        """
        answer = await self._ask("POST", self._jobs(), json=manifest, accepted=(409,))
        return answer.status_code != 409

    async def load_job(self, name: str) -> dict[str, Any] | None:
        answer = await self._ask("GET", self._jobs(name), accepted=(404,))
        return None if answer.status_code == 404 else dict(answer.json())

    async def delete_job(self, name: str) -> None:
        """With its pods, which the cluster ends after this call. None of that name is no error."""
        await self._ask("DELETE", self._jobs(name), params={"propagationPolicy": "Background"}, accepted=(404, 409))

    async def list_pods(self, job: str) -> list[str]:
        """Names, oldest first."""
        asked = {"labelSelector": f"batch.kubernetes.io/job-name={job}"}
        answer = await self._ask("GET", f"/api/v1/namespaces/{self._namespace}/pods", params=asked)
        found = sorted(answer.json()["items"], key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")))
        return [str(pod["metadata"]["name"]) for pod in found]

    @asynccontextmanager
    async def open_log(self, pod: str) -> AsyncIterator[AsyncIterator[bytes] | None]:
        """Everything a pod said and goes on saying; None while it has not begun or no longer is."""
        path = f"/api/v1/namespaces/{self._namespace}/pods/{pod}/log"
        headers = await asyncio.to_thread(self._headers)
        asking = self._client.stream("GET", path, params={"follow": "true"}, headers=headers, timeout=None)
        try:
            async with asking as answer:
                yield answer.aiter_bytes() if answer.is_success else None
        except httpx.TransportError as error:
            raise RetryLater(f"the log of {pod} broke off ({type(error).__name__})", _PAUSE_SECONDS) from error

    def _jobs(self, name: str = "") -> str:
        return f"/apis/batch/v1/namespaces/{self._namespace}/jobs" + (f"/{name}" if name else "")

    def _headers(self) -> dict[str, str]:
        """Read each time: the cluster renews a pod's token within the hour."""
        if self._token_file is None:
            return {}
        try:
            return {"authorization": f"Bearer {self._token_file.read_text(encoding='ascii').strip()}"}
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(
                f"expected the cluster's token in {self._token_file}, could not read it; outside of a cluster name url "
                "and token_file in UNDERSTUDY_RUNNER_CONFIG"
            ) from error

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        params: dict[str, str] | None = None,
        accepted: tuple[int, ...] = (),
    ) -> httpx.Response:
        headers = await asyncio.to_thread(self._headers)
        try:
            answer = await self._client.request(method, path, json=json, params=params, headers=headers)
        except httpx.TransportError as error:
            raise RetryLater(f"the cluster does not answer ({type(error).__name__})", _PAUSE_SECONDS) from error
        if answer.is_success or answer.status_code in accepted:
            return answer
        said = f"the cluster answered {answer.status_code} to {method} {path}: {_message(answer)}"
        if answer.status_code == 429 or answer.status_code >= 500:
            raise RetryLater(said, _read_pause(answer))
        if answer.status_code == 401:
            raise RetryLater(said, _PAUSE_SECONDS)  # a token that is just being renewed
        raise Refused("cluster", said)


def _trust(certificates: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=None if certificates is None else str(certificates))
    except OSError as error:
        raise UserError(f"expected the cluster's certificates in {certificates}, could not read them") from error


def _message(answer: httpx.Response) -> str:
    """Of a Status object, else of something that stands before the cluster."""
    try:
        return str(answer.json()["message"])[:500]
    except (ValueError, KeyError, TypeError):
        return "no message"


def _read_pause(answer: httpx.Response) -> float:
    pause = answer.headers.get("retry-after", "")
    return float(pause) if pause.isdigit() else _PAUSE_SECONDS
