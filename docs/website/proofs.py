"""Which test runs each command that the documents tell a person to type. Pure; tests/docs holds it to the tests.

A command that no test can run says what is lacking. Its words and options are checked to exist all the same.
"""

from typing import NamedTuple


class Proof(NamedTuple):
    """`test` is a file of tests, None where nothing can run it; then `why` says what is lacking."""

    test: str | None
    why: str = ""

    @property
    def ran(self) -> bool:
        return self.test is not None

    @property
    def text(self) -> str:
        return f"Run by <code>{self.test}</code>." if self.test else f"Checked, not run: {self.why}."


_AS_WRITTEN = "tests/docs/test_as_written.py"
_CLI = "tests/integration/training/test_cli.py"
_ROUND = "tests/integration/training/test_round.py"

#: What is typed after `python -m`, or the first words of another line.
PROOFS: dict[str, Proof] = {
    "app serve": Proof("tests/integration/intake/test_listening.py"),
    "app setup": Proof("tests/integration/setup/test_installing.py"),
    "app doctor": Proof("tests/integration/setup/test_installing.py"),
    "app erase": Proof("tests/integration/test_commands.py"),
    "app trace": Proof("tests/integration/test_commands.py"),
    "app feedback": Proof("tests/integration/review/test_feedback.py"),
    "app policy": Proof(_AS_WRITTEN),
    "app demo": Proof(None, "it takes a quarter of an hour; its parts are tested one by one, and it is run by hand"),
    "app rehearse": Proof("tests/integration/rehearsal/test_live.py"),
    "app import-comments": Proof(_AS_WRITTEN),
    "app history": Proof("tests/integration/history/test_history.py"),
    "app move": Proof("tests/docs/test_upgrading.py"),
    "app backup": Proof("tests/docs/test_upgrading.py"),
    "app restore": Proof("tests/docs/test_upgrading.py"),
    "app erasures": Proof("tests/docs/test_upgrading.py"),
    "app lora-adapters": Proof("tests/docs/test_watching.py"),
    "app dataset report": Proof(_AS_WRITTEN),
    "app dataset export": Proof(_AS_WRITTEN),
    "app dataset import": Proof(_AS_WRITTEN),
    "training base": Proof(_CLI),
    "training tiny": Proof(_AS_WRITTEN),
    "training preflight": Proof("tests/integration/training/test_preflight.py"),
    "training sft": Proof(_CLI),
    "training run": Proof(_ROUND),
    "training evaluate": Proof(_ROUND),
    "training gate": Proof(_CLI),
    "training controls": Proof(_ROUND),
    "training confirm": Proof("tests/integration/serving/test_killed_confirming.py"),
    "training report": Proof(_AS_WRITTEN),
    "training spot-check": Proof(_AS_WRITTEN),
    "training verify": Proof(_AS_WRITTEN),
    "serving run": Proof("tests/integration/serving/test_serving.py"),
    "serving status": Proof("tests/integration/serving/test_serving.py"),
    "serving export": Proof("tests/integration/serving/test_exporting.py"),
    "make demo": Proof(None, "it takes a quarter of an hour; it is run by hand"),
    "make install": Proof("tests/docs/test_quickstart.py"),
    "make test": Proof(None, "it is what runs the tests"),
    "make lock": Proof(None, "it asks the package index"),
    "git clone": Proof(_AS_WRITTEN),
    "curl": Proof(_AS_WRITTEN),
    "cp": Proof("tests/docs/test_operating.py"),
    "python3.11": Proof(None, "it installs SkyPilot from the package index, and needs a cloud"),
    "gh": Proof(None, "it changes a repository on GitHub; a test holds its labels to the code"),
    "promtool": Proof("tests/docs/test_watching.py"),
    "kubectl": Proof("tests/docs/test_watching.py"),
    "docker build": Proof(None, "no Docker daemon where it was written; the recipe is read by hadolint"),
    "docker compose": Proof(None, "no Docker daemon where it was written; the file is held against the specification"),
    "tests.docs": Proof(None, "it takes minutes; tests/docs/test_quickstart.py reads the page, and it is run by hand"),
    "tests.integration": Proof(None, "it records a release before it is made; the recordings are loaded by tests"),
    "tests.benchmarks": Proof(None, "it measures for minutes to hours; the figures beside it are from such a run"),
}

#: Blocks that name what runs them: `run=NAME` → the test that reads them from the page.
NAMED = {
    "quickstart": "tests/docs/quickstart.py",
    "erase": "tests/integration/test_commands.py",
    "preflight": "tests/integration/training/test_preflight.py",
}


def find_proof(command: str) -> Proof | None:
    """Of the words after `python -m`; None for a command that nobody named here."""
    return PROOFS.get(command)
