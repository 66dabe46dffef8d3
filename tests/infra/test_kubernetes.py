"""The manifests are what Kubernetes takes, fit each other, and let nothing out that should stay."""

from typing import Any

import kubernetes_validate
import pytest
import yaml

from app.settings import Settings
from app.workflows.runs import Role
from serving.__main__ import _parser
from tests.infra.manifests import FOLDER, OVERLAYS, load_base, matches, pods, render

_BASE = load_base()
#: Made by whoever installs it; docs/scaling.md says how.
_SECRET_KEYS = {
    "webhook-secrets",
    "operator-token",
    "metrics-token",
    "database-url",
    "app-id",
    "client-secret",
    "private-key.pem",
}
#: What `app setup` writes and is no secret: named in the overlay.
_YOURS = ("APP_SLUG", "PUBLIC_URL", "CLIENT_ID", "GITHUB_API_URL", "GITHUB_GIT_URL")


@pytest.mark.parametrize("manifest", _BASE, ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_every_object_is_one_that_kubernetes_takes(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, "1.37", strict=True)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_renders_and_is_taken(overlay: str) -> None:
    rendered = render(overlay)
    assert len(rendered) == len(_BASE)
    for manifest in rendered:
        kubernetes_validate.validate(manifest, "1.37", strict=True)
    for name, pod in pods(rendered).items():
        (container,) = pod["spec"]["containers"]
        assert container["image"] == f"registry.example.org/understudy:{overlay}"
        wants_gpu = overlay == "gpu" and name in ("understudy-gpu", "understudy-serving")
        assert ("nvidia.com/gpu" in container["resources"]["limits"]) == wants_gpu


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_has_a_place_for_the_app_and_for_who_signs_in(overlay: str) -> None:
    rendered = render(overlay)
    (config,) = (one for one in rendered if one["kind"] == "ConfigMap")
    (base,) = (one for one in _BASE if one["kind"] == "ConfigMap")
    assert base["data"].items() < config["data"].items(), "what is the same for everybody stays"
    given = {name: value for name, value in config["data"].items() if name not in base["data"]}
    assert set(given) == {f"UNDERSTUDY_{name}" for name in _YOURS}
    asked = pods(rendered)["understudy-web"]["spec"]["containers"][0]["env"]
    (secret,) = (one for one in asked if one["name"] == "UNDERSTUDY_CLIENT_SECRET")
    assert secret["valueFrom"]["secretKeyRef"]["optional"], "nobody has to let people sign in"
    settings = {name.removeprefix("UNDERSTUDY_").lower(): value for name, value in given.items()}
    made = Settings(
        **settings, webhook_secrets=("w" * 20,), operator_token="t" * 20, app_id=1, private_key_file="key.pem"
    )
    assert (made.client_id, made.github_host) == (None, "github.com")


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_names_what_is_there(overlay: str) -> None:
    folder = FOLDER / "overlays" / overlay
    said = yaml.safe_load((folder / "kustomization.yaml").read_text())
    for path in [*said["resources"], *(patch["path"] for patch in said.get("patches", []))]:
        assert (folder / path).exists()


def test_names_that_are_used_are_names_that_there_are() -> None:
    there = {(one["kind"], one["metadata"]["name"]) for one in _BASE}
    for pod in pods(_BASE).values():
        volumes = pod["spec"]["volumes"]
        mounts = {mount["name"] for container in pod["spec"]["containers"] for mount in container["volumeMounts"]}
        assert mounts == {volume["name"] for volume in volumes}
        for volume in volumes:
            if "persistentVolumeClaim" in volume:
                assert ("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]) in there
        for container in pod["spec"]["containers"]:
            for source in container.get("envFrom", []):
                assert ("ConfigMap", source["configMapRef"]["name"]) in there
    targets = [one["spec"]["scaleTargetRef"] for one in _BASE if one["kind"] == "HorizontalPodAutoscaler"]
    scaled = {(target["kind"], target["name"]) for target in targets}
    assert scaled == {("Deployment", "understudy-web"), ("Deployment", "understudy-worker")} & there


def test_every_variable_is_a_setting_and_every_secret_has_its_key() -> None:
    settings = {f"UNDERSTUDY_{name.upper()}" for name in Settings.model_fields}
    (config,) = (one for one in _BASE if one["kind"] == "ConfigMap")
    assert set(config["data"]) <= settings
    used = {"private-key.pem"}
    for pod in pods(_BASE).values():
        for variable in (item for container in pod["spec"]["containers"] for item in container.get("env", [])):
            assert variable["name"] in settings | {"HOME"}
            if "valueFrom" in variable:
                reference = variable["valueFrom"]["secretKeyRef"]
                assert reference["name"] == "understudy"
                used.add(reference["key"])
    assert used == _SECRET_KEYS
    assert not any(one["kind"] == "Secret" for one in _BASE)


def test_selectors_find_their_pods_and_no_others() -> None:
    labels = {name: pod["metadata"]["labels"] for name, pod in pods(_BASE).items()}
    for one in _BASE:
        if one["kind"] in ("Deployment", "StatefulSet", "PodDisruptionBudget", "Service"):
            selector = one["spec"]["selector"]
            selector = selector if one["kind"] != "Service" else {"matchLabels": selector}
            found = [name for name, carried in labels.items() if matches(selector, carried)]
            assert found == [one["metadata"]["name"]], one["metadata"]["name"]


def test_each_role_has_a_deployment_and_web_two_replicas() -> None:
    roles = {
        variable["value"]
        for pod in pods(_BASE).values()
        for container in pod["spec"]["containers"]
        for variable in container.get("env", [])
        if variable["name"] == "UNDERSTUDY_ROLE"
    }
    assert roles == {role.value for role in Role} - {Role.ALL.value}
    least = {
        one["metadata"]["name"]: one["spec"]["minReplicas"] for one in _BASE if one["kind"] == "HorizontalPodAutoscaler"
    }
    assert least == {"understudy-web": 2, "understudy-worker": 2}


def test_ports_agree() -> None:
    settings = next(one for one in _BASE if one["kind"] == "ConfigMap")["data"]
    ports = {name: pod["spec"]["containers"][0].get("ports", [{}])[0] for name, pod in pods(_BASE).items()}
    for name in ("understudy-web", "understudy-worker", "understudy-gpu"):
        assert ports[name] == {"name": "http", "containerPort": int(settings["UNDERSTUDY_PORT"])}
    serving = pods(_BASE)["understudy-serving"]["spec"]["containers"][0]
    given = _parser().parse_args(serving["args"][1:])
    service = next(one for one in _BASE if one["kind"] == "Service" and one["metadata"]["name"] == "understudy-serving")
    assert given.port == ports["understudy-serving"]["containerPort"] == service["spec"]["ports"][0]["port"]
    assert given.url == f"http://{service['metadata']['name']}:{given.port}"
    assert str(given.state) == settings["UNDERSTUDY_SERVING"]


def test_the_model_server_sees_no_more_of_the_data_than_it_needs() -> None:
    pod = pods(_BASE)["understudy-serving"]["spec"]
    (serving,) = pod["containers"]
    seen = {
        (mount["mountPath"], mount.get("subPath"), mount.get("readOnly", False))
        for mount in serving["volumeMounts"]
        if mount["name"] == "data"
    }
    assert seen == {
        ("/data/base", "base", True),
        ("/data/adapters", "adapters", True),
        ("/data/serving", "serving", False),
    }
    settings = next(one for one in _BASE if one["kind"] == "ConfigMap")["data"]
    assert settings["UNDERSTUDY_SERVING_HOSTS"] in serving["args"][-1]
    (folders,) = pod["initContainers"]
    assert folders["command"][:2] == ["sh", "-c"]  # nothing of a model is read where all of the data is seen


def test_every_pod_is_restricted() -> None:
    """The namespace enforces Kubernetes' restricted profile, which asks for exactly this."""
    namespace = next(one for one in _BASE if one["kind"] == "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for pod in pods(_BASE).values():
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"]
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        allowed = {"persistentVolumeClaim", "emptyDir", "secret"}
        assert all(volume.keys() - {"name"} <= allowed for volume in spec["volumes"])
        for container in [*spec["containers"], *spec.get("initContainers", [])]:
            context = container["securityContext"]
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert context["readOnlyRootFilesystem"]
            assert context["allowPrivilegeEscalation"] is False
            assert "memory" in container["resources"]["limits"]


def _labels(component: str) -> dict[str, str]:
    found = [pod["metadata"]["labels"] for pod in pods(_BASE).values()]
    return next(labels for labels in found if labels["app.kubernetes.io/component"] == component)


def _open_ports(way: str, end: str, mine: str, other: str) -> set[int]:
    """Ports that the policies of one component leave open towards, or from, another."""
    found: set[int] = set()
    for policy in (one["spec"] for one in _BASE if one["kind"] == "NetworkPolicy"):
        if matches(policy["podSelector"], _labels(mine)):
            for rule in policy.get(way, []):
                peers = rule.get(end, [{"podSelector": {}}])
                if any("podSelector" in peer and matches(peer["podSelector"], _labels(other)) for peer in peers):
                    found |= {port["port"] for port in rule["ports"]}
    return found


def _allowed(source: str, target: str) -> set[int]:
    """Ports on which pods of one component reach those of another, both ends agreeing."""
    return _open_ports("egress", "to", source, target) & _open_ports("ingress", "from", target, source)


def test_the_model_is_reached_by_the_service_alone_and_reaches_nobody() -> None:
    default = next(one for one in _BASE if one["metadata"]["name"] == "default-deny")["spec"]
    assert default == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for component in ("web", "worker", "gpu"):
        assert _allowed(component, "serving") == {8001}
        assert _allowed("serving", component) == set()
    assert _allowed("base", "serving") == set()
    out = [
        one["spec"].get("egress")
        for one in _BASE
        if one["kind"] == "NetworkPolicy"
        and matches(one["spec"]["podSelector"], pods(_BASE)["understudy-serving"]["metadata"]["labels"])
    ]
    assert [rules for rules in out if rules] == []


def test_what_is_trained_on_has_no_way_out() -> None:
    trainer = _labels("gpu")
    rules = [
        rule
        for one in _BASE
        if one["kind"] == "NetworkPolicy" and matches(one["spec"]["podSelector"], trainer)
        for rule in one["spec"].get("egress", [])
    ]
    assert all(peer for rule in rules for peer in rule["to"])
    assert {port["port"] for rule in rules for port in rule["ports"]} == {53, 5432, 4318, 8001}


def test_only_github_is_reached_without_saying_where() -> None:
    """Its addresses change."""
    open_ports = [
        port
        for one in _BASE
        if one["kind"] == "NetworkPolicy"
        for rule in one["spec"].get("egress", [])
        if "to" not in rule
        for port in rule["ports"]
    ]
    assert open_ports == [{"port": 443}]


def test_a_trainer_has_no_secret_that_it_does_not_use() -> None:
    pod = pods(_BASE)["understudy-gpu"]["spec"]
    assert not any("secret" in volume for volume in pod["volumes"])
    (container,) = pod["containers"]
    used = {one["valueFrom"]["secretKeyRef"]["key"] for one in container["env"] if "valueFrom" in one}
    assert used == {"metrics-token", "database-url", "app-id"}
