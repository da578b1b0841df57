"""Whole slides from end to end: what is written, what is skipped, what is refused."""

import functools
import hashlib
import json
import os
import shutil

import h5py
import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image

from data_prep.annotations import read_annotation
from data_prep.errors import InputError
from data_prep.slides import open_slide
from data_prep.store import make_rows, write_store
from mta.predict import main, predict
from mta.slides import SlideSettings, cohort, predict_slides, task
from mta.slides.grid import lay_grid
from tests.data_prep.slides.samples import write_tiff
from tests.mta.slides.samples import digests, section

FILES = {
    *("heatmap.ome.tif", "probability.png", "ncount.png", "narea.png", "regions.geojson", "patches.csv"),
    *("patches.h5", "summary.json", "state.json"),
}
OVERLAPPING = SlideSettings(stride=16, threshold=0.4)


@pytest.fixture(scope="module", autouse=True)
def hastened():
    """Models are loaded once, and pictures are no more than what would be drawn: `test_overlay` looks at them."""

    def sketch(path, slide, grid, values, label, threshold):
        path.write_text(f"{label} {threshold} {hashlib.sha256(values.tobytes()).hexdigest()}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cohort, "load_predictor", functools.cache(cohort.load_predictor))
        patch.setattr(task, "draw_overlay", sketch)
        yield


@pytest.fixture(scope="module")
def slides(tmp_path_factory):
    """Two slides, the second of another size and lossless tiles of its own."""
    folder = tmp_path_factory.mktemp("slides")
    other = section(seed=1, width=420, height=360)
    return [write_tiff(folder / "a.tif", section(), levels=2), write_tiff(folder / "b.tif", other, levels=2)]


@pytest.fixture(scope="module")
def done(scaled_run, slides, tmp_path_factory):
    """The folder that an undisturbed run wrote, and its table."""
    out = tmp_path_factory.mktemp("done") / "out"
    return out, predict_slides(scaled_run, slides, out, OVERLAPPING, quiet=True)


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
    assert {"narea_mean", "top", "error"} - set(written) == {"top"}


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


@pytest.fixture
def counted(monkeypatch):
    """The names of the slides that are really predicted."""
    work, names = task._predict, []
    monkeypatch.setattr(task, "_predict", lambda job, *rest: (names.append(job.entry.slide), work(job, *rest))[1])
    return names


def test_more_readers_change_nothing(scaled_run, slides, done, tmp_path):
    predict_slides(scaled_run, slides, tmp_path / "out", OVERLAPPING, workers=1, quiet=True)
    assert digests(tmp_path / "out") == digests(done[0])


def test_interrupted_anywhere_and_run_again_it_is_the_same_bit_for_bit(
    scaled_run, slides, done, tmp_path, monkeypatch, counted
):
    out = tmp_path / "out"
    for place, turn in (("answers", 3), ("write_heatmap", 2), ("finish", 1)):
        with monkeypatch.context() as patch:
            calls, work = [], getattr(task, place)

            def stop(*values, calls=calls, work=work, turn=turn):
                calls.append(1)
                if len(calls) == turn:
                    raise KeyboardInterrupt
                return work(*values)

            patch.setattr(task, place, stop)
            with pytest.raises(KeyboardInterrupt):
                predict_slides(scaled_run, slides, out, OVERLAPPING, quiet=True)
        assert not (out / "summary.csv").exists()
        if place == "answers":
            assert not (out / "a" / "state.json").exists()
    predict_slides(scaled_run, slides, out, OVERLAPPING, quiet=True)
    assert digests(out) == digests(done[0])
    assert counted == ["a", "a", "b", "b", "b"]


def test_what_is_done_is_left_alone_until_something_changes(scaled_run, slides, done, tmp_path, counted):
    out = tmp_path / "out"
    shutil.copytree(done[0], out)
    moved = shutil.copy(slides[0], tmp_path / "a.tif")  # the same slide in another place, with another time
    table = predict_slides(scaled_run, [moved, slides[1]], out, OVERLAPPING, quiet=True)
    assert counted == []
    assert table["probability_mean"].tolist() == done[1]["probability_mean"].tolist()
    (out / "b" / "patches.csv").write_text("x,y\n")
    predict_slides(scaled_run, slides, out, OVERLAPPING, quiet=True)
    assert counted == ["b"]
    predict_slides(scaled_run, slides[:1], out, SlideSettings(stride=16, threshold=0.3), quiet=True)
    assert counted == ["b", "a"]
    other = tmp_path / "run"
    shutil.copytree(scaled_run, other)
    shutil.copy(other / "last.keras", other / "best.keras")
    predict_slides(other, slides[1:], out, OVERLAPPING, quiet=True)
    assert counted == ["b", "a"] + (["b"] if digests(other)["best.keras"] != digests(scaled_run)["best.keras"] else [])
    Image.fromarray(section(5)).save(tmp_path / "a.png")
    (out / "a" / "state.json").write_text("[" * 5000)
    assert predict_slides(scaled_run, slides[:1], out, OVERLAPPING, quiet=True)["status"].tolist() == ["done"]


def test_files_of_another_model_go(scaled_run, slides, done, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(done[0], out)
    state = json.loads((out / "a" / "state.json").read_text())
    (out / "a" / "texture.png").write_bytes(b"of a concept that this model does not have")
    (out / "keep.txt").write_text("")
    state["files"] |= {"texture.png": "", "../keep.txt": ""}
    (out / "a" / "state.json").write_text(json.dumps(state))
    predict_slides(scaled_run, slides[:1], out, OVERLAPPING, quiet=True)
    assert set(digests(out / "a")) == FILES
    assert (out / "keep.txt").exists()


def test_one_bad_slide_does_not_stop_the_others(scaled_run, slides, tmp_path, capsys, counted):
    bad, glass, bare = tmp_path / "bad.tif", tmp_path / "glass.tif", tmp_path / "bare.png"
    bad.write_bytes(slides[0].read_bytes()[:2000])
    write_tiff(glass, np.full((300, 300, 3), 243, np.uint8))
    Image.fromarray(section()).save(bare)
    coarse = write_tiff(tmp_path / "coarse.tif", section(), mpp=0.6)
    out = tmp_path / "out"
    words = [str(scaled_run), *map(str, (bad, glass, bare, coarse, slides[0])), "--out", str(out), "--quiet"]
    words += ["--tissue", "saturation"]
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    for line, reason in zip(
        lines,
        ["bad.tif: ", "no tissue found", "does not say how many micrometres", "0.6 um a pixel, coarser"],
        strict=True,
    ):
        assert reason in line
    table = pd.read_csv(out / "summary.csv")
    assert table["status"].tolist() == ["failed"] * 4 + ["done"]
    assert table["patches"].isna().tolist() == [True] * 4 + [False]
    shutil.copy(slides[1], bad)
    with pytest.raises(SystemExit):
        main(words)
    assert counted == ["bad", "glass", "bare", "coarse", "a", "bad", "glass", "bare", "coarse"]


def test_the_scale_of_the_model_is_never_guessed(tiny_run, scaled_run, slides, tmp_path):
    with pytest.raises(InputError, match="does not say at how many micrometres a pixel it was trained; give --mpp"):
        predict_slides(tiny_run, slides, tmp_path / "out", quiet=True)
    with pytest.raises(InputError, match=r"--mpp 0\.25: .* was trained at 0\.5; leave --mpp out"):
        predict_slides(scaled_run, slides, tmp_path / "out", SlideSettings(mpp=0.25), quiet=True)
    assert not (tmp_path / "out").exists()
    table = predict_slides(tiny_run, slides[:1], tmp_path / "out", SlideSettings(mpp=1.0), quiet=True)
    assert json.loads((tmp_path / "out" / "a" / "summary.json").read_text())["patch_mpp"] == 1.0
    assert table["patches"][0] < 40


def test_plain_images_are_slides_with_slide_mpp(scaled_run, tmp_path):
    Image.fromarray(section()).save(tmp_path / "a.png")
    table = predict_slides(scaled_run, [tmp_path / "a.png"], tmp_path / "out", SlideSettings(slide_mpp=0.5), quiet=True)
    assert table["status"].tolist() == ["done"]


def test_what_is_wrong_with_the_command_is_one_line_and_writes_nothing(scaled_run, slides, tiny_h5, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    cases = {
        (str(slides[0]), str(tiny_h5)): f"{slides[0]} is a slide, {tiny_h5} is none",
        (str(tiny_h5), str(tiny_h5)): "name one patch store or folder of images",
        (): "name one patch store or folder of images",
        (str(tiny_h5), "--stride", "16"): "no slide; --mpp, --stride and the like are for slides",
        (str(slides[0]), str(slides[0])): "two slides called 'a'",
        (str(tmp_path / "absent.svs"),): "absent.svs: there is no such slide",
        (str(slides[0]), "--stride", "99"): "--stride 99: patches have 32 pixels",
        (str(slides[0]), "--threshold", "2"): "--threshold 2.0: give a probability",
        (str(slides[0]), "--workers", "0"): "--workers 0: give 1 or more",
        (str(slides[0]), "--out", str(tmp_path / "file")): "part of this path is a file",
    }
    for words, reason in cases.items():
        out = () if "--out" in words else ("--out", str(tmp_path / "out"))
        with pytest.raises(SystemExit) as end:
            main([str(scaled_run), *words, *out, "--quiet"])
        assert end.value.code == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert reason in line
        assert not (tmp_path / "out").exists()


def test_two_runs_on_one_folder_do_not_meet(scaled_run, slides, tmp_path, monkeypatch):
    work = cohort.predict_slide

    def another(job, shared):
        with pytest.raises(InputError, match="another run is at work here"):
            predict_slides(scaled_run, slides[:1], tmp_path / "out", quiet=True)
        return work(job, shared)

    monkeypatch.setattr(cohort, "predict_slide", another)
    assert predict_slides(scaled_run, slides[:1], tmp_path / "out", quiet=True)["status"].tolist() == ["done"]


def test_a_full_disk_is_a_failed_slide(scaled_run, slides, tmp_path, monkeypatch):
    def full(*_):
        raise InputError("patches.csv: could not be written: no space is left on the disk")

    with monkeypatch.context() as patch:
        patch.setattr(task, "write_csv", full)
        table = predict_slides(scaled_run, slides[:1], tmp_path / "out", quiet=True)
    assert "no space is left" in table["error"][0]
    assert not (tmp_path / "out" / "a").exists() or not os.listdir(tmp_path / "out" / "a")


def test_a_run_on_stored_channels_is_warned_of(scaled_run, slides, tmp_path, capsys):
    run = tmp_path / "run"
    shutil.copytree(scaled_run, run)
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps({**config, "profile": "original"}))
    predict_slides(run, slides[:1], tmp_path / "out", quiet=True)
    assert "slides are read as RGB" in capsys.readouterr().err
