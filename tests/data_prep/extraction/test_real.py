"""Real slides: what is called tumor is tumor in the mask that other people drew."""

import numpy as np
import pytest
from PIL import Image

from data_prep.cohorts import slides_from_paths
from data_prep.extraction import ExtractionSettings, extract
from data_prep.slides import open_slide
from data_prep.store import open_patches


@pytest.mark.parametrize(("mpp", "size"), [(0.25, 224), (0.5, 112)])
@pytest.mark.parametrize("sampling", ["random", "grid"])
def test_labels_of_the_annotated_breast_agree_with_its_mask(shared, tmp_path, sampling, mpp, size):
    slide = shared / "data" / "slides" / "bcss_1019_pyramid.tif"
    with Image.open(shared / "data" / "bcss" / "1019_tumour_mask.png") as image:
        mask = np.asarray(image) > 0
    with open_slide(slide) as opened:
        assert mask.shape == opened.size[::-1]
    settings = ExtractionSettings(mpp=mpp, size=size, sampling=sampling, count=40 if sampling == "random" else None)
    extract(slides_from_paths([slide], slide.parent), settings, tmp_path / "s.h5")
    rows = open_patches(tmp_path / "s.h5").rows
    shares = np.array([mask[row.y : row.y + 224, row.x : row.x + 224].mean() for row in rows.itertuples()])
    tumor = (rows["label"] == 1).to_numpy()
    assert tumor.sum() >= 20
    assert (shares[tumor] >= 0.58).all()
    assert (shares[~tumor] <= 0.02).all()


def test_a_slide_without_annotation_gives_tissue(shared, tmp_path):
    slide = shared / "data" / "slides" / "CMU-1-Small-Region.svs"
    extract(slides_from_paths([slide]), ExtractionSettings(mpp=0.5, count=15), tmp_path / "s.h5")
    with open_patches(tmp_path / "s.h5") as patches:
        assert len(patches) == 15
        assert set(patches.rows["label"]) == {-1}
        assert (patches.read(0, 15) > 200).mean(axis=(1, 2, 3)).max() <= 0.35
