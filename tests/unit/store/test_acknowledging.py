"""Handling gives way to deliveries that wait for their answer, but not for ever."""

import threading
import time

import pytest

from app.store.acknowledging import acknowledging, wait_for_lull

_LONG = 30.0


def test_nobody_waits_where_nobody_is_to_be_answered() -> None:
    began = time.monotonic()
    wait_for_lull(_LONG)
    assert time.monotonic() - began < _LONG / 2


def test_it_is_waited_until_the_last_one_is_answered_or_fails() -> None:
    went = threading.Event()

    def wait() -> None:
        wait_for_lull(_LONG)
        went.set()

    waiting = threading.Thread(target=wait)
    with acknowledging():
        with pytest.raises(ConnectionError), acknowledging():
            raise ConnectionError
        waiting.start()
        assert not went.wait(0.1), "one of the two still waits for its answer"
    assert went.wait(_LONG / 2)
    waiting.join()


def test_deliveries_without_a_pause_hold_handling_up_for_so_long_at_most() -> None:
    with acknowledging():
        began = time.monotonic()
        wait_for_lull(0.05)
        assert 0.05 <= time.monotonic() - began < _LONG / 2
