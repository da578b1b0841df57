"""Random and grid places: on the slide, of their class, never twice, the same for the same seed."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.sampling import UNLABELLED, Ground, generator_of, grid_places, random_places
from data_prep.sampling.places import Taken

SIDE = 40.0


def collected(blocks):
    return np.concatenate([*blocks, np.zeros((0, 2), np.int64)])


def rastered(geometry, shape, scale):
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return shapely.contains_xy(geometry, (columns + 0.5) * scale, (rows + 0.5) * scale)


def annotated(seed=0, scale=5.0):
    """A slide of 600 x 500 pixels, tissue left of x = 450, a tumor in it."""
    rng = np.random.default_rng(seed)
    tissue = np.zeros((100, 120), bool)
    tissue[:, :90] = rng.random((100, 90)) < 0.95
    tumor = shapely.Point(150, 250).buffer(100) - shapely.Point(150, 250).buffer(30)
    return Ground((600, 500), (0, 0), scale, tissue, rastered(tumor, tissue.shape, scale), tumor)


def overlaps(corners, side):
    gaps = np.abs(corners[:, None] - corners[None]).max(axis=2) + np.where(np.eye(len(corners)), side, 0)
    return (gaps < side).any()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.sampled_from(["normal", "tumor"]), st.floats(0.1, 1), st.integers(0, 60))
def test_random_places_are_of_their_class_and_apart(seed, kind, coverage, margin):
    ground = annotated(seed)
    corners = collected(random_places(ground, kind, SIDE, coverage, margin, generator_of(seed, "a", kind)))
    assert corners.dtype == np.int64
    assert not overlaps(corners, SIDE)
    assert (corners >= margin).all()
    assert (corners + SIDE <= np.array(ground.size) - margin).all()
    boxes = shapely.box(*corners.T, *(corners.T + SIDE))
    if kind == "tumor":
        assert (shapely.area(shapely.intersection(boxes, ground.tumor)) >= coverage * SIDE**2 - 1e-6).all()
    else:
        assert not shapely.intersects(boxes, ground.tumor).any()
        full = np.kron(ground.tissue, np.ones((5, 5)))
        shares = [full[y : y + 40, x : x + 40].mean() for x, y in corners]
        assert all(share >= coverage - 1e-9 for share in shares)


def test_a_plain_field_is_filled_as_far_as_chance_allows():
    """Random sequential packing of squares ends at 56 % of the area; on a bounded field somewhat more fit."""
    ground = Ground((2000, 2000), (0, 0), 5.0, np.ones((400, 400), bool))
    corners = collected(random_places(ground, UNLABELLED, SIDE, 0.6, 0, np.random.default_rng(0)))
    assert 0.5 < len(corners) * SIDE**2 / 2000**2 < 0.65


def test_a_slide_as_large_as_a_patch_has_one_place():
    ground = Ground((40, 40), (0, 0), 5.0, np.ones((8, 8), bool))
    corners = collected(random_places(ground, UNLABELLED, SIDE, 0.6, 0, np.random.default_rng(0)))
    assert corners.tolist() == [[0, 0]]


def test_the_first_places_do_not_depend_on_how_many_are_wanted():
    ground = annotated()
    first = next(iter(random_places(ground, "normal", SIDE, 0.6, 0, generator_of(3, "a", "normal"))))
    every = collected(random_places(ground, "normal", SIDE, 0.6, 0, generator_of(3, "a", "normal")))
    np.testing.assert_array_equal(every[: len(first)], first)


def test_seed_slide_and_class_each_change_the_draw():
    draws = {key: generator_of(*key).random() for key in [(0, "a", "n"), (1, "a", "n"), (0, "b", "n"), (0, "a", "t")]}
    assert len(set(draws.values())) == 4
    assert generator_of(0, "a", "n").random() == draws[0, "a", "n"]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(1, 9), st.floats(2, 40))
def test_taken_agrees_with_comparing_all_pairs(seed, scale, side):
    rng = np.random.default_rng(seed)
    corners = rng.integers(0, 100, (60, 2))
    cells = (corners[:, ::-1] / scale).astype(int)
    taken, kept = Taken((200, 200), scale, side), []
    for corner, cell in zip(corners, cells, strict=True):
        free = all(np.abs(other - corner).max() >= side for other in kept)
        assert taken.free(cell[None])[0] >= free
        assert taken.take(corner) == free
        kept += [corner] if free else []


def test_a_grid_covers_every_tissue_pixel_once():
    ground = Ground((640, 480), (0, 0), 4.0, np.ones((120, 160), bool))
    corners = collected(grid_places(ground, UNLABELLED, 40, 0.6, 0, 40))
    seen = np.zeros((480, 640), int)
    for x, y in corners:
        seen[y : y + 40, x : x + 40] += 1
    assert (seen == 1).all()


def test_a_grid_begins_at_the_scanned_corner_and_keeps_its_margin():
    ground = Ground((640, 480), (100, 60), 4.0, np.ones((120, 160), bool))
    corners = collected(grid_places(ground, UNLABELLED, 50.4, 0.6, 10, 25.2))
    assert corners.min(axis=0).tolist() == [110, 70]
    assert sorted(set(corners[:, 0]))[:4] == [110, 135, 160, 186]
    assert (corners + 50.4 <= np.array([630, 470])).all()
    assert len(np.unique(corners, axis=0)) == len(corners)


def test_a_grid_leaves_out_what_is_of_no_class():
    ground = annotated()
    normal, tumor = (collected(grid_places(ground, kind, 40, 0.6, 0, 20)) for kind in ("normal", "tumor"))
    assert len(normal) > 50
    assert len(tumor) > 10
    assert not set(map(tuple, normal)) & set(map(tuple, tumor))
    boxes = shapely.box(*tumor.T, *(tumor.T + 40))
    assert (shapely.area(shapely.intersection(boxes, ground.tumor)) >= 0.6 * 1600).all()
    # Nothing with enough tumor was missed by the coarse mask.
    steps = np.stack(np.meshgrid(np.arange(0, 561, 20), np.arange(0, 461, 20)), axis=-1).reshape(-1, 2)
    shares = shapely.area(shapely.intersection(shapely.box(*steps.T, *(steps.T + 40)), ground.tumor)) / 1600
    assert len(tumor) == np.count_nonzero(shares >= 0.6)


@pytest.mark.parametrize("kind", ["normal", "tumor", UNLABELLED])
def test_nothing_comes_of_nothing(kind):
    empty = Ground((600, 500), (0, 0), 5.0, np.zeros((100, 120), bool), np.zeros((100, 120), bool), shapely.Polygon())
    assert list(random_places(empty, kind, SIDE, 0.6, 0, np.random.default_rng(0))) == []
    assert list(grid_places(empty, kind, SIDE, 0.6, 0, SIDE)) == []
    small = Ground((30, 30), (0, 0), 5.0, np.ones((6, 6), bool))
    assert list(random_places(small, UNLABELLED, SIDE, 0.6, 0, np.random.default_rng(0))) == []
    assert list(grid_places(small, UNLABELLED, SIDE, 0.6, 0, SIDE)) == []


def test_a_lesion_smaller_than_a_patch_is_found_by_its_area():
    """35 x 35 pixels are 77 % of a patch; the coarse mask finds the candidates, the geometry decides."""
    tumor = shapely.box(101, 101, 136, 136)
    tissue = np.ones((80, 80), bool)
    ground = Ground((400, 400), (0, 0), 5.0, tissue, rastered(tumor, tissue.shape, 5.0), tumor)
    [corner] = collected(random_places(ground, "tumor", SIDE, 0.7, 0, np.random.default_rng(0)))
    assert shapely.box(*corner, *(corner + SIDE)).intersection(tumor).area >= 0.7 * 1600
    assert list(random_places(ground, "tumor", SIDE, 0.8, 0, np.random.default_rng(0))) == []
