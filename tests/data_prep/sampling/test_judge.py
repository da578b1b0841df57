"""Which patches are refused, and when patience ends."""

import numpy as np
import pytest

from data_prep.sampling import Judge, Limits


def patch(white_share=0.0, tissue=150):
    """A patch of 10,000 pixels of which the first share is white."""
    values = np.full((10_000, 3), tissue, np.uint8)
    values[: round(white_share * 10_000)] = 255
    return values.reshape(100, 100, 3)


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (patch(), ""),
        (patch(0.3), ""),
        (patch(0.3001), "white"),
        (patch(tissue=200), ""),
        (patch(tissue=201), "white"),
        (patch(tissue=0), "black"),
        (patch(tissue=90), "dark"),
        (patch(tissue=91), ""),
    ],
)
def test_the_limits_are_the_originals(image, reason):
    judge = Judge(Limits(), adaptive=True)
    assert judge.verdict(image) == reason
    assert judge.refused == ({reason: 1} if reason else {})


@pytest.mark.parametrize(("share", "reason"), [(0.01, ""), (0.0101, "black")])
def test_no_more_than_a_hundredth_may_be_black(share, reason):
    image = patch()
    image.reshape(-1, 3)[: round(share * 10_000)] = 10
    assert Judge(Limits(), adaptive=True).verdict(image) == reason
    assert Judge(Limits(), adaptive=True, void=None).verdict(image) == ""


def test_the_original_refuses_zeros_only():
    judge = Judge(Limits(), adaptive=True, void=None)
    assert [judge.verdict(np.full((8, 8, 3), value, np.uint8)) for value in (0, 1)] == ["black", "dark"]


def test_white_is_counted_by_channel_values():
    image = patch()
    image[..., 0] = 255  # one of three: a third of all values
    assert Judge(Limits(), adaptive=False).verdict(image) == "white"
    assert Judge(Limits(white_share=0.34), adaptive=False).verdict(image) == ""


def test_the_share_grows_with_each_thousand_and_ends_at_its_top():
    judge, white = Judge(Limits(), adaptive=True), patch(1.0)
    shares = []
    while not judge.exhausted:
        judge.verdict(white)
        if judge.refused["white"] % 1000 == 0:
            shares.append(round(judge.share, 10))
    assert shares == [0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.7]
    assert judge.refused["white"] == 9000
    assert judge.verdict(patch(0.7)) == ""


def test_black_patches_end_it_too():
    judge, black = Judge(Limits(), adaptive=True), patch(tissue=0)
    for _ in range(1999):
        judge.verdict(black)
    assert not judge.exhausted
    judge.verdict(black)
    assert judge.exhausted


def test_on_a_grid_every_place_is_tried():
    judge = Judge(Limits(), adaptive=False)
    for _ in range(2500):
        judge.verdict(patch(1.0))
        judge.verdict(patch(tissue=0))
    assert (judge.share, judge.exhausted) == (0.3, False)
