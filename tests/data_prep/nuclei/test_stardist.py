import sys
from types import ModuleType

import numpy as np
import pytest

from data_prep.errors import InputError
from data_prep.nuclei import make_segmenter
from data_prep.nuclei.stardist import _load
from data_prep.store import make_rows

PATCHES = np.random.default_rng(0).integers(60, 200, (2, 12, 16, 3), dtype=np.uint8)


class StubModel:
    """Stands for `StarDist2D`: two nuclei, left and right, numbered with a gap; keeps what it was given."""

    given: list = []  # noqa: RUF012

    def __init__(self, config, name, basedir):
        print("Loading network weights")  # noqa: T201
        if config is not None or name == "broken":
            raise ValueError("no weights")
        self.place = f"{basedir}/{name}"

    def predict_instances(self, image, verbose):
        self.given.append(image)
        labels = np.zeros(image.shape[:2], np.int64)
        labels[1:-1, : labels.shape[1] // 4] = 3
        labels[1:-1, -labels.shape[1] // 4 :] = 7
        return labels, {"prob": [0.9, 0.8]}


@pytest.fixture
def package(monkeypatch):
    models = ModuleType("stardist.models")
    models.StarDist2D = StubModel
    monkeypatch.setitem(sys.modules, "stardist", ModuleType("stardist"))
    monkeypatch.setitem(sys.modules, "stardist.models", models)
    StubModel.given = []
    _load.cache_clear()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    return tmp_path / "model"


@pytest.mark.usefixtures("package")
def test_instances_become_labels(folder, capsys):
    labels = make_segmenter(f"stardist:{folder}")(PATCHES, make_rows(2))
    assert labels.dtype == np.int32
    assert labels.shape == (2, 12, 16)
    np.testing.assert_array_equal(np.unique(labels), [0, 1, 2])
    assert (labels[:, 1:-1, :4] == 1).all()
    assert (labels[:, 1:-1, -4:] == 2).all()
    assert capsys.readouterr().out == ""
    low, high = np.percentile(PATCHES[1], (1, 99.8))
    np.testing.assert_allclose(StubModel.given[1], (PATCHES[1] - low) / (high - low))


@pytest.mark.usefixtures("package")
def test_patches_are_brought_to_the_resolution_of_the_model(folder):
    segmenter = make_segmenter(f"stardist:{folder}@0.5")
    labels = segmenter(PATCHES, make_rows(2, {"mpp": [0.25, 0.5]}))
    assert [image.shape for image in StubModel.given] == [(6, 8, 3), (12, 16, 3)]
    assert (labels[0, 2:-2, :4] == 1).all()
    assert labels.shape == (2, 12, 16)
    with pytest.raises(InputError, match="have no mpp"):
        segmenter(PATCHES, make_rows(2))


@pytest.mark.usefixtures("package")
def test_a_blank_patch_is_no_division_by_zero(folder):
    make_segmenter(f"stardist:{folder}")(np.full((1, 8, 8, 3), 255, np.uint8), make_rows(1))
    np.testing.assert_array_equal(StubModel.given[0], np.zeros((8, 8, 3)))


@pytest.mark.usefixtures("package")
def test_folders_without_a_model(tmp_path, folder):
    with pytest.raises(InputError, match="no such folder"):
        make_segmenter(f"stardist:{tmp_path / 'missing'}")
    with pytest.raises(InputError, match="for want of config"):
        make_segmenter(f"stardist:{tmp_path}")
    broken = folder.rename(folder.with_name("broken"))
    with pytest.raises(InputError, match=r"can be loaded \(no weights\)"):
        make_segmenter(f"stardist:{broken}")(PATCHES, make_rows(2))


def test_the_missing_package_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "stardist.models", None)
    with pytest.raises(InputError, match="pip install stardist"):
        make_segmenter(f"stardist:{folder}")
