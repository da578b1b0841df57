from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.synthetic import CONCEPTS, Block, SyntheticSpec, contact_sheet, plan_rows, synthesize
from data_prep.synthetic.generate import concepts_of

SMALL = SyntheticSpec(patches=70, patients=15, size=64)


@pytest.fixture(scope="module")
def blocks() -> list[Block]:
    return list(synthesize(SMALL))


def joined(blocks: list[Block], name: str) -> np.ndarray:
    return np.concatenate([getattr(block, name) for block in blocks])


def test_blocks_follow_the_row_table(blocks) -> None:
    assert [len(block.patches) for block in blocks] == [32, 32, 6]
    pd.testing.assert_frame_equal(pd.concat([block.rows for block in blocks]), plan_rows(SMALL))
    assert joined(blocks, "patches").shape == (70, 64, 64, 3)
    assert joined(blocks, "patches").dtype == np.uint8
    assert joined(blocks, "masks").dtype == np.uint16


def test_same_seed_same_bytes(blocks) -> None:
    again = list(synthesize(SMALL))
    assert joined(again, "patches").tobytes() == joined(blocks, "patches").tobytes()
    assert joined(again, "masks").tobytes() == joined(blocks, "masks").tobytes()
    pd.testing.assert_frame_equal(again[1].concepts, blocks[1].concepts)


def test_another_seed_other_patches(blocks) -> None:
    other = next(synthesize(replace(SMALL, seed=1)))
    assert (other.patches != blocks[0].patches).mean() > 0.8


def test_concepts_are_what_the_masks_hold(blocks) -> None:
    masks, concepts = joined(blocks, "masks"), pd.concat([block.concepts for block in blocks])
    assert list(concepts) == list(CONCEPTS)
    for mask, concept in zip(masks, concepts.itertuples(), strict=True):
        labels, pixels = np.unique(mask[mask > 0], return_counts=True)
        np.testing.assert_array_equal(labels, np.arange(1, len(labels) + 1))
        assert concept.ncount == len(labels)
        assert concept.narea == pytest.approx(pixels.mean())
        assert concept.narea_um2 == pytest.approx(pixels.mean() * 0.25)


def test_nuclei_are_darker_than_what_surrounds_them(blocks) -> None:
    patches, masks = joined(blocks, "patches").mean(axis=-1), joined(blocks, "masks")
    darker = [patch[mask > 0].mean() + 20 < patch[mask == 0].mean() for patch, mask in zip(patches, masks, strict=True)]
    assert np.mean(darker) > 0.95


def test_tumor_nuclei_are_larger_and_coarser() -> None:
    blocks = list(synthesize(replace(SMALL, patches=150, difficulty=0.2)))
    concepts, rows = (pd.concat([getattr(block, name) for block in blocks]) for name in ("concepts", "rows"))
    normal, tumor = (concepts[rows["label"] == label].median() for label in (0, 1))
    assert tumor["narea_um2"] > 1.25 * normal["narea_um2"]
    assert tumor["ncount"] < normal["ncount"]
    assert tumor["texture"] > 1.2 * normal["texture"]
    assert tumor["chromatin_std"] > 1.1 * normal["chromatin_std"]


def test_lymphocytes_have_their_textbook_size() -> None:
    easy = replace(SMALL, patches=60, size=96, difficulty=0)
    blocks = list(synthesize(easy))
    concepts, rows = (pd.concat([getattr(block, name) for block in blocks]) for name in ("concepts", "rows"))
    diameter = 2 * np.sqrt(concepts.loc[rows["label"] == 0, "narea_um2"] / np.pi)
    assert 5.5 < diameter.median() < 8


@pytest.mark.parametrize(("size", "mpp"), [(96, 0.5), (192, 0.25)])
def test_nuclei_keep_their_physical_size(size, mpp) -> None:
    spec = SyntheticSpec(patches=30, patients=15, size=size, mpp=mpp)
    area = pd.concat([block.concepts for block in synthesize(spec)])["narea_um2"]
    assert area.median() == pytest.approx(38, rel=0.2)


@given(st.integers(0, 2**63 - 1), st.floats(0, 1), st.sampled_from([(16, 0.1), (33, 1.0), (24, 4.0)]))
@settings(deadline=None, max_examples=6)
def test_any_specification_gives_sound_patches(seed, difficulty, scale) -> None:
    size, mpp = scale
    block = next(synthesize(SyntheticSpec(30, 15, size, mpp, 0.5, difficulty, seed)))
    assert block.patches.shape == (30, size, size, 3)
    counts = block.masks.max(axis=(1, 2))
    np.testing.assert_array_equal(block.concepts["ncount"], counts)
    assert block.concepts["narea"].isna().eq(counts == 0).all()


def test_without_nuclei_only_the_count_is_known() -> None:
    values = concepts_of(np.zeros((8, 8), np.uint16), np.ones((8, 8)), np.zeros(0), 0.5)
    assert values[0] == 0
    assert np.isnan(values[1:]).all()


def test_concepts_of_a_known_mask() -> None:
    mask = np.uint16([[1, 1, 0], [2, 0, 0]])
    density = np.array([[1.0, 3.0, 9], [5.0, 9, 9]])
    assert concepts_of(mask, density, np.array([0.2, 0.4]), 0.5) == pytest.approx((2, 1.5, 0.375, 0.3, 0.5))


def test_contact_sheet_shows_each_centre() -> None:
    sheet = contact_sheet(SMALL)
    assert sheet.shape == (5 * 68, 8 * 68 + 8, 3)
    assert (sheet[:2] == 255).all()
    rows = sheet[: 5 * 68].reshape(5, 68, -1, 3)
    assert (rows.std(axis=(1, 2, 3)) > 20).all()
