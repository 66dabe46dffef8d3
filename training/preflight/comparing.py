"""What a training took beside what was estimated: `estimate.json` of the run folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.domain.estimates import EstimateRecord
from app.domain.preflight import PreflightReport
from training.preflight.actual import measure_actual
from training.preflight.flight import FILE as PREFLIGHT
from training.process.files import is_json, load_record, save_record
from training.process.progress import Progress

FILE = "estimate.json"


class Comparison:
    """`complete` is set by the caller when every planned step was done; less is nothing to compare with."""

    complete = False


@contextmanager
def compare_estimate(out: Path, progress: Progress) -> Iterator[Comparison]:
    """Measure the training inside. A training that goes on after a crash is not compared, for its first part was not
    measured, nor is one without an estimate.
    """
    fresh = not (out / "checkpoints").exists() and not (out / "adapter").exists()
    comparison = Comparison()
    with measure_actual() as measured:
        yield comparison
    if not (fresh and comparison.complete and is_json(out / PREFLIGHT)):
        return
    estimate = load_record(out / PREFLIGHT, PreflightReport, what="a pre-flight").estimate
    if estimate is None or measured.actual is None:
        return
    record = EstimateRecord(estimate=estimate, actual=measured.actual)
    save_record(out / FILE, record)
    progress.say(f"estimated and actual: {record.sentence()}")


def load_comparison(out: Path) -> EstimateRecord | None:
    """Raises: UserError when the file is there and is none."""
    path = out / FILE
    return load_record(path, EstimateRecord, what="an estimate and what happened") if is_json(path) else None
