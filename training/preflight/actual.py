"""What a training really took: its peak of memory and its seconds, around any piece of work."""

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.domain.estimates import Actual

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class Measured:
    """Filled when the block ends; `actual` is None until then."""

    actual: Actual | None = None


@contextmanager
def measure_actual() -> Iterator[Measured]:
    """Peak and seconds of the block, also when it raises. Allocated bytes on an accelerator, else resident ones.

    Linux lets a process forget its peak (`clear_refs`, since 4.0), so the figure is of this block. Elsewhere it is the
    whole process's so far, which is no less.
    """
    on_card = _has_card()
    _forget_peak(on_card=on_card)
    measured, began = Measured(), time.monotonic()
    try:
        yield measured
    finally:
        measured.actual = Actual(memory=_read_peak(on_card=on_card), seconds=round(time.monotonic() - began, 3))


def read_resident() -> int:
    """Bytes of this process in memory now; its peak so far where the system tells no more."""
    return _read_status("VmRSS") or _read_usage()


def _has_card() -> bool:
    import torch

    return torch.cuda.is_available()


def _forget_peak(*, on_card: bool) -> None:
    if on_card:
        import torch

        torch.cuda.reset_peak_memory_stats()
        return
    try:
        _RESET.write_text("5")
    except OSError:
        return  # the peak of the whole process is told instead, see measure_actual


def _read_peak(*, on_card: bool) -> int:
    if on_card:
        import torch

        return int(torch.cuda.max_memory_allocated())
    return _read_status("VmHWM") or _read_usage()


def _read_status(field: str) -> int | None:
    try:
        lines = _STATUS.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    found = next((line for line in lines if line.startswith(f"{field}:")), None)
    return None if found is None else 1024 * int(found.split()[1])


def _read_usage() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
