import numpy as np
import pytest

from data_prep.nuclei import contact_sheet, draw_contours
from tests.data_prep.nuclei.samples import disks


def test_the_line_runs_around_each_nucleus():
    image, labels = disks([(30, 30), (60, 62)], 10)
    drawn = draw_contours(image, labels, zoom=3)
    assert drawn.shape == (288, 288, 3)
    changed = (drawn != draw_contours(image, np.zeros_like(labels), zoom=3)).any(axis=2)
    y, x = np.nonzero(changed)
    distance = np.minimum(np.hypot(x / 3 - 30, y / 3 - 30), np.hypot(x / 3 - 60, y / 3 - 62))
    assert len(x) > 2 * 2 * np.pi * 30
    assert (abs(distance - 10) < 2).all()


def test_touching_nuclei_have_a_line_between():
    labels = np.zeros((20, 20), np.int32)
    labels[5:15, 4:10], labels[5:15, 10:16] = 1, 2
    image = np.full((20, 20, 3), 200, np.uint8)
    drawn = draw_contours(image, labels, zoom=4)
    changed = (drawn != 200).any(axis=2)
    assert changed[40, 36:44].any()
    assert not changed[40, 24:32].any()


def test_a_patch_without_nuclei_is_only_enlarged():
    image = np.full((8, 8, 3), 77, np.uint8)
    np.testing.assert_array_equal(draw_contours(image, np.zeros((8, 8), int), zoom=2), np.full((16, 16, 3), 77))


def test_the_sheet_has_a_place_for_every_patch():
    images = np.full((5, 10, 12, 3), 50, np.uint8)
    sheet = contact_sheet(images, np.zeros((5, 10, 12), int), columns=3, zoom=2)
    assert sheet.shape == (2 * 28, 3 * 32, 3)
    assert (sheet == 50).all(axis=2).sum() == 5 * 20 * 24
    assert (sheet[-28:, -32:] == 255).all()


@pytest.mark.parametrize(("side", "columns"), [(128, 6), (224, 4), (2000, 1)])
def test_a_sheet_has_as_many_columns_as_fit(side, columns):
    sheet = contact_sheet(np.zeros((6, side, side, 3), np.uint8), np.zeros((6, side, side), int))
    assert sheet.shape[1] == columns * (2 * side + 8)
