"""Adapters as objects of vLLM's production-stack, whose operator loads them into the models that it runs.

The shape is that of LoraAdapter in production-stack.vllm.ai/v1alpha1 (operator/api/v1alpha1/loraadapter_types.go of
vllm-project/production-stack).
"""

from pathlib import Path
from typing import Any


def render_lora_adapter(name: str, folder: Path, base_model: str, namespace: str) -> dict[str, Any]:
    """`folder` is the adapter's own, on a volume that the stack's pods see under the same path. Pure."""
    return {
        "apiVersion": "production-stack.vllm.ai/v1alpha1",
        "kind": "LoraAdapter",
        "metadata": {
            "name": name.lower(),
            "namespace": namespace,
            "labels": {"app.kubernetes.io/managed-by": "understudy"},
        },
        "spec": {
            "baseModel": base_model,
            "adapterSource": {"type": "local", "adapterName": name, "adapterPath": str(folder / "adapter")},
            "loraAdapterDeploymentConfig": {"algorithm": "default"},
        },
    }
