from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.measure import regionprops

from data_prep.nuclei.choice import LEAST_QUALITY, Candidates, choose
from data_prep.nuclei.chromatin import chromatin
from data_prep.nuclei.levels import LEVELS, find_levels, foreground, terms_of
from data_prep.nuclei.quality import ellipticity
from data_prep.synthetic import SyntheticSpec, synthesize


@pytest.fixture(scope="module")
def maps():
    block = next(synthesize(SyntheticSpec(patches=16, patients=15, size=128, mpp=0.5)))
    return chromatin(block.patches[3], 0.5)


@pytest.fixture(scope="module")
def levels(maps):
    return find_levels(maps, terms_of(maps))


def test_the_levels_are_nested(maps, levels):
    for darker, lighter in pairwise(levels):
        assert (lighter.labels[darker.labels > 0] > 0).all()
        parents = darker.parents(lighter)
        for number in range(1, len(darker.sums) + 1):
            assert set(lighter.labels[darker.labels == number]) == {parents[number - 1] + 1}


def test_the_sums_are_those_of_the_pixels(maps, levels):
    for level in levels[::5]:
        assert len(level.sums) == level.labels.max()
        properties = regionprops(level.labels, maps.darkness)
        np.testing.assert_allclose(level.sums[:, 0], [p.area for p in properties])
        middles = np.array([p.centroid for p in properties])
        np.testing.assert_allclose(level.sums[:, [2, 1]] / level.sums[:, :1], middles)
        np.testing.assert_allclose(
            level.sums[:, 6] / level.sums[:, 0], [p.intensity_mean for p in properties], rtol=1e-5
        )
        spreads = [np.cov(p.coords.T, bias=True) + np.eye(2) / 12 for p in properties]
        ellipses = [4 * np.pi * np.sqrt(np.linalg.det(spread)) for spread in spreads]
        np.testing.assert_allclose(ellipticity(level.sums), level.sums[:, 0] / ellipses, rtol=1e-6)


def test_an_ellipse_has_the_ellipticity_of_one():
    y, x = (axis.astype(float) for axis in np.mgrid[:80, :80])
    for inside, expected in (
        ((x - 40) ** 2 / 900 + (y - 40) ** 2 / 200 < 1, 1.0),
        ((abs(x - 40) < 20) & (abs(y - 40) < 20), 3 / np.pi),
        ((x - 40) ** 2 + (y - 20) ** 2 < 200, 1.0),
    ):
        sums = np.array([[term[inside].sum() for term in (x**0, x, y, x * x, y * y, x * y)]])
        assert ellipticity(sums)[0] == pytest.approx(expected, abs=0.01)


def test_the_boundary_and_the_border(maps, levels):
    level = levels[8]
    mask = foreground(maps.darkness, LEVELS[8]) > 0
    inner = ndimage.binary_erosion(mask, ndimage.generate_binary_structure(2, 1), border_value=1)
    for number in (1, len(level.sums) // 2, len(level.sums)):
        own = level.labels == number
        assert level.slope[number - 1] == pytest.approx(maps.edge[own & ~inner].mean(), rel=1e-5)
        sides = own[0].sum() + own[-1].sum() + own[:, 0].sum() + own[:, -1].sum()
        assert level.touching[number - 1] == sides


def nested(draw_branches):
    """Levels of a line of pixels: each region is split in up to three from level to level."""
    labels = [np.arange(1, 13)]
    for width in draw_branches:
        labels.append((labels[-1] - 1) // width + 1)
    return [np.array(line, np.int32)[None] for line in labels], [
        np.array([b[list(a).index(n)] - 1 for n in range(1, a.max() + 1)]) for a, b in pairwise(labels)
    ]


def candidates(levels, qualities, parents):
    last = np.zeros(len(qualities[-1]), int)
    return [Candidates(*level) for level in zip(levels, qualities, [*parents, last], strict=True)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(2, 3), min_size=1, max_size=2), st.data())
def test_the_choice_is_the_best_of_all_choices(branches, data):
    levels, parents = nested(branches)
    qualities = [
        np.array(data.draw(st.lists(st.floats(0, 1), min_size=n, max_size=n)))
        for n in (int(level.max()) for level in levels)
    ]
    found, quality = choose(candidates(levels, qualities, parents))
    labels = found[0]
    regions = [
        (frozenset(np.flatnonzero(level[0] == number)), value - LEAST_QUALITY)
        for level, of_level in zip(levels, qualities, strict=True)
        for number, value in enumerate(of_level, start=1)
        if value > LEAST_QUALITY
    ]
    chosen = [frozenset(np.flatnonzero(labels == number)) for number in range(1, labels.max() + 1)]
    worth = dict.fromkeys(chosen, 0.0)
    for region, value in regions:
        if region in worth:
            worth[region] = max(worth[region], value)
    assert all(worth.values())
    assert sum(worth.values()) == pytest.approx(best(regions), abs=1e-9)
    np.testing.assert_allclose(quality - LEAST_QUALITY, list(worth.values()))


def best(regions):
    """The largest sum over sets of regions that do not overlap, largest regions first, each taken or not."""
    if not regions:
        return 0.0
    (region, value), *rest = sorted(regions, key=lambda pair: -len(pair[0]))
    inside = [pair for pair in rest if pair[0] <= region]
    outside = [pair for pair in rest if not pair[0] & region]
    assert len(inside) + len(outside) == len(rest)
    return max(value, best(inside)) + best(outside)


def test_nothing_good_enough_is_nothing():
    levels, parents = nested([2])
    assert choose(candidates(levels, [np.full(12, LEAST_QUALITY), np.zeros(6)], parents))[0].max() == 0


def test_the_better_whole_hides_what_lies_in_it():
    levels, parents = nested([3])
    labels = choose(candidates(levels, [np.full(12, 0.5), np.full(4, 0.9)], parents))[0][0]
    np.testing.assert_array_equal(labels, np.repeat([1, 2, 3, 4], 3))
