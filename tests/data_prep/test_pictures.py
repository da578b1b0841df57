import cv2
import numpy as np
import pytest

from data_prep.errors import InputError
from data_prep.pictures import require_png, write_png


def test_colors_stay_what_they_are(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    write_png(tmp_path / "a.png", picture)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "a.png"))[..., ::-1], picture)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_place_for_a_picture(tmp_path):
    require_png(None, "--overlay")
    require_png(tmp_path / "a.PNG", "--overlay")
    with pytest.raises(InputError, match=r"^--overlay .*a\.jpg: the picture is a PNG; end its name with \.png$"):
        require_png(tmp_path / "a.jpg", "--overlay")
    with pytest.raises(InputError, match="is a folder"):
        require_png(tmp_path, "--overlay")
