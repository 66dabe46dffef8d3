"""Knobs that make the stand-in fail as GitHub does. Every knob is a number of times, used up as it strikes."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

FaultKind = Literal["502_before", "502_after", "secondary", "expired_token", "hook"]


@dataclass
class RequestFault:
    """Strikes the next `times` requests of one method and route template; `*` matches every one."""

    kind: FaultKind
    method: str
    route: str
    times: int = 1
    retry_after_seconds: int | None = None
    hook: Callable[[], None] | None = None

    def strikes(self, method: str, route: str) -> bool:
        return self.times > 0 and self.method in ("*", method) and self.route in ("*", route)


@dataclass
class Faults:
    """Deliveries: `drop` loses the next n (they stay redeliverable), `duplicate` sends the next n twice under one
    GUID, `reorder` holds the next n back and sends them last first, `delay_seconds` waits before each.
    """

    drop: int = 0
    duplicate: int = 0
    reorder: int = 0
    delay_seconds: float = 0.0
    requests: list[RequestFault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def bad_gateway(self, method: str, route: str, *, after_effect: bool, times: int = 1) -> None:
        """502, either before anything happened or after the effect was made and the answer lost."""
        self._add(RequestFault("502_after" if after_effect else "502_before", method, route, times))

    def secondary_limit(
        self, method: str = "*", route: str = "*", *, retry_after_seconds: int | None = None, times: int = 1
    ) -> None:
        """403 of the secondary rate limit, with `retry-after` when seconds are given."""
        self._add(RequestFault("secondary", method, route, times, retry_after_seconds=retry_after_seconds))

    def expire_token(self, method: str = "*", route: str = "*", *, times: int = 1) -> None:
        """The installation token of the next matching request is expired when it arrives, and stays so."""
        self._add(RequestFault("expired_token", method, route, times))

    def before(self, method: str, route: str, hook: Callable[[], None], *, times: int = 1) -> None:
        """Run `hook` just before the next matching request is answered, e.g. a force-push between read and post."""
        self._add(RequestFault("hook", method, route, times, hook=hook))

    def take(self, kind: FaultKind, method: str, route: str) -> RequestFault | None:
        """The armed fault of this kind that strikes a request, used up by one."""
        with self._lock:
            for fault in self.requests:
                if fault.kind == kind and fault.strikes(method, route):
                    fault.times -= 1
                    return fault
        return None

    def take_delivery(self, knob: Literal["drop", "duplicate", "reorder"]) -> bool:
        with self._lock:
            left: int = getattr(self, knob)
            if left > 0:
                setattr(self, knob, left - 1)
            return left > 0

    def _add(self, fault: RequestFault) -> None:
        with self._lock:
            self.requests.append(fault)
