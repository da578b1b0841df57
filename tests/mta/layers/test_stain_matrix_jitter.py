"""The layers compute what the array functions of `data_prep.stain` compute."""

import numpy as np
import pytest

from data_prep.stain import HED, Macenko, draw_jitter, jitter_stains
from mta.layers import HEDJitter, StainMatrixJitter
from tests.mta.layers.augmenting import augmented, check_augmentation, images

LAYERS = {
    "published": (StainMatrixJitter(), Macenko().target().matrix),
    "given": (StainMatrixJitter([[2.0, 0.1], [1.0, 0.9], [0.5, 0.3]]), np.array([[2.0, 0.1], [1.0, 0.9], [0.5, 0.3]])),
    "HED": (HEDJitter(), HED),
}


@pytest.mark.parametrize("cls", [StainMatrixJitter, HEDJitter])
def test_contract(cls, tmp_path):
    check_augmentation(cls, tmp_path, sigma=0.1)


@pytest.mark.parametrize("sigma", [0.05, 0.2, 0.9])
@pytest.mark.parametrize("name", LAYERS)
def test_equal_to_the_array_function_but_for_its_rounding(name, sigma):
    layer, matrix = LAYERS[name]
    batch = images(8, 32)
    scales, shifts = draw_jitter(np.random.default_rng(1), 8, matrix.shape[1], sigma)
    result = np.asarray(layer.transform(batch.astype("float32"), scales, shifts))
    expected = jitter_stains(batch, matrix, scales, shifts)
    np.testing.assert_allclose(result, expected, atol=0.501)
    clear = np.abs(result % 1 - 0.5) > 1e-3  # float rounding decides what lies half-way between two levels
    assert clear.mean() > 0.99
    np.testing.assert_array_equal(np.rint(result)[clear], expected[clear])


@pytest.mark.parametrize("name", LAYERS)
def test_no_jitter_changes_nothing_and_white_stays_white(name):
    layer, matrix = LAYERS[name]
    stains = matrix.shape[1]
    batch = images(3).astype("float32")
    same = layer.transform(batch, np.ones((3, stains)), np.zeros((3, stains)))
    np.testing.assert_allclose(same, batch, atol=2e-3)
    white = np.full((2, 4, 4, 3), 255.0, "float32")
    np.testing.assert_allclose(layer.transform(white, *layer.draw(2)), white, atol=2e-3)


@pytest.mark.parametrize("cls", [StainMatrixJitter, HEDJitter])
def test_draws_are_uniform_about_the_identity(cls):
    layer = cls(sigma=0.2, seed=1)
    scales, shifts = (np.asarray(values) for values in layer.draw(20_000))
    assert scales.shape == shifts.shape == (20_000, 2 if cls is StainMatrixJitter else 3)
    for values, centre in ((scales, 1), (shifts, 0)):
        assert np.abs(values - centre).max() <= 0.2 + 1e-6
        np.testing.assert_allclose(values.mean(axis=0), centre, atol=0.004)
        np.testing.assert_allclose(values.std(axis=0), 0.2 / np.sqrt(3), rtol=0.03)
    assert abs(np.corrcoef(scales[:, 0], shifts[:, 0])[0, 1]) < 0.03
    tissue = np.full((2000, 2, 2, 3), (180, 110, 160), "uint8")
    np.testing.assert_allclose(augmented(layer, tissue).mean(axis=(0, 1, 2)), (180, 110, 160), atol=3)


def test_a_seed_that_stands_for_chance_differs_each_time():
    batch = images()
    assert (augmented(HEDJitter(), batch) != augmented(HEDJitter(), batch)).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sigma": 1.0}, "sigma must be from 0 to below 1"),
        ({"sigma": float("nan")}, "sigma must be"),
        ({"matrix": [[1.0, 2.0], [1.0, 2.0]]}, "of 3 rows"),
        ({"matrix": [[1.0], [float("inf")], [1.0]]}, "finite"),
        ({"matrix": [[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]}, "must differ"),
    ],
)
def test_refuses_what_is_no_strength_or_no_stains(arguments, message):
    with pytest.raises(ValueError, match=message):
        StainMatrixJitter(**arguments)
