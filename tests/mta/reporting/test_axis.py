"""Ticks have room beside the frame."""

import pytest

from mta.reporting.axis import Axis, spanning


@pytest.mark.parametrize(
    ("low", "high", "names"),
    [
        (0, 1, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (-0.001, 0.0001, ["-0.001", "-8e-4", "-6e-4", "-4e-4", "-2e-4", "0"]),
        (0, 3e5, ["0", "50000", "1e5", "1.5e5", "2e5", "2.5e5", "3e5"]),
    ],
)
def test_numbers_are_short_whatever_their_size(low, high, names):
    assert [name for _, name in Axis(low, high).marks()] == names


@pytest.mark.parametrize("scale", [1e-9, 1e-4, 1, 1e7])
def test_no_name_of_a_tick_is_longer_than_its_room(scale):
    assert max(len(name) for _, name in spanning([-1.1 * scale, 0.3 * scale]).marks()) <= 7
