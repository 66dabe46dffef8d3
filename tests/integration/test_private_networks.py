"""An Enterprise Server behind authorities of its own and a proxy: real TLS, a real CONNECT proxy, httpx and git."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.domain.errors import Refused, RetryLater
from app.github.client import GitHubClient
from app.github.git import ensure_mirror, fetch_default_head, fetch_pull_head, has_commit
from app.inference.wire import FrontClient
from app.rehearsal.standin import StandIn, StandInServer
from app.rehearsal.standin.enterprise import Enterprise
from app.rehearsal.standin.server import Certificate
from tests.integration.rehearsal.standin.world import REPO, SECRET, receiving, seed

#: A name that no resolver knows: whoever reaches it went through the proxy.
NAME = "ghe.test"
ADVICE = r"signed by nobody that is trusted here: name a file with its authorities in UNDERSTUDY_CA_FILE"


@dataclass(frozen=True)
class Authority:
    ca_file: Path
    certificate: Certificate


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Authorities of a company's own, and what they signed for NAME and localhost."""
    folder = tmp_path_factory.mktemp("authority")
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = _certificate("A company", root_key, "A company", root_key)
    signed = _certificate("A company", root_key, NAME, key)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    for name, content in (("ca", root.public_bytes(pem)), ("chain", signed.public_bytes(pem)), ("key", private)):
        (folder / f"{name}.pem").write_bytes(content)
    return Authority(folder / "ca.pem", Certificate(folder / "chain.pem", folder / "key.pem"))


def _certificate(
    issuer: str, issuer_key: ec.EllipticCurvePrivateKey, subject: str, key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    now, is_root = datetime.now(UTC), issuer == subject
    usage = x509.KeyUsage(
        digital_signature=not is_root,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_root,
        crl_sign=is_root,
        encipher_only=False,
        decipher_only=False,
    )
    names = [x509.DNSName(subject), x509.DNSName("localhost")]
    built = (
        x509.CertificateBuilder()
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if not is_root:
        built = built.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return built.sign(issuer_key, hashes.SHA256())


@dataclass
class Proxy:
    """What it was asked to lead to. All of it ends at `port` of this machine."""

    url: str = ""
    port: int = 0
    asked: list[str] = field(default_factory=list)


@contextmanager
def proxying() -> Iterator[Proxy]:
    proxy = Proxy()

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            head = b""
            while b"\r\n\r\n" not in head:
                head += self.request.recv(4096)
            method, target, *_ = head.split()
            proxy.asked.append(f"{method.decode()} {target.decode()}")
            with socket.create_connection(("127.0.0.1", proxy.port)) as there:
                self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_pump, args=(there, self.request), daemon=True)
                back.start()
                _pump(self.request, there)
                back.join()

    class Server(ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while found := source.recv(65_536):
            target.sendall(found)
        target.shutdown(socket.SHUT_WR)
    except OSError:  # the other side hung up first
        return


@contextmanager
def enterprise_server(folder: Path, authority: Authority, base_url: str | None = None) -> Iterator[StandInServer]:
    standin = StandIn(folder / "hub", webhook_secret=SECRET, key=seed().key)
    standin.enterprise = Enterprise()
    standin.add_repository(REPO, bare=seed().bare)
    server = StandInServer(standin, certificate=authority.certificate, base_url=base_url)
    if base_url is None:
        server.base_url = standin.base_url = f"https://localhost:{server.port}"
        server.api_url = f"{server.base_url}/api/v3"
    with server:
        standin.open_pull_request(REPO, author="ann", title="One", head_ref="feature")
        yield server


def client_of(server: StandInServer, ca_file: Path | None) -> GitHubClient:
    return GitHubClient(
        api_url=server.api_url,
        git_url=server.base_url,
        ca_file=ca_file,
        app_id=4_711,
        private_key_pem=seed().key.pem,
        installation_id=47_110_001,
        write_pause_seconds=0.0,
    )


def fetch_all(client: GitHubClient, folder: Path) -> str:
    """REST, GraphQL and git."""

    async def ask() -> str:
        assert (await client.fetch_pull(REPO, 1))["title"] == "One"
        assert (await client.fetch_harvest(REPO, 1)).head_sha == seed().head_sha
        access = await client.fetch_git_access()
        mirror = ensure_mirror(folder / "mirrors", client.host, 1)
        head = await asyncio.to_thread(fetch_pull_head, mirror, client.git_url(REPO), 1, access=access)
        assert has_commit(mirror, seed().head_sha)
        return head

    return asyncio.run(ask())


def test_authorities_of_ones_own_are_trusted_by_the_api_and_by_git(tmp_path: Path, authority: Authority) -> None:
    with enterprise_server(tmp_path, authority) as server:
        assert fetch_all(client_of(server, authority.ca_file), tmp_path) == seed().head_sha


def test_without_them_both_say_what_is_missing(tmp_path: Path, authority: Authority) -> None:
    with enterprise_server(tmp_path, authority) as server:
        with pytest.raises(RetryLater, match=f"the certificate of localhost is {ADVICE}"):
            asyncio.run(client_of(server, None).fetch_pull(REPO, 1))
        mirror = ensure_mirror(tmp_path / "mirrors", "localhost", 1)
        for fetch in (fetch_pull_head, fetch_default_head):
            with pytest.raises(RetryLater, match=f"the certificate of localhost is {ADVICE}"):
                fetch(mirror, f"{server.base_url}/{REPO}.git", *((1,) if fetch is fetch_pull_head else ()))


def test_a_company_trusted_for_one_server_is_not_trusted_for_another(tmp_path: Path, authority: Authority) -> None:
    """The file stands instead of the machine's own authorities, and a name that was not signed is refused."""
    with enterprise_server(tmp_path, authority) as server:
        server.api_url = server.api_url.replace("localhost", "127.0.0.1")
        with pytest.raises(RetryLater, match=r"the certificate of 127\.0\.0\.1"):
            asyncio.run(client_of(server, authority.ca_file).fetch_pull(REPO, 1))


def test_github_is_reached_through_the_proxy_and_this_machine_is_not(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxying() as proxy, enterprise_server(tmp_path, authority, f"https://{NAME}") as server:
        proxy.port = server.port
        for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert fetch_all(client_of(server, authority.ca_file), tmp_path) == seed().head_sha
        assert set(proxy.asked) == {f"CONNECT {NAME}:443"}
        asked = len(proxy.asked)
        with enterprise_server(tmp_path / "here", authority) as local:
            fetch_all(client_of(local, authority.ca_file), tmp_path / "here")
        asyncio.run(_ask_a_model_server(local.port))
        assert len(proxy.asked) == asked


async def _ask_a_model_server(port: int) -> None:
    """Nobody is there any more, which only who knocks at this machine's own door finds out."""
    async with FrontClient(f"http://127.0.0.1:{port}", "a key", limit_seconds=5) as front:
        with pytest.raises(httpx.ConnectError):
            await front.http.get("/v1/models")


def test_what_no_proxy_names_is_reached_without(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxying() as proxy, enterprise_server(tmp_path, authority, f"https://{NAME}") as server:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", NAME)
        client = client_of(server, authority.ca_file)
        with pytest.raises(RetryLater, match="no answer from GitHub"):  # the name is known to the proxy alone
            asyncio.run(client.fetch_pull(REPO, 1))
        with pytest.raises(RetryLater, match="resolve host"):
            fetch_default_head(ensure_mirror(tmp_path / "mirrors", NAME, 1), client.git_url(REPO))
        assert proxy.asked == []


def test_a_redirect_elsewhere_is_not_followed_with_the_token(tmp_path: Path) -> None:
    """Neither by httpx, which would follow it within the host, nor by git."""
    with receiving() as elsewhere, socket.create_server(("127.0.0.1", 0)) as listening:
        there = f"http://127.0.0.1:{listening.getsockname()[1]}"
        answer = f"HTTP/1.1 307 Away\r\nlocation: {elsewhere.url}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

        def lead_away() -> None:
            for _ in range(2):
                with listening.accept()[0] as heard:
                    heard.recv(65_536)
                    heard.sendall(answer.encode())

        leading = threading.Thread(target=lead_away)
        leading.start()
        client = GitHubClient(api_url=there, git_url=there, app_id=1, private_key_pem=seed().key.pem, installation_id=1)
        with pytest.raises(Refused) as refused:
            asyncio.run(client.fetch_git_access())
        assert refused.value.reason == "foreign_host"
        with pytest.raises(RetryLater):
            fetch_default_head(ensure_mirror(tmp_path, "127.0.0.1", 1), client.git_url(REPO))
        leading.join()
        assert elsewhere.received == []
