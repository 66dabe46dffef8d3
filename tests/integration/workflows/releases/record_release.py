"""Record a release: `python -m tests.integration.workflows.releases.record_release NAME`, once before each is made.

Work is begun and held at several steps, the process is killed, and what the database then holds is written as SQL to
NAME.sql beside this file. From then on `test_releases.py` proves that the code of the day ends that work. A recording
is never made anew: it is what that release left behind.
"""

import sys

from tests.integration.workflows.releases.holding import hold_steps


def main(name: str) -> None:
    hold_steps()  # before anything declares a workflow
    from tests.integration.workflows.releases.recording import record

    record(name)


if __name__ == "__main__":
    main(sys.argv[1])
