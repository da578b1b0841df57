import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from data_prep.errors import InputError
from data_prep.stain import Macenko, Stains, Vahadane
from data_prep.stain.density import DENSITY, levels, percentile, tissue_pixels
from tests.data_prep.stain.hard import HARD, PENS, pen_marked, stained

METHODS = [Macenko, Vahadane]


def read(path) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def published(image: np.ndarray, reference: np.ndarray, peaks: np.ndarray) -> np.ndarray:
    """The published port, step by step, on every pixel."""
    density = -np.log((image.reshape(-1, 3).astype(float) + 1) / 240)
    tissue = density[~(density < 0.15).any(axis=1)]
    plane = np.linalg.eigh(np.cov(tissue.T))[1][:, 1:3]
    angles = np.arctan2(*(tissue @ plane).T[::-1])
    ends = [plane @ [np.cos(angle), np.sin(angle)] for angle in np.percentile(angles, [1, 99])]
    matrix = np.column_stack(sorted(ends, key=lambda stain: -stain[0]))
    amounts = np.linalg.lstsq(matrix, density.T, rcond=None)[0]
    scaled = amounts * (peaks / np.percentile(amounts, 99, axis=1))[:, None]
    light = 240 * np.exp(-reference @ scaled)
    light[light > 255] = 254
    return light.T.reshape(image.shape).astype(np.uint8)


def test_equals_the_reference_pair(shared) -> None:
    folder = shared / "data" / "stain"
    image = read(folder / "example1.png")
    np.testing.assert_array_equal(Macenko().transform(image), read(folder / "norm1.png"))
    hematoxylin, eosin = Macenko().separate(image)
    np.testing.assert_array_equal(eosin, read(folder / "norm1_E.png"))
    difference = np.abs(hematoxylin.astype(int) - read(folder / "norm1_H.png"))
    assert (difference > 0).sum() <= 51
    assert difference.max() <= 1


@pytest.mark.parametrize("seed", range(4))
def test_equals_the_published_steps(seed) -> None:
    image, target = stained((70, 90), seed), Macenko().target()
    np.testing.assert_array_equal(Macenko().transform(image), published(image, target.matrix, target.peaks))


def test_separated_stains_multiply_to_the_normalized_patch() -> None:
    image = stained()
    hematoxylin, eosin = (part.astype(float) + 0.5 for part in Macenko().separate(image))
    product = hematoxylin * eosin / 240
    shown = (hematoxylin < 254) & (eosin < 254)  # amounts below 0 would brighten, and are cut off
    assert shown.mean() > 0.5
    np.testing.assert_allclose(product[shown], (Macenko().transform(image) + 0.5)[shown], atol=1.5)


@given(arrays(np.float64, st.integers(1, 40), elements=st.floats(-9, 9)), st.sampled_from([0, 1, 50, 99, 100]))
def test_percentile_is_numpys(values, percent) -> None:
    assert percentile(values, percent) == pytest.approx(np.percentile(values, percent), abs=1e-12)


def test_tissue_is_what_takes_light_in_every_channel() -> None:
    image = np.array([[[205, 205, 205], [206, 10, 10], [0, 0, 0], [10, 10, 206], [100, 20, 205]]], np.uint8)
    np.testing.assert_array_equal(tissue_pixels(image), image[0, [0, 2, 4]])
    assert DENSITY[205] >= 0.15 > DENSITY[206]


def test_levels_truncate_and_end_at_254() -> None:
    exponents = np.log(np.array([[10.99, 254.99], [255.0, 9e9], [1e-9, 240]]) / 240)
    exponents[2, 1] = 0
    assert levels(exponents, (1, 2)).tolist() == [[[10, 254, 0], [254, 254, 240]]]


@pytest.mark.parametrize("kind", METHODS)
def test_the_stains_of_the_result_are_those_of_the_target(kind) -> None:
    target = kind().fit(stained(seed=5, matrix=((0.55, 0.2), (0.75, 0.85), (0.4, 0.5)), strength=(1, 0.6)))
    found = kind().fit(target.transform(stained(seed=1)))
    np.testing.assert_allclose(found.stains.matrix, target.stains.matrix, atol=0.03)
    np.testing.assert_allclose(found.stains.peaks, target.stains.peaks, rtol=0.05)


@pytest.mark.parametrize("kind", METHODS)
def test_normalizing_to_its_own_stains_changes_little(kind) -> None:
    image = stained()
    # Background is off the plane of the stains by the light of 240, and sparse amounts are a little too small.
    assert np.abs(kind().fit(image).transform(image).astype(int) - image).mean() < 5


@pytest.mark.parametrize("kind", METHODS)
def test_a_batch_equals_single_patches(kind) -> None:
    target = kind().fit(stained(seed=9))
    batch = np.stack([stained(seed=seed) for seed in range(3)] + [np.full((64, 64, 3), 255, np.uint8)])
    normalized, flags = target.transform(batch, return_flags=True)
    assert flags.tolist() == [False, False, False, True]
    for patch, expected in zip(batch, normalized, strict=True):
        np.testing.assert_array_equal(target.transform(patch), expected)
    parts = target.separate(batch)
    np.testing.assert_array_equal(parts[0][1], target.separate(batch[1])[0])


@pytest.mark.parametrize("source", [None, "slide"])
@pytest.mark.parametrize("kind", METHODS)
@pytest.mark.parametrize("name", HARD)
def test_patches_without_stain_come_back_unchanged_and_flagged(name, kind, source) -> None:
    target = kind().fit(stained())
    normalized, flag = target.transform(HARD[name], return_flags=True, source=target.stains if source else None)
    assert flag is True
    np.testing.assert_array_equal(normalized, HARD[name])
    for part in target.separate(HARD[name]):
        np.testing.assert_array_equal(part, HARD[name])


@pytest.mark.parametrize("kind", METHODS)
@pytest.mark.parametrize("pen", PENS)
def test_a_felt_pen_is_no_stain(pen, kind) -> None:
    marked = pen_marked(PENS[pen])
    normalized, flag = kind().fit(stained()).transform(marked, return_flags=True)
    assert flag is True
    np.testing.assert_array_equal(normalized, marked)


@pytest.mark.parametrize("kind", METHODS)
def test_a_marked_patch_is_normalized_with_the_stains_of_its_slide(kind) -> None:
    target, marked = kind().fit(stained(seed=3)), pen_marked(PENS["blue"])
    normalized, flag = target.transform(marked, return_flags=True, source=target.estimate(stained()))
    assert flag is False
    clean = target.transform(stained(), source=target.estimate(stained()))
    np.testing.assert_array_equal(normalized[:20], clean[:20])


@pytest.mark.parametrize("kind", METHODS)
def test_stains_of_a_slide_are_those_of_its_patches_together(kind) -> None:
    halves = np.stack([stained(seed=1), stained(seed=2)])
    together, apart = kind().fit(stained()).estimate(halves), kind().fit(stained()).estimate(np.concatenate(halves))
    np.testing.assert_array_equal(together.matrix, apart.matrix)
    assert kind().estimate(halves[:0]) is None


@pytest.mark.parametrize("kind", METHODS)
@given(arrays(np.uint8, st.tuples(st.integers(1, 3), st.integers(1, 8), st.integers(1, 8), st.just(3))))
@settings(deadline=None)
def test_any_pixels_are_accepted_and_input_is_not_changed(kind, batch) -> None:
    before = batch.copy()
    normalized, flags = kind.from_stains(Macenko().stains).transform(batch, return_flags=True)
    assert normalized.shape == batch.shape
    assert normalized.dtype == np.uint8
    np.testing.assert_array_equal(normalized[flags], before[flags])
    np.testing.assert_array_equal(batch, before)


@pytest.mark.parametrize("kind", METHODS)
def test_an_empty_batch_stays_empty(kind) -> None:
    normalized, flags = kind.from_stains(Macenko().stains).transform(np.zeros((0, 8, 8, 3), np.uint8), True)
    assert normalized.shape == (0, 8, 8, 3)
    assert flags.shape == (0,)


@pytest.mark.parametrize("kind", METHODS)
def test_saves_and_loads(kind, tmp_path) -> None:
    fitted = kind().fit(stained())
    fitted.save(tmp_path / "stain.json")
    loaded = kind.load(tmp_path / "stain.json")
    np.testing.assert_array_equal(loaded.transform(stained(seed=2)), fitted.transform(stained(seed=2)))


def test_vahadane_has_no_published_reference() -> None:
    with pytest.raises(InputError, match="call fit, from_stains or load first"):
        Vahadane().transform(stained())


@pytest.mark.parametrize("kind", METHODS)
@pytest.mark.parametrize("image", [HARD["white"], stained()[None]], ids=["blank", "a batch"])
def test_useless_references_are_refused(kind, image) -> None:
    with pytest.raises(InputError, match="stain reference"):
        kind().fit(image)


@pytest.mark.parametrize(
    ("matrix", "peaks"),
    [
        ([[0.6, 0.6], [0.7, 0.7], [0.4, 0.4]], [1, 1]),
        ([[0.6, 0.2], [0.7, 0.8], [0.4, np.nan]], [1, 1]),
        ([[0.6, 0.2], [0.7, 0.8], [0.4, 0.5]], [1, 0]),
        ([[0.6, 0], [0.7, 0], [0.4, 0]], [1, 1]),
        ([[0.6, 0.2], [0.7, 0.8]], [1, 1]),
    ],
)
def test_useless_stains_are_refused(matrix, peaks) -> None:
    with pytest.raises(InputError, match="stains"):
        Stains.of(matrix, peaks)


def test_the_median_of_stains_has_columns_of_length_one() -> None:
    several = [Macenko().fit(stained(seed=seed)).stains for seed in range(3)]
    median = Stains.median(several)
    np.testing.assert_allclose(np.linalg.norm(median.matrix, axis=0), 1)
    np.testing.assert_allclose(median.peaks, np.median([stains.peaks for stains in several], axis=0))
