"""What the process must be before a learning library is imported: offline, quiet, and on all cores of the machine."""

import hashlib
import logging
import os
import platform
import subprocess
import warnings
from importlib import metadata
from pathlib import Path

from app.domain.log_lines import LOG_FORMAT, LogFormat, set_up_logging

#: Packages whose versions decide what comes out of a training; recorded in every report and manifest.
RECORDED = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "tokenizers", "scikit-learn", "skops")


def prepare_process() -> None:
    """Forbid downloads (a base is a folder, never a name to look up) and silence progress bars that are not ours.

    Must run before transformers is imported: it reads these variables once.
    """
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TRANSFORMERS_OFFLINE"] = "1"
    os.environ["HF_DATASETS_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["TQDM_DISABLE"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    # Threads that wait for each other sleep instead of spinning. Measured on two cores shared with another busy
    # process: 34 tokens/s with the default, 180 to 240 with this.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    warnings.filterwarnings("ignore", message=".*pin_memory.*", category=UserWarning)
    logging.getLogger("bitsandbytes.backends.cpu.ops").addFilter(_is_not_about_kernels)
    # As the service's child it ends in the service's words; at a person's terminal a traceback says all it can.
    if (kind := os.environ.get(LOG_FORMAT)) in set(LogFormat):
        set_up_logging(LogFormat(kind))


def _is_not_about_kernels(record: logging.LogRecord) -> bool:
    """peft imports bitsandbytes, which on a processor asks a hub for a 4-bit kernel and warns that it got none. We are
    offline on purpose and use no such kernel there; before a plain error the warning reads like its cause.
    """
    return "gemm_4bit_forward" not in record.getMessage()


def use_threads(threads: int) -> int:
    """Set torch's threads; 0 means one per core that this process may run on. Returns the number in force."""
    import torch

    count = threads or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else threads or os.cpu_count()
    torch.set_num_threads(max(1, count or 1))
    return torch.get_num_threads()


def read_packages() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in RECORDED}}


def read_code_commit() -> str:
    """The checkout's commit, or the hash of this package's sources where git cannot tell (an image, an export)."""
    here = Path(__file__).parents[1]
    found = subprocess.run(
        ["git", "-C", str(here), "rev-parse", "HEAD"], capture_output=True, text=True, check=False, timeout=10
    )
    if found.returncode == 0:
        return found.stdout.strip()
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(here.rglob("*.py"))))
    return f"sources-{digest.hexdigest()[:12]}"
