"""The original's rules: from a mask at 1:128, with its margins, its thick outlines and its coverage of tumor."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import shapely

from data_prep.sampling import UNLABELLED, Ground, generator_of, original_mask, original_places

SCALE = 128.0


def ground(tissue, tumor=None):
    annotated = None if tumor is None else original_mask(tumor, tissue.shape, SCALE)
    size = (tissue.shape[1] * 128, tissue.shape[0] * 128)
    return Ground(size, (0, 0), SCALE, tissue, annotated, tumor)


def drawn(field, kind, wanted=200, margin=None, seed=0, size=224, coverage=0.6):
    blocks = original_places(field, kind, size, coverage, margin, wanted, generator_of(seed, "a", kind))
    return np.concatenate([*islice(blocks, 5), np.zeros((0, 2), np.int64)])


def test_corners_are_mask_pixels_drawn_with_replacement():
    tissue = np.zeros((300, 100), bool)
    tissue[260:263, 60:64] = True
    corners = drawn(ground(tissue), UNLABELLED)
    assert len(corners) == 1000
    pixels = corners // 128
    assert (corners % 128 == 0).all()
    assert {tuple(pixel) for pixel in pixels} == {(x, y) for x in range(60, 64) for y in range(260, 263)}


def test_its_margin_leaves_out_the_first_250_rows_and_50_columns():
    tissue = np.ones((400, 200), bool)
    pixels = drawn(ground(tissue), UNLABELLED) // 128
    assert pixels.min(axis=0).tolist() == [50, 250]
    assert drawn(ground(tissue), UNLABELLED, margin=0).min() < 128
    assert drawn(ground(tissue), UNLABELLED, margin=1280).min() == 1280


def test_all_places_in_the_margin_end_in_nothing():
    """B-45: the original draws forever."""
    assert len(drawn(ground(np.ones((200, 200), bool)), UNLABELLED)) == 0


def test_normal_is_tissue_outside_of_the_outline_of_the_annotation():
    tissue = np.ones((40, 40), bool)
    field = ground(tissue, shapely.box(10 * 128, 10 * 128, 20 * 128, 20 * 128))
    tumor = {tuple(pixel) for pixel in drawn(field, "tumor", 2000, margin=0) // 128}
    normal = {tuple(pixel) for pixel in drawn(field, "normal", 2000, margin=0) // 128}
    assert not tumor & normal
    assert {(x, y) for x in range(9, 22) for y in range(9, 22)} >= tumor
    assert {(x, y) for x in range(10, 21) for y in range(10, 21)} <= tumor
    assert len(tumor) + len(normal) > 1580


def test_normal_patches_keep_off_what_is_left_aside():
    aside = shapely.box(25 * 128, 0, 30 * 128, 40 * 128)
    field = replace(ground(np.ones((40, 40), bool), shapely.box(0, 0, 128, 128)), aside=aside)
    corners = drawn(field, "normal", 2000, margin=0)
    boxes = shapely.box(*corners.T, *(corners.T + 224))
    assert not shapely.intersects(boxes, aside).any()
    assert {22, 31} <= set(corners[:, 0] // 128)
    assert shapely.intersects(shapely.box(*corners.T, *(corners.T + 256)), aside).any()


def test_exclusions_stay_out():
    hole = shapely.box(0, 0, 30 * 128, 30 * 128) - shapely.box(10 * 128, 10 * 128, 20 * 128, 20 * 128)
    mask = original_mask(hole, (40, 40), SCALE)
    assert mask[5, 5]
    assert not mask[15, 15]
    assert not mask[35, 35]
    assert not original_mask(shapely.Polygon(), (40, 40), SCALE).any()


def test_tissue_must_cover_a_patch_but_a_tumor_pixel_will_do():
    """B-23: with 512-pixel patches a window of 4 x 4 mask pixels is looked at."""
    tissue = np.zeros((40, 40), bool)
    tissue[:, :21] = True
    tumor = shapely.box(30 * 128, 10 * 128, 34 * 128, 30 * 128)
    field = ground(tissue, tumor)
    normal = drawn(field, "normal", 500, margin=0, size=512) // 128
    assert normal[:, 0].max() == 18  # three of four columns are tissue
    pixels = drawn(field, "tumor", 500, margin=0, size=512) // 128
    assert pixels[:, 0].max() == 35


@pytest.mark.parametrize("count", [3, 4])
def test_three_pixels_of_tissue_are_too_few(count):
    tissue = np.zeros((20, 20), bool)
    tissue[5, 5 : 5 + count] = True
    assert (len(drawn(ground(tissue), UNLABELLED, margin=0)) > 0) == (count > 3)
