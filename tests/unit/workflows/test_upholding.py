"""What one server is to load and to unload, and how large it must be, as pure decisions over the registry."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.domain.adapters import AdapterState
from app.domain.serving import ProbeReport, Quarantine, ServedAdapter, ServingStatus
from app.store.tables import AdapterPointerRow, AdapterVersionRow
from app.workflows.upholding import Registry, decide_needs, decide_registry, decide_upkeep

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TRAINED = {"rank": 16, "max_length": 1024}


def version(name: str, state: AdapterState = AdapterState.RETIRED, **changes: Any) -> AdapterVersionRow:
    manifest = {"rank": 8, "config": {"max_length": 512}} | changes.pop("manifest", {})
    fields = {"installation_id": 7, "snapshot_id": "ds1:0", "path": f"/adapters/{name}", "manifest": manifest}
    return AdapterVersionRow(name=name, state=state.value, **fields, **changes)


def pointer(now: str | None, before: str | None = None) -> AdapterPointerRow:
    return AdapterPointerRow(installation_id=7, adapter_name=now, previous=before)


def status(*held: str, resting: tuple[str, ...] = (), refused: tuple[tuple[str, datetime], ...] = ()) -> ServingStatus:
    probe = ProbeReport(
        name="x", parity=(0,), base_parity=(0,), effect=(1,), tolerance=0.1, least_effect=0.005, seconds=1
    )
    return ServingStatus(
        state="ready",
        base="b",
        revision="r1",
        max_rank=16,
        engine_pid=1,
        starts=1,
        ready_seconds=1,
        adapters=tuple(ServedAdapter(name=name, path="/x", loaded_at=NOW, probe=probe) for name in held),
        resting=resting,
        quarantined=tuple(Quarantine(name=name, path="/x", reason="parity", message="", at=at) for name, at in refused),
    )


@pytest.mark.parametrize(
    ("row", "pointing", "kept"),
    [
        (version("a", AdapterState.PROMOTED), pointer("a"), True),
        (version("a", AdapterState.PROMOTED, stale_at=NOW), pointer("a"), True),
        (version("a"), pointer("b", "a"), True),
        (version("a", stale_at=NOW), pointer("b", "a"), False),
        (version("a", AdapterState.ERASED), pointer("b", "a"), False),
        (version("a", AdapterState.ERASED), pointer("a"), False),
        (version("a"), pointer("b"), False),
        (version("a", AdapterState.REJECTED), pointer(None), False),
        (version("a", AdapterState.CANDIDATE, decision={"verdict": "promote"}), pointer(None), True),
        (version("a", AdapterState.CANDIDATE, decision={"verdict": "hold"}), pointer(None), False),
    ],
)
def test_who_may_be_served(row: AdapterVersionRow, pointing: AdapterPointerRow, kept: bool) -> None:
    registry = decide_registry([pointing], [row, version("b", AdapterState.PROMOTED)])
    assert ("a" in registry.kept) is kept


def test_a_server_loads_what_it_misses_and_unloads_whom_nobody_knows() -> None:
    registry = Registry(wanted={name: version(name) for name in ("a", "b", "c")}, kept=frozenset("abcd"))
    plan = decide_upkeep(registry, status("a", "d", "gone", resting=("b", "erased")), NOW)
    assert (plan.load, plan.unload) == (("c",), ("erased", "gone"))


def test_what_was_refused_is_tried_again_after_an_hour() -> None:
    registry = Registry(wanted={name: version(name) for name in ("new", "old")}, kept=frozenset({"new", "old"}))
    refused = (("new", NOW - timedelta(minutes=59)), ("old", NOW - timedelta(minutes=61)))
    assert decide_upkeep(registry, status(refused=refused), NOW).load == ("old",)


def test_needs_cover_the_largest_that_may_serve_and_the_next_training() -> None:
    large = version("large", manifest={"rank": 32, "config": {"max_length": 4000}})
    huge = version("huge", manifest={"rank": 512, "config": {"max_length": 9000}})
    registry = Registry(wanted={"large": large}, kept=frozenset({"large"}))
    needs = decide_needs(registry, [large, huge], TRAINED)
    assert (needs.max_rank, needs.adapters, needs.max_length) == (32, 1, 4352)
    none = decide_needs(Registry(wanted={}, kept=frozenset()), [huge], TRAINED)
    assert (none.max_rank, none.adapters, none.max_length) == (16, 0, 2048), "the base's questions"
