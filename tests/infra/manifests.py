"""The manifests of infra/kubernetes as they lie there, and as kubectl renders them."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

CHECKOUT = Path(__file__).parents[2]
FOLDER = CHECKOUT / "infra" / "kubernetes"
OVERLAYS = sorted(path.name for path in (FOLDER / "overlays").iterdir())


def load_base() -> list[dict[str, Any]]:
    """Every object of the base, in the order of its kustomization."""
    named = yaml.safe_load((FOLDER / "base" / "kustomization.yaml").read_text())["resources"]
    return [item for name in named for item in yaml.safe_load_all((FOLDER / "base" / name).read_text())]


def render(overlay: str) -> list[dict[str, Any]]:
    """By the real kustomize; skips the test where there is none."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not on PATH; it brings kustomize")
    command = [kubectl, "kustomize", str(FOLDER / "overlays" / overlay)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def pods(manifests: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Pod templates by the name of what makes them."""
    return {one["metadata"]["name"]: one["spec"]["template"] for one in manifests if "template" in one.get("spec", {})}


def matches(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """As Kubernetes selects, by labels and by the operator In."""
    wanted = selector.get("matchLabels", {}).items() <= labels.items()
    expressions = selector.get("matchExpressions", [])
    assert all(one["operator"] == "In" for one in expressions)
    return wanted and all(labels.get(one["key"]) in one["values"] for one in expressions)
