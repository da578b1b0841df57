from pathlib import Path
from types import SimpleNamespace

import pytest

from data_prep.errors import InputError
from data_prep.slides import require_resolution
from data_prep.slides.resolution import decide_mpp, pixel_size

PATH = Path("a.svs")


@pytest.mark.parametrize(
    ("x", "y", "mpp"),
    [
        (0.25, 0.25, 0.25),
        (0.2525, 0.2501, 0.2513),
        (0.5, None, 0.5),
        (None, 0.5, 0.5),
        (None, None, None),
        (0.0, 0.0, None),
        (352.8, 352.8, None),  # 72 dots an inch: no microscope
        (84.7, 84.7, None),
        (float("nan"), float("nan"), None),
        (float("inf"), 0.5, None),
        (-0.25, -0.25, None),
    ],
)
def test_the_scale_in_a_file_is_that_of_a_microscope_or_none(x, y, mpp):
    assert pixel_size(PATH, x, y) == (None if mpp is None else pytest.approx(mpp, rel=1e-12))


def test_pixels_that_are_not_square_are_refused():
    with pytest.raises(InputError, match=r"a\.svs: pixels of 0.25 x 0.5 um are not square"):
        pixel_size(PATH, 0.25, 0.5)


def test_what_is_given_goes_before_what_is_found():
    assert decide_mpp(PATH, 0.3, 0.25) == 0.3
    assert decide_mpp(PATH, None, 0.25) == 0.25


def test_an_unknown_scale_is_never_guessed():
    with pytest.raises(InputError, match=r"does not say .* column mpp .* or --slide-mpp"):
        decide_mpp(PATH, None, None)


@pytest.mark.parametrize("given", [0.0, -1.0, float("nan"), float("inf"), 250.0])
def test_a_given_scale_must_be_one(given):
    with pytest.raises(InputError, match="no scale of a slide"):
        decide_mpp(PATH, given, 0.25)


def test_finer_than_level_0_is_refused_unless_allowed():
    slide = SimpleNamespace(path=PATH, mpp=0.5)
    for fine_enough in (0.5, 0.497, 1.0):
        require_resolution(slide, fine_enough)
    require_resolution(slide, 0.25, allow_upsampling=True)
    with pytest.raises(InputError, match=r"has 0.5 um a pixel, coarser than the 0.25 asked for; .*--allow-upsampling"):
        require_resolution(slide, 0.25)
