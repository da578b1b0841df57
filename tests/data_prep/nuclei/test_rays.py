import cv2
import numpy as np
import pytest

from data_prep.nuclei import segment
from data_prep.nuclei.chromatin import chromatin
from data_prep.nuclei.combining import LEAST_FREE, LEAST_OUTLINE, LEAST_REGION, combine, fill
from data_prep.nuclei.rays import BEND, RADII, RAYS, Outlines, _paths, find_outlines
from data_prep.nuclei.roundness import (
    OUTLINE_WEIGHTS,
    describe_outlines,
    enclosed,
    rate_outlines,
    relate,
)
from data_prep.nuclei.seeds import find_seeds
from tests.data_prep.nuclei.samples import PINK, disks, overlap

NUCLEUS = (1.1, np.log(24.0))


def circle(x, y, radius, count=1):
    """`count` equal round outlines."""
    shape = (count, RAYS)
    return Outlines(np.array([[y, x]] * count), np.full(shape, radius, np.float32), np.zeros(shape), np.zeros(count))


def vesicular(broken=0.0):
    """A nucleus of 12 pixels with a thin dark rim, as pale inside as around it, and `broken` on one side."""
    image, truth = disks([(48, 48)], 12)
    image[:] = PINK
    cv2.ellipse(image, (48, 48), (11, 11), 0, broken / 2, 360 - broken / 2, (110, 80, 160), 2)
    return cv2.GaussianBlur(image, (0, 0), 1), truth


def test_the_slopes_of_a_ring_point_to_its_pale_middle():
    density = chromatin(vesicular()[0], 0.5).density
    gx, gy = (cv2.Sobel(density, cv2.CV_32F, dx, 1 - dx) for dx in (1, 0))
    places, votes = find_seeds(density, (gx, gy))
    assert len(places) == len(votes)
    assert np.hypot(*(places[votes.argmax()] - 48)) <= 2


@pytest.mark.parametrize("broken", [0, 60])
def test_an_outline_closes_a_rim_that_is_broken(broken):
    image, truth = vesicular(broken)
    outlines = find_outlines(chromatin(image, 0.5).density)
    x, y = outlines.points()
    best = 0.0
    for place, inside in (fill(*one, truth.shape) for one in zip(x, y, strict=True)):
        both = (inside & (truth[place] > 0)).sum()
        best = max(best, both / (inside.sum() + (truth > 0).sum() - both))
    assert best > 0.8


def test_the_path_is_the_best_and_bends_by_one_radius_a_ray():
    worth = np.random.default_rng(0).random((6, RAYS, len(RADII))).astype(np.float32)
    paths = _paths(worth)
    assert paths.shape == (6, RAYS)
    assert np.abs(np.diff(paths, axis=1)).max() == 1
    straight = worth.sum(1).max(1)
    gained = np.take_along_axis(worth, paths[..., None], 2).sum((1, 2)) - BEND * (np.diff(paths, axis=1) != 0).sum(1)
    assert (gained > straight).all()


def test_a_circle_on_equal_slopes_is_followed():
    worth = np.zeros((1, RAYS, len(RADII)), np.float32)
    worth[:, :, 7] = 1
    np.testing.assert_array_equal(_paths(worth), np.full((1, RAYS), 7))


def test_nothing_to_outline_in_an_empty_patch():
    outlines = find_outlines(np.zeros((40, 40), np.float32))
    assert len(outlines.seeds) == len(outlines.radii) == len(outlines.votes) == 0


def test_the_traits_of_an_outline():
    image, truth = disks([(48, 48)], 10)
    maps = chromatin(image, 0.5)
    traits = describe_outlines(circle(48, 48, 10.0), maps)[0]
    assert traits[1] == pytest.approx(1, abs=0.1)
    assert traits[3] == 0
    assert traits[4] > 0.5
    assert traits[8] == pytest.approx(maps.density[truth > 0].mean(), abs=0.1)
    assert traits[9] == pytest.approx(np.log(np.pi * 100 / 4), abs=0.02)
    assert describe_outlines(circle(0, 48, 10.0), maps)[0, 3] == pytest.approx(0.5, abs=0.05)


def test_the_area_is_that_of_the_polygon():
    radii = np.random.default_rng(1).uniform(8, 12, (1, RAYS)).astype(np.float32)
    x, y = Outlines(np.array([[50, 50]]), radii, radii, np.zeros(1)).points()
    assert enclosed(radii)[0] == pytest.approx(cv2.contourArea(np.stack([x[0], y[0]], 1).astype(np.float32)), rel=1e-3)


def test_the_quality_of_an_outline_is_the_weighted_terms():
    maps = chromatin(disks([(48, 48)], 10)[0], 0.5)
    on, off = (rate_outlines(circle(*place, 10.0), maps, NUCLEUS)[0] for place in ((48, 48), (20, 20)))
    assert on > LEAST_OUTLINE > off
    traits = describe_outlines(circle(48, 48, 10.0), maps)
    assert on == pytest.approx(float(relate(traits, NUCLEUS)[0] @ OUTLINE_WEIGHTS))


def test_paler_smaller_and_larger_than_usual_are_three_terms():
    traits = np.zeros((3, 10))
    traits[:, 8], traits[:, 9] = (0.55, 2.2, 1.1), NUCLEUS[1] + np.array([-1, 0.5, 0])
    np.testing.assert_allclose(relate(traits, NUCLEUS)[:, 8:], [[0.5, -1, 0], [1, 0, 0.5], [1, 0, 0]])


@pytest.mark.parametrize(("region", "outline", "area"), [(0.6, 0.5, 64), (0.5, 0.6, 113)])
def test_the_better_of_a_region_and_an_outline_is_taken(region, outline, area):
    regions = np.zeros((40, 40), np.int32)
    regions[16:24, 16:24] = 1
    labels = combine(regions, np.array([region]), circle(20, 20, 6.0), np.array([outline]))
    assert labels.max() == 1
    assert (labels == 1).sum() == pytest.approx(area, abs=20 if area == 113 else 0)


def test_what_is_hardly_covered_keeps_the_rest():
    one, other = (vars(circle(x, 20, 6.0)) for x in (14, 24))
    outlines = Outlines(**{name: np.concatenate([one[name], other[name]]) for name in one})
    labels = combine(np.zeros((40, 40), np.int32), np.zeros(0), outlines, np.array([0.6, 0.5]))
    first, second = (labels == 1).sum(), (labels == 2).sum()
    assert first > second >= LEAST_FREE * first


def test_what_is_no_nucleus_is_left_out():
    regions = np.zeros((40, 40), np.int32)
    regions[2:8, 2:8] = 1
    found = combine(regions, np.array([LEAST_REGION]), circle(25, 25, 6.0), np.array([LEAST_OUTLINE]))
    assert found.max() == 0


def test_a_polygon_beyond_the_border_is_cut():
    place, inside = fill(*(axis[0] for axis in circle(0, 0, 6.0).points()), (40, 40))
    assert place == (slice(0, 7), slice(0, 7))
    assert inside[0, 0]
    assert not inside[6, 6]


def test_a_pale_nucleus_with_a_broken_rim_is_found():
    image, truth = vesicular(40)
    image[truth > 0] = np.minimum(image[truth > 0], (190, 150, 205))
    labels = segment(image, 0.5)
    assert labels.max() == 1
    assert overlap(labels, truth, 1) > 0.7
