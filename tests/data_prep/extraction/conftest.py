from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data_prep.cohorts import SlideEntry
from data_prep.extraction import ExtractionSettings
from data_prep.synthetic.slides import synthesize_slides

SETTINGS = ExtractionSettings(mpp=0.5, size=64, count=12)


@pytest.fixture(scope="session")
def table(tmp_path_factory) -> Path:
    """Three synthetic slides of two patients: two with metastases, one without."""
    return synthesize_slides(tmp_path_factory.mktemp("slides"), slides=3, patients=2, side=640)


@pytest.fixture
def painted(tmp_path):
    """Makes a plain image of 500 x 400 pixels at 0.5 um/px, tissue in its middle, as a slide without annotation."""

    def paint(name="a", tissue=150, glass=245, **values) -> SlideEntry:
        image = np.full((400, 500, 3), glass, np.uint8)
        noise = np.random.default_rng(len(name)).integers(-30, 31, (300, 400, 3))
        image[50:350, 50:450] = np.clip(tissue + noise, 0, 255)
        Image.fromarray(image).save(tmp_path / f"{name}.png")
        return SlideEntry(tmp_path / f"{name}.png", name, **({"mpp": 0.5} | values))

    return paint
