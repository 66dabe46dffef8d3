"""The base checkpoint of a rehearsal: unpacked once, by the training program."""

from pathlib import Path

from app.domain.errors import UserError
from app.rehearsal.console import Narrator
from app.rehearsal.processes import Program

_BASE_SECONDS = 300.0


def ensure_base(base: Path, log: Path, story: Narrator) -> None:
    """Raises:
    UserError: when it could not be made.
    """
    program = Program(["training", "base", "--out", str(base)], log=log, environment={})
    with program:
        program.wait_ended(_BASE_SECONDS, tick=lambda: story.progress("unpacking the base checkpoint (once)"))
    if not (base / "base.json").exists():
        raise UserError(f"the base checkpoint was not made; {log} says why")
