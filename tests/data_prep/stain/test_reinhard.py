import json

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from data_prep.errors import InputError
from data_prep.stain import Reinhard, statistics

TARGET = Reinhard.from_statistics([64, 38, -5], [17, 10, 13])


@pytest.fixture(scope="module")
def golden(shared):
    with np.load(shared / "golden" / "original_stain.npz") as file:
        return dict(file)


def test_golden_fit(golden) -> None:
    fitted = Reinhard().fit(golden["reference"])
    np.testing.assert_allclose(fitted.means, golden["target_means"], atol=1e-4)
    np.testing.assert_allclose(fitted.stds, golden["target_stds"], atol=1e-4)


def test_golden_transform(golden) -> None:
    fitted = Reinhard().fit(golden["reference"])
    numbers = [key.split("/")[0] for key in golden if key.endswith("/image")]
    assert len(numbers) >= 5
    for number in numbers:
        normalized, flag = fitted.transform(golden[f"{number}/image"], return_flags=True)
        difference = np.abs(normalized.astype(int) - golden[f"{number}/reinhard"])
        assert not flag
        assert (difference <= 1).mean() >= 0.99
        assert difference.max() <= 3


def original_split(patch: np.ndarray) -> list[np.ndarray]:
    """The brightness-standardized patch in scaled LAB, by float operations on every pixel."""
    lab = cv2.cvtColor(patch, cv2.COLOR_RGB2LAB)
    light = lab[..., 0].astype(float)
    lab[..., 0] = np.clip(255 * light / np.percentile(light, 95), 0, 255).astype(np.uint8)
    again = cv2.cvtColor(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), cv2.COLOR_RGB2LAB).astype(np.float32)
    return [again[..., 0] / 2.55, again[..., 1] - 128, again[..., 2] - 128]


@pytest.mark.parametrize("target", [TARGET, Reinhard.from_statistics([71.7, 35.7, -13.6], [13.9, 11.8, 9.0])])
def test_tables_equal_the_operations_on_every_pixel(patches, target) -> None:
    for patch in patches:
        moved = [
            (channel - channel.mean(dtype=float)) * (target_std / channel.std(dtype=float)) + target_mean
            for channel, target_mean, target_std in zip(original_split(patch), target.means, target.stds, strict=True)
        ]
        lab = np.dstack([moved[0] * 2.55, moved[1] + 128, moved[2] + 128]).clip(0, 255).astype(np.uint8)
        np.testing.assert_array_equal(target.transform(patch), cv2.cvtColor(lab, cv2.COLOR_LAB2RGB))


def test_result_has_the_statistics_of_the_target(patches) -> None:
    mild = Reinhard.from_statistics([60, 10, -10], [8, 4, 4])
    normalized = mild.transform(patches)
    lab = np.array([cv2.cvtColor(patch, cv2.COLOR_RGB2LAB) for patch in normalized], dtype=float)
    means = (lab.mean(axis=(1, 2)) - [0, 128, 128]) / [2.55, 1, 1]
    stds = lab.std(axis=(1, 2)) / [2.55, 1, 1]
    np.testing.assert_allclose(means, np.tile(mild.means, (5, 1)), atol=0.8)  # truncation costs half a level
    np.testing.assert_allclose(stds, np.tile(mild.stds, (5, 1)), atol=0.5)


def test_batch_equals_single_patches(patches) -> None:
    many = np.concatenate([patches] * 9)
    batch, flags = TARGET.transform(many, return_flags=True)
    assert batch.shape == many.shape
    assert batch.dtype == np.uint8
    assert flags.shape == (45,)
    assert not flags.any()
    for patch, expected in zip(many, batch, strict=True):
        np.testing.assert_array_equal(TARGET.transform(patch), expected)


@pytest.mark.parametrize(
    "patch",
    [
        np.zeros((8, 8, 3), np.uint8),
        np.full((8, 8, 3), 255, np.uint8),
        np.full((8, 8, 3), (200, 120, 180), np.uint8),
        np.full((1, 1, 3), 90, np.uint8),
        np.random.default_rng(0).integers(243, 246, (32, 32, 3), dtype=np.uint8),
    ],
    ids=["black", "white", "constant", "one pixel", "scanner noise"],
)
def test_blank_patches_come_back_unchanged_and_flagged(patch) -> None:
    normalized, flag = TARGET.transform(patch, return_flags=True)
    assert flag is True
    np.testing.assert_array_equal(normalized, patch)


def test_a_blank_patch_in_a_batch_leaves_the_others_alone(patches) -> None:
    mixed = patches.copy()
    mixed[2] = 255
    normalized, flags = TARGET.transform(mixed, return_flags=True)
    np.testing.assert_array_equal(flags, [False, False, True, False, False])
    np.testing.assert_array_equal(normalized[2], mixed[2])
    np.testing.assert_array_equal(normalized[3], TARGET.transform(patches[3]))


def test_an_empty_batch_stays_empty() -> None:
    normalized, flags = TARGET.transform(np.zeros((0, 8, 8, 3), np.uint8), return_flags=True)
    assert normalized.shape == (0, 8, 8, 3)
    assert flags.shape == (0,)


@given(arrays(np.uint8, st.tuples(st.integers(1, 3), st.integers(1, 8), st.integers(1, 8), st.just(3))))
@settings(deadline=None)
def test_any_pixels_are_accepted_and_input_is_not_changed(batch: np.ndarray) -> None:
    before = batch.copy()
    normalized, flags = TARGET.transform(batch, return_flags=True)
    assert normalized.shape == batch.shape
    np.testing.assert_array_equal(normalized[flags], before[flags])
    np.testing.assert_array_equal(batch, before)


def test_median_statistics_make_a_reference(patches) -> None:
    means, stds = statistics(patches)
    target = Reinhard.from_statistics(np.median(means, axis=0), np.median(stds, axis=0))
    np.testing.assert_array_equal(target.means, np.median(means, axis=0))
    assert target.transform(patches).shape == patches.shape


def test_saves_and_loads(tmp_path, patches) -> None:
    fitted = Reinhard().fit(patches[0])
    fitted.save(tmp_path / "stain.json")
    loaded = Reinhard.load(tmp_path / "stain.json")
    np.testing.assert_array_equal(loaded.transform(patches), fitted.transform(patches))
    np.testing.assert_array_equal([loaded.means, loaded.stds], [fitted.means, fitted.stds])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not a readable stain file"),
        ("[]", "does not describe a stain normalizer"),
        ('{"method": "macenko"}', "does not describe a Reinhard"),
        ('{"method": "reinhard", "means": [1, 2, 3]}', "not three numbers"),
        ('{"method": "reinhard", "means": [1, 2, 3], "stds": [1, 2]}', "not three numbers"),
        ('{"method": "reinhard", "means": [1, 2, "x"], "stds": [1, 2, 3]}', "not three numbers"),
        (f'{{"method": "reinhard", "means": [1, 2, 1{"0" * 400}], "stds": [1, 2, 3]}}', "too large"),
    ],
)
def test_damaged_files_are_refused(tmp_path, text, message) -> None:
    path = tmp_path / "stain.json"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        Reinhard.load(path)


def test_a_missing_file_is_refused(tmp_path) -> None:
    with pytest.raises(InputError, match="not a readable stain file"):
        Reinhard.load(tmp_path / "none.json")


def test_the_file_is_plain_json(tmp_path) -> None:
    TARGET.save(tmp_path / "stain.json")
    fields = json.loads((tmp_path / "stain.json").read_text())
    assert fields == {"method": "reinhard", "means": [64, 38, -5], "stds": [17, 10, 13]}


@pytest.mark.parametrize("stds", [[1, 0, 1], [1, -1, 1], [1, np.nan, 1], [1, 1]])
def test_useless_statistics_are_refused(stds) -> None:
    with pytest.raises(InputError, match="stain"):
        Reinhard.from_statistics([50, 0, 0], stds)


def test_a_blank_reference_is_refused() -> None:
    with pytest.raises(InputError, match="choose a patch that shows stained tissue"):
        Reinhard().fit(np.full((8, 8, 3), 240, np.uint8))


def test_a_batch_is_no_reference(patches) -> None:
    with pytest.raises(InputError, match="must be one patch"):
        Reinhard().fit(patches)


def test_transform_needs_a_reference(patches) -> None:
    with pytest.raises(InputError, match="call fit, from_statistics or load first"):
        Reinhard().transform(patches)
