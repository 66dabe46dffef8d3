"""What this machine has to train on."""

import os
import platform
from pathlib import Path

from app.domain.errors import UserError
from app.domain.estimates import Device, Price


def read_device() -> Device:
    """The first accelerator where torch sees one, else the processor and the machine's memory."""
    import torch

    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info(0)
        return Device(name=torch.cuda.get_device_name(0), kind="cuda", memory=total, free=free)
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cores = len(os.sched_getaffinity(0))
    name = f"{platform.machine()}, {cores} cores"
    limit = _read_limit(Path("/sys/fs/cgroup"))
    available = _read_available()
    free = min(total if available is None else available, total if limit is None else limit)
    return Device(name=name, kind="cpu", memory=min(total, limit or total), free=free)


def parse_price(text: str | None) -> Price | None:
    """`2.50 EUR`: an hour of the device. None stays None, for a price is never guessed.

    Raises:
        UserError: when it is no number and currency.
    """
    if text is None:
        return None
    amount, _, currency = text.strip().partition(" ")
    try:
        price = Price(per_hour=float(amount), currency=currency.strip())
    except ValueError as error:
        raise UserError(f"expected a price of an hour like '2.50 EUR', got {text!r}") from error
    if not price.currency or not 0 <= price.per_hour < float("inf"):
        raise UserError(f"expected a price of an hour like '2.50 EUR', got {text!r}")
    return price


def _read_available() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    found = next((line for line in lines if line.startswith("MemAvailable:")), None)
    return None if found is None else 1024 * int(found.split()[1])


def _read_limit(group: Path) -> int | None:
    """What a container may still take (cgroup v2), None without a limit."""
    try:
        most, used = (group / "memory.max").read_text().strip(), int((group / "memory.current").read_text())
    except (OSError, ValueError):
        return None
    return None if most == "max" else max(0, int(most) - used)
