"""Whole slides from end to end: what is written."""

import json

import h5py
import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image

from data_prep.annotations import read_annotation
from data_prep.slides import open_slide
from data_prep.store import make_rows, write_store
from mta.predict import predict
from mta.slides import SlideSettings, predict_slides, task
from mta.slides.grid import lay_grid
from tests.mta.slides.conftest import OVERLAPPING
from tests.mta.slides.samples import FILES, digests, section

pytestmark = pytest.mark.usefixtures("hastened")


def test_every_file_is_there_and_nothing_else(done):
    out, table = done
    assert table["status"].tolist() == ["done", "done"]
    assert set(digests(out)) == {"summary.csv", *(f"{name}/{file}" for name in "ab" for file in FILES)}


def test_patches_are_predicted_as_in_a_store_of_them(scaled_run, slides, tmp_path):
    """The same squares cut into a store go through `predict`: reading, stain, model and units are the same."""
    predict_slides(scaled_run, slides[:1], tmp_path / "out", quiet=True)
    with open_slide(slides[0]) as slide:
        grid = lay_grid(slide, 32, 0.5, SlideSettings())
        patches = np.stack([slide.read(x, y, 32, 0.5) for x, y in grid.places.tolist()])
    write_store(tmp_path / "s.h5", patches, make_rows(len(patches), {"source": "s"}))
    expected = predict(scaled_run, tmp_path / "s.h5", quiet=True)
    found = pd.read_csv(tmp_path / "out" / "a" / "patches.csv", dtype={"domain": str})
    assert list(found) == ["x", "y", "logit", "probability", "domain", "ncount", "narea"]
    np.testing.assert_array_equal(found[["x", "y"]], grid.places)
    assert list(found["domain"]) == list(expected["domain"])
    for name in ("logit", "probability", "ncount", "narea"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-5, atol=1e-6)
    assert found["logit"].nunique() > 50


def test_the_heatmap_the_tables_and_the_summary_agree(done):
    out, table = done
    patches = pd.read_csv(out / "a" / "patches.csv")
    summary = json.loads((out / "a" / "summary.json").read_text())
    with tifffile.TiffFile(out / "a" / "heatmap.ome.tif") as file:
        maps = file.series[0].asarray()
        assert [name in file.ome_metadata for name in ("tumor probability", "ncount [nuclei]", "narea [px]")] == [
            True
        ] * 3
    assert maps.shape == (3, 25, 32)
    probability = patches["probability"]
    assert summary["patches"] == len(patches) == table["patches"][0]
    assert summary["probability_mean"] == pytest.approx(probability.mean())
    assert summary["probability_max"] == pytest.approx(probability.max())
    top = probability.nlargest(round(len(patches) / 10))
    assert summary["probability_top_decile"] == pytest.approx(top.mean())
    assert summary["share_above"] == pytest.approx((probability >= 0.4).mean())
    assert summary["ncount_mean"] == pytest.approx(patches["ncount"].mean())
    assert summary["predicted_mm2"] == pytest.approx(np.isfinite(maps[0]).sum() * 0.008**2)
    assert summary["above_mm2"] == pytest.approx((np.nan_to_num(maps[0]) >= 0.4).sum() * 0.008**2)
    assert "no validated slide-level score" in summary["what"]
    assert patches["probability"].min() <= np.nanmin(maps[0]) <= np.nanmax(maps[0]) <= patches["probability"].max()
    with h5py.File(out / "a" / "patches.h5") as file:
        np.testing.assert_array_equal(file["coords"], patches[["x", "y"]])
        np.testing.assert_allclose(file["narea"], patches["narea"])
        assert file["narea"].attrs["units"] == "px"
        assert file["domain"].asstr()[0] == str(patches["domain"][0])
        assert file.attrs["level0_stride"] == 16


def test_the_table_has_a_line_a_slide(done):
    out, table = done
    written = pd.read_csv(out / "summary.csv")
    assert list(written["slide"]) == list(table["slide"]) == ["a", "b"]
    np.testing.assert_allclose(written["probability_mean"], table["probability_mean"].astype(float))
    assert {"narea_mean", "ncount_mean", "above_mm2", "error"} < set(written)


def test_regions_count_from_the_scanned_corner(scaled_run, slides, tmp_path, monkeypatch):
    bounds = (37, 21)

    def scanned(path, mpp=None):
        slide = open_slide(path, mpp)
        slide.bounds = bounds
        return slide

    monkeypatch.setattr(task, "open_slide", scanned)
    predict_slides(scaled_run, slides[:1], tmp_path / "out", SlideSettings(threshold=0.01), quiet=True)
    places = pd.read_csv(tmp_path / "out" / "a" / "patches.csv")
    left, top = places["x"].min(), places["y"].min()
    path = tmp_path / "out" / "a" / "regions.geojson"
    assert ((places["x"] - 37) % 32 == 0).all()
    with scanned(slides[0]) as slide:
        assert read_annotation(path, slide).tumor.bounds[:2] == (left, top)
        assert read_annotation(path, slide).tumor.area == 32 * 32 * len(places)
        assert read_annotation(path, slide, in_bounds=False).tumor.bounds[:2] == (left - 37, top - 21)


def test_plain_images_are_slides_with_slide_mpp(scaled_run, tmp_path):
    Image.fromarray(section()).save(tmp_path / "a.png")
    table = predict_slides(scaled_run, [tmp_path / "a.png"], tmp_path / "out", SlideSettings(slide_mpp=0.5), quiet=True)
    assert table["status"].tolist() == ["done"]


def test_more_readers_change_nothing(scaled_run, slides, done, tmp_path):
    predict_slides(scaled_run, slides, tmp_path / "out", OVERLAPPING, workers=1, quiet=True)
    assert digests(tmp_path / "out") == digests(done[0])
