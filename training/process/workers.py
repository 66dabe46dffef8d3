"""Which of the processes of one training this is."""

import os


def is_first_process() -> bool:
    """True in the process that writes files: the only one, or the first of those that `accelerate launch` started."""
    return int(os.environ.get("RANK", "0")) == 0
