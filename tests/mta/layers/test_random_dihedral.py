"""Eight views of a square, each as often as any other."""

import keras
import numpy as np
import pytest

from mta.data.views import dihedral
from mta.layers import RandomDihedral
from tests.mta.layers.augmenting import augmented, check_augmentation, images


def test_contract(tmp_path):
    check_augmentation(RandomDihedral, tmp_path)


@pytest.mark.parametrize("side", [2, 7])
def test_the_views_are_those_of_the_array_function(side):
    batch, views = images(40, side), np.arange(40) % 8
    turned = RandomDihedral().transform(batch.astype("float32"), views)
    np.testing.assert_array_equal(turned, dihedral(batch, views))


def test_each_view_comes_up_equally_often():
    counts = np.bincount(np.asarray(RandomDihedral(seed=1).draw(80_000)[0]), minlength=8)
    assert len(counts) == 8
    assert np.abs(counts - 10_000).max() < 400  # more than four standard deviations of 94


def test_what_comes_out_is_a_view_of_what_went_in():
    batch = images(30)
    result = augmented(RandomDihedral(seed=2), batch)
    every = np.stack([dihedral(batch, np.full(30, view)) for view in range(8)])
    assert (every == result).all(axis=(2, 3, 4)).any(axis=0).all()


def test_oblong_images_are_refused():
    with pytest.raises(ValueError, match="must be square to be turned; received 4 x 5"):
        RandomDihedral()(keras.Input((4, 5, 3)))
