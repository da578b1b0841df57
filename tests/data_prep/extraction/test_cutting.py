"""Places become patches: in order, as many as wanted, white ones last."""

from itertools import count

import numpy as np
import pytest

from data_prep.extraction.cutting import block_of, cut
from data_prep.sampling import Judge, Limits


def gray(x, y):
    """A patch whose white share is y / 100; its other values are x."""
    patch = np.full((10, 10, 3), x, np.uint8)
    patch.reshape(-1)[: 3 * y] = 255
    return patch


def run(places, wanted=None, block=4, adaptive=True, **options):
    judge = Judge(Limits(), adaptive)
    blocks = [np.array(places[start : start + 3]) for start in range(0, len(places), 3)]
    pieces = list(cut(blocks, judge, wanted, gray, block, **options))
    for corners, patches in pieces:
        assert len(corners) == len(patches) <= block
        assert all((gray(x, y) == patch).all() for (x, y), patch in zip(corners.tolist(), patches, strict=True))
    return [tuple(corner) for corners, _ in pieces for corner in corners.tolist()], judge


def test_the_order_of_places_is_kept_whatever_the_order_of_reading():
    places = [(150, 5), (149, 0), (148, 20), (147, 3), (100, 1), (101, 2), (102, 0)]
    for block in (1, 2, 5, 100):
        assert run(places, block=block)[0] == places
        assert run(places, wanted=3, block=block)[0] == places[:3]


def test_what_is_refused_is_replaced_by_the_next():
    places = [(150, 0), (50, 0), (151, 40), (152, 0), (153, 0), (154, 0)]
    found, judge = run(places, wanted=3)
    assert found == [(150, 0), (152, 0), (153, 0)]
    assert judge.refused == {"dark": 1, "white": 1}


@pytest.mark.parametrize("block", [1, 2, 3, 50])
def test_white_ones_get_another_chance_where_too_few_are_found_the_least_white_first(block):
    places = [(150, 55), (151, 0), (152, 33), (153, 90), (154, 38), (155, 34)]
    found, judge = run(places, wanted=4, block=block)
    assert found == [(151, 0), (152, 33), (155, 34), (154, 38)]
    assert judge.share == pytest.approx(0.4)
    assert judge.refused["white"] == 2
    assert run(places, wanted=9, block=block)[0] == [(151, 0), (152, 33), (155, 34), (154, 38), (150, 55)]


@pytest.mark.parametrize("block", [1, 128])
@pytest.mark.parametrize("whites", [7999, 8000])
def test_white_ones_get_another_chance_too_where_the_share_has_grown_to_its_top(whites, block):
    places = [(150, 32)] * 500 + [(151, 90)] * (whites - 500)
    found, judge = run(places, wanted=600, block=block)
    assert found == places[:500]
    assert judge.share == pytest.approx(0.7)
    assert judge.refused == {"white": whites - 500}


def test_a_grid_and_the_original_give_none():
    places = [(150, 55), (151, 0), (152, 33)]
    assert run(places, adaptive=False)[0] == [(151, 0)]
    assert run(places, wanted=3, as_original=True)[0] == [(151, 0)]


def test_in_the_original_dark_patches_count_and_are_left_out():
    places = [(80, 0), (150, 0), (81, 0), (151, 0)]
    assert run(places, wanted=3, as_original=True)[0] == [(150, 0)]


def test_white_places_without_end_end():
    judge, reads = Judge(Limits(), adaptive=True), count()

    def white(x, y):
        next(reads)
        return gray(x, 100)

    def forever():
        while True:
            yield np.full((500, 2), 150)

    assert list(cut(forever(), judge, 10, white, 64)) == []
    assert 9000 <= next(reads) <= 9010


def test_large_patches_are_held_in_fewer():
    assert [block_of(size) for size in (64, 224, 256, 512, 4096)] == [128, 128, 128, 32, 1]
