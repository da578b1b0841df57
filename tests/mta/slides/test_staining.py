"""The stain of a slide is normalized as that of the training patches was."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from data_prep.slides import open_slide
from data_prep.stain import Macenko, Reinhard
from data_prep.stain.reference import sample_rows, slide_stains
from mta.slides import staining
from mta.slides.grid import lay_grid
from mta.slides.settings import SlideSettings
from mta.slides.staining import UNFITTED, slide_normalization


@pytest.fixture
def slide(slide_path):
    with open_slide(slide_path) as slide:
        yield slide


@pytest.fixture
def grid(slide):
    return lay_grid(slide, 32, 0.5, SlideSettings())


@pytest.fixture
def patches(slide, grid):
    return np.stack([slide.read(x, y, 32, 0.5) for x, y in grid.places.tolist()])


def a_predictor(normalizer, by_slide=False):
    return SimpleNamespace(normalizer=normalizer, fitted_by_slide=by_slide)


def test_without_normalization_patches_stay(slide, grid, patches):
    normalize, note = slide_normalization(a_predictor(None), slide, grid)
    np.testing.assert_array_equal(normalize(patches), patches)
    assert note == ""


@pytest.mark.parametrize("method", [Reinhard, Macenko])
def test_patch_by_patch(slide, grid, patches, method):
    normalizer = method().fit(patches[40])
    normalize, note = slide_normalization(a_predictor(normalizer), slide, grid)
    np.testing.assert_array_equal(normalize(patches), normalizer.transform(patches))
    assert note == ""


def test_by_the_stains_of_the_slide_where_training_was(slide, grid, patches):
    normalizer = Macenko().fit(patches[40])
    normalize, note = slide_normalization(a_predictor(normalizer, by_slide=True), slide, grid)
    stains = slide_stains(normalizer, patches[sample_rows(np.arange(len(patches)), 0)])
    np.testing.assert_array_equal(normalize(patches), normalizer.transform(patches, source=stains))
    assert (normalize(patches) != normalizer.transform(patches)).any()
    assert note == ""


def test_a_slide_whose_stains_cannot_be_told_is_noted(slide, grid, patches, monkeypatch):
    normalizer = Macenko().fit(patches[40])
    monkeypatch.setattr(staining, "slide_stains", lambda *_: None)
    normalize, note = slide_normalization(a_predictor(normalizer, by_slide=True), slide, grid)
    np.testing.assert_array_equal(normalize(patches), normalizer.transform(patches))
    assert note == UNFITTED


def test_a_run_says_how_its_store_was_fitted(scaled_run, tmp_path):
    from mta.trained import load_run

    trained = load_run(scaled_run)
    assert not trained.fitted_by_slide
    trained.folder.path = tmp_path
    (tmp_path / "stain.json").write_text(json.dumps({"fit": "slide"}))
    assert trained.fitted_by_slide
