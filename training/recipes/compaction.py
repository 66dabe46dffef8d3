"""The output layer on the trained positions only, on the CPU too.

TRL 1.16 projects every position onto the 49,152 words of the vocabulary unless it runs on Triton, although only the
completion's positions (a tenth to a quarter) enter the loss. Its own compact path is plain torch and gives the same
loss; it is only switched by a function of the device. This is the one place that flips the switch.
`tests/integration/training/test_compaction.py` holds that the losses are equal.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from app.domain.errors import UserError


@contextmanager
def compact_output_layer() -> Iterator[None]:
    """Within: TRL scores labelled positions only.

    Raises:
        UserError: when this TRL has no such switch any more, so that a new version is looked at and not guessed.
    """
    from trl.trainer import utils as trl_internals

    if not hasattr(trl_internals, "_use_triton"):
        raise UserError("this TRL has no `_use_triton`; expected the pinned 1.16.0, see training/recipes/compaction.py")
    before = trl_internals._use_triton
    trl_internals._use_triton = lambda _device: True
    try:
        yield
    finally:
        trl_internals._use_triton = before
