"""The picture of a slide shows where the lines were drawn."""

import numpy as np
import shapely
from PIL import Image

from data_prep.extraction.preview import ANNOTATION, COLORS, write_preview
from data_prep.sampling import Ground
from data_prep.slides import open_slide


def test_the_annotation_is_drawn_as_finely_as_its_polygon(tmp_path):
    Image.new("RGB", (800, 800), (255, 255, 255)).save(tmp_path / "slide.png")
    triangle = shapely.Polygon([(100, 100), (700, 100), (100, 700)])
    coarse = np.zeros((8, 8), bool)
    ground = Ground((800, 800), (0, 0), 100.0, coarse, coarse, triangle)
    with open_slide(tmp_path / "slide.png", 0.5) as slide:
        overview = np.full((8, 8, 3), 255, np.uint8)
        write_preview(tmp_path / "p.png", slide, overview, ground, {"tumor": np.array([[500, 500]])}, 64)
    picture = np.asarray(Image.open(tmp_path / "p.png"))
    along = [picture[800 - x, x].max() for x in range(120, 680, 20)]
    assert picture.shape == (800, 800, 3)
    assert max(along) < 100, "the long side of the triangle, black all along"
    assert tuple(picture[100, 400]) == ANNOTATION
    assert tuple(picture[500, 532]) == COLORS["tumor"]
    assert (picture[300, 250] == 255).all(), "inside nothing is drawn"
