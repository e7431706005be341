"""The collector stops and goes on."""

import gc
import weakref

import pytest

from predictor import collecting


class _Ring:
    def __init__(self) -> None:
        self.me = self


def test_collector_goes_on_after_an_exception() -> None:
    with pytest.raises(ValueError, match="x"), collecting.paused():
        assert not gc.isenabled()
        raise ValueError("x")

    assert gc.isenabled()


def test_inner_pause_leaves_the_outer_one_alone() -> None:
    with collecting.paused():
        with collecting.paused():
            pass

        assert not gc.isenabled()


def test_garbage_of_the_pause_is_collected_later() -> None:
    with collecting.paused():
        ring = weakref.ref(_Ring())

    gc.collect()

    assert ring() is None
