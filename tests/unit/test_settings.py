"""Settings fail closed, name what is wrong and what came, and never show a secret."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.domain.errors import UserError
from app.settings import Settings, known_names, load_reading_settings, load_settings

_GOOD = {
    "UNDERSTUDY_WEBHOOK_SECRETS": "canary-secret-0123456789, canary-older-0123456789",
    "UNDERSTUDY_OPERATOR_TOKEN": "canary-token-0123456789",
    "UNDERSTUDY_APP_ID": "17",
    "UNDERSTUDY_PRIVATE_KEY_FILE": "key.pem",
}
_GHE = {
    "UNDERSTUDY_GITHUB_API_URL": "https://ghe.example/api/v3",
    "UNDERSTUDY_GITHUB_GIT_URL": "https://ghe.example:8443/",
}


def _load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, **changes: str | None) -> Settings:
    monkeypatch.chdir(tmp_path)
    for name, value in (_GOOD | changes).items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    return load_settings()


def test_good_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = _load(monkeypatch, tmp_path, **_GHE)
    assert [secret.get_secret_value() for secret in settings.webhook_secrets] == [
        "canary-secret-0123456789",
        "canary-older-0123456789",
    ]
    assert settings.github_host == "ghe.example"
    assert "canary" not in repr(settings)


def test_a_trainer_needs_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lacking = dict.fromkeys(set(_GOOD) - {"UNDERSTUDY_APP_ID"})
    url = {"UNDERSTUDY_DATABASE_URL": "postgresql://understudy@database/understudy"}
    settings = _load(monkeypatch, tmp_path, UNDERSTUDY_ROLE="gpu", **url, **lacking)
    assert (
        settings.webhook_secrets
        != _load(monkeypatch, tmp_path, UNDERSTUDY_ROLE="gpu", **url, **lacking).webhook_secrets
    )
    with pytest.raises(UserError, match="expected an RSA private key"):
        settings.read_private_key()
    for role in ("all", "web", "worker"):
        with pytest.raises(UserError, match="UNDERSTUDY_OPERATOR_TOKEN: is missing"):
            _load(monkeypatch, tmp_path, UNDERSTUDY_ROLE=role, **url, **lacking)


def test_one_model_server_or_several(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert _load(monkeypatch, tmp_path).serving == (Path("data/serving"),)
    both = _load(monkeypatch, tmp_path, UNDERSTUDY_SERVING="/a, /b")
    assert both.serving == (Path("/a"), Path("/b"))
    with pytest.raises(UserError, match="UNDERSTUDY_SERVING"):
        _load(monkeypatch, tmp_path, UNDERSTUDY_SERVING=" ,")


def test_schedules_are_parted_by_semicolons(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = _load(monkeypatch, tmp_path, UNDERSTUDY_SCHEDULES="7=0 3 * * 0; 9=30 4 1,15 * *;")
    assert settings.schedules == ("7=0 3 * * 0", "9=30 4 1,15 * *")


@pytest.mark.parametrize("name", _GOOD)
@pytest.mark.parametrize("value", [None, ""])
def test_nothing_starts_without(name: str, value: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if name == "UNDERSTUDY_PRIVATE_KEY_FILE" and value == "":
        with pytest.raises(UserError, match="UNDERSTUDY_PRIVATE_KEY_FILE"):
            _load(monkeypatch, tmp_path, **{name: value}).read_private_key()
        return
    with pytest.raises(UserError, match=f"{name}: ") as refused:
        _load(monkeypatch, tmp_path, **{name: value})
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("UNDERSTUDY_WEBHOOK_SECRETS", "canary"),
        ("UNDERSTUDY_WEBHOOK_SECRETS", "canary-secret-0123456789,canary"),
        ("UNDERSTUDY_OPERATOR_TOKEN", "canary"),
        ("UNDERSTUDY_METRICS_TOKEN", "canary"),
        ("UNDERSTUDY_APP_ID", "canary-secret-0123456789"),
        ("UNDERSTUDY_RUNNER", "canary-secret-0123456789"),
        ("UNDERSTUDY_GITHUB_API_URL", "https://someone:canary@host:port"),
        ("UNDERSTUDY_GITHUB_GIT_URL", "github.example/?token=canary"),
    ],
)
def test_what_may_be_a_secret_is_named_and_not_shown(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=f"{name}: ") as refused:
        _load(monkeypatch, tmp_path, **{name: value})
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("UNDERSTUDY_APP_ID", "x"),
        ("UNDERSTUDY_APP_ID", "0"),
        ("UNDERSTUDY_PORT", "70000"),
        ("UNDERSTUDY_POLLING_SECONDS", "often"),
        ("UNDERSTUDY_UNVERIFIED_LIMIT_BYTES", "7"),
        ("UNDERSTUDY_TRAINING_CONFIG", "nowhere/a-long-name.yaml"),
        ("UNDERSTUDY_GATE_POLICY", "nowhere/a-long-name.json"),
        ("UNDERSTUDY_RUNNER", "moon"),
        ("UNDERSTUDY_ROLE", "boss"),
        ("UNDERSTUDY_RUNNER_CONFIG", "no.yaml"),
        ("UNDERSTUDY_GITHUB_GIT_URL", "github.example"),
        ("UNDERSTUDY_GITHUB_GIT_URL", "https://"),
        ("UNDERSTUDY_GITHUB_GIT_URL", "ftp://github.example"),
        ("UNDERSTUDY_GITHUB_API_URL", "https://github.example:port"),
    ],
)
def test_what_is_no_secret_is_said_as_it_came(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=f"{name}: [^;]*, got '{value}'"):
        _load(monkeypatch, tmp_path, **{name: value})


def test_what_came_is_said_before_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"UNDERSTUDY_JUDGE: names no file, got 'no\.yaml'; docs/proving\.md shows"):
        _load(monkeypatch, tmp_path, UNDERSTUDY_JUDGE="no.yaml")


def test_a_wrong_value_is_not_said_to_be_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"are missing or wrong:\n  UNDERSTUDY_OPERATOR_TOKEN: is shorter than 16"):
        _load(monkeypatch, tmp_path, UNDERSTUDY_OPERATOR_TOKEN="short")


_GARBAGE = "-----BEGIN PRIVATE KEY-----\nZ2FyYmFnZQ==\n-----END PRIVATE KEY-----\n"


def _pem(key: Any, encryption: serialization.KeySerializationEncryption) -> bytes:
    pem: bytes = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    return pem


@pytest.mark.parametrize(
    "content",
    [
        None,
        "no key",
        b"\xff\xfe",
        _GARBAGE,
        _pem(ec.generate_private_key(ec.SECP256R1()), serialization.NoEncryption()),
        _pem(ec.generate_private_key(ec.SECP256R1()), serialization.BestAvailableEncryption(b"word")),
    ],
)
def test_a_private_key_that_is_none_is_refused(content: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = _load(monkeypatch, tmp_path)
    if content is not None:
        (tmp_path / "key.pem").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError, match=r"key\.pem.*; download the App's key") as refused:
        settings.read_private_key()
    assert "BEGIN" not in str(refused.value)


def test_thresholds_that_no_gate_could_read_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text('{"nll_lift": 0.3}')
    assert _load(monkeypatch, tmp_path, UNDERSTUDY_GATE_POLICY="good.json").gate_policy == Path("good.json")
    (tmp_path / "typo.json").write_text('{"nll_lfit": 0.3}')
    with pytest.raises(UserError, match=r"UNDERSTUDY_GATE_POLICY.*nll_lfit"):
        _load(monkeypatch, tmp_path, UNDERSTUDY_GATE_POLICY="typo.json")
    for name in ("UNDERSTUDY_GATE_POLICY", "UNDERSTUDY_JUDGE"):
        with pytest.raises(UserError, match=rf"{name}.*names no file"):
            _load(monkeypatch, tmp_path, **({"UNDERSTUDY_GATE_POLICY": None} | {name: "none.json"}))


def test_a_judge_keeps_nothing_that_no_erasure_would_find(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    place = tmp_path / "judge.yaml"
    place.write_text("endpoint: local\nurl: http://127.0.0.1:8000\nmodel: m\nkey_file: judge.key\n")
    assert _load(monkeypatch, tmp_path, UNDERSTUDY_JUDGE=str(place)).judge == place
    place.write_text(place.read_text() + "cache: answers\n")
    with pytest.raises(UserError, match=r"UNDERSTUDY_JUDGE.*leave the key cache out"):
        _load(monkeypatch, tmp_path, UNDERSTUDY_JUDGE=str(place))
    place.write_text("[")
    with pytest.raises(UserError, match=r"UNDERSTUDY_JUDGE.*holds no YAML"):
        _load(monkeypatch, tmp_path, UNDERSTUDY_JUDGE=str(place))


@pytest.mark.parametrize("load", [load_settings, load_reading_settings])
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"API": "https://ghe.example/api/v3"}, r"is of github\.com, but .*API_URL of ghe\.example, got .*; set both"),
        ({"GIT": "https://ghe.example"}, r"is of ghe\.example, but .*API_URL of api\.github\.com, got .*; set both"),
        ({"API": "https://api.a.ghe.com", "GIT": "https://b.ghe.com"}, r"is of b\.ghe\.com, but"),
        ({"API": "notaurl"}, "GITHUB_API_URL: is no address"),
    ],
)
def test_a_token_for_one_host_is_not_sent_to_another(
    load: Any, given: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _load(monkeypatch, tmp_path)
    for name, value in given.items():
        monkeypatch.setenv(f"UNDERSTUDY_GITHUB_{name}_URL", value)
    with pytest.raises(UserError, match=words):
        load()


@pytest.mark.parametrize(
    ("api", "git"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://GHE.example/api/v3", "https://ghe.example"),
        ("https://api.team.ghe.com", "https://team.ghe.com/"),
        ("http://127.0.0.1:8001/api/v3", "http://127.0.0.1:8002"),
        ("http://ghe:8080/api/v3", "https://ghe"),
    ],
)
def test_one_server_has_several_addresses(api: str, git: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    urls = {"UNDERSTUDY_GITHUB_API_URL": api, "UNDERSTUDY_GITHUB_GIT_URL": git}
    assert _load(monkeypatch, tmp_path, **urls).github_git_url == git
    monkeypatch.setenv("UNDERSTUDY_GITHUB_TOKEN", "")
    assert load_reading_settings().github_token is None


_MISSPELT = "UNDERSTUDY_RETENTON_DAYS"


@pytest.mark.parametrize("load", [load_settings, load_reading_settings])
def test_a_misspelt_name_is_refused_with_the_nearest_one(
    load: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _load(monkeypatch, tmp_path)
    monkeypatch.setenv("understudy_serving_host", "canary")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "understudy.env").write_text(f"{_MISSPELT}=7\nUNDERSTUDY_ZZZZ=1\nHTTPS_PROXY=x\n")
    with pytest.raises(UserError) as refused:
        load()
    told = str(refused.value)
    assert f"{_MISSPELT} in data/understudy.env: is no setting; did you mean UNDERSTUDY_RETENTION_DAYS?" in told
    assert "understudy_serving_host in the environment: is no setting; did you mean UNDERSTUDY_SERVING_HOSTS?" in told
    assert "UNDERSTUDY_ZZZZ in data/understudy.env: is no setting; take it out, docs/operating.md lists" in told
    assert "canary" not in told
    assert "PROXY" not in told


def test_what_is_missing_wrong_and_unknown_is_said_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"(?s)APP_ID: is missing.*PORT: .*RETENTON_DAYS in the environment"):
        _load(monkeypatch, tmp_path, UNDERSTUDY_APP_ID=None, UNDERSTUDY_PORT="x", **{_MISSPELT: "7"})


def test_what_sets_nothing_or_comes_from_a_cluster_is_let_be(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    links = {
        "UNDERSTUDY_SERVICE_HOST": "10.0.0.7",
        "UNDERSTUDY_SERVING_SERVICE_PORT_HTTP": "8000",
        "UNDERSTUDY_SERVING_PORT": "tcp://10.0.0.7:8000",
        "UNDERSTUDY_SERVING_PORT_8000_TCP_ADDR": "10.0.0.7",
    }
    assert _load(monkeypatch, tmp_path, **{_MISSPELT: ""}, **links).retention_days == 30
    with pytest.raises(UserError, match="UNDERSTUDY_SERVING_PORT in the environment"):
        _load(monkeypatch, tmp_path, **links | {"UNDERSTUDY_SERVING_PORT": "8000"})


def test_who_has_set_nothing_yet_is_told_how(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    nothing = dict.fromkeys(_GOOD)
    looked_at = re.escape(str(tmp_path / "data" / "understudy.env"))
    with pytest.raises(UserError, match=rf"\nrun `\.venv/bin/python -m app setup`.* there is no {looked_at}$"):
        _load(monkeypatch, tmp_path, **nothing)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "understudy.env").write_text("UNDERSTUDY_APP_ID=17\n")
    with pytest.raises(UserError, match=rf"\nset what is missing in {looked_at}, or in the environment"):
        _load(monkeypatch, tmp_path, **nothing)
    with pytest.raises(UserError) as refused:
        _load(monkeypatch, tmp_path, UNDERSTUDY_PORT="x")
    assert "set what is missing" not in str(refused.value)


_CHECKOUT = Path(__file__).parents[2]
#: Names that are no setting and meant to be none.
_NONE = {
    "QUEUES": "refused by name: what replaced it",
    "SERVING_STATE": "the model server's mark on its own children",
    "SECRET": "set by tests, to see that nobody inherits it",
    "X": "of a test of how a line is written",
}
_IN_THE_TEXT = re.compile(r"\bUNDERSTUDY_([A-Z][A-Z_]*[A-Z])\b")


def test_every_name_that_is_read_or_documented_is_known() -> None:
    """Else whoever sets it is refused."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=_CHECKOUT, capture_output=True, check=True, text=True).stdout
    found = {
        name: file
        for file in listed.split("\0")
        if Path(file).suffix in (".py", ".md", ".yaml", ".yml", ".sh", ".service", ".Dockerfile", "")
        and file not in ("", "CHANGELOG.md", "tests/unit/test_settings.py")
        and (_CHECKOUT / file).is_file()
        for name in _IN_THE_TEXT.findall((_CHECKOUT / file).read_text(encoding="utf-8", errors="replace"))
    }
    assert len(found) > 40
    assert {name: file for name, file in found.items() if name not in known_names() | set(_NONE)} == {}
