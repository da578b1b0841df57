"""Predictions for new patches and images, labels unneeded."""

import cv2
import numpy as np
import pandas as pd
import pytest

from data_prep.errors import InputError
from mta.data.inputs import PatchInputs
from mta.predict import is_slide, main, predict
from mta.predicting import predict_rows
from mta.trained import load_run
from tests.builders import tiny_pixels, tiny_rows, tiny_store

ROWS = tiny_rows()
COLUMNS = [
    *("row", "patient", "slide", "centre", "path", "logit", "probability", "domain"),
    *("ncount", "narea"),
]


@pytest.fixture(scope="module")
def table(tiny_run, tiny_h5):
    return predict(tiny_run, tiny_h5, quiet=True)


def save(path, image):
    cv2.imwrite(str(path), image if image.ndim == 2 else image[..., ::-1])


def test_a_store_of_48_patches(table):
    assert list(table) == COLUMNS
    np.testing.assert_array_equal(table["row"], np.arange(48))
    np.testing.assert_array_equal(table["patient"], ROWS["patient"])
    np.testing.assert_array_equal(table["path"], ROWS["entry"])
    assert table[["logit", "probability", "ncount", "narea"]].notna().all(axis=None)
    assert table["logit"].nunique() > 40


def test_the_same_patches_as_images(tiny_run, table, tmp_path):
    for number, patch in enumerate(tiny_pixels(ROWS)):
        save(tmp_path / f"{number:02d}.png", patch)
    images = predict(tiny_run, tmp_path, quiet=True)
    np.testing.assert_allclose(images["logit"], table["logit"], atol=1e-6)
    np.testing.assert_allclose(images["narea"], table["narea"], rtol=1e-5)
    assert list(images["path"][:2]) == ["00.png", "01.png"]


def test_more_rows_than_a_batch_and_several_stores(tiny_run, tiny_h5, table, tmp_path):
    other = tiny_store(tmp_path / "b.h5", label=-1, role="")
    both = predict(tiny_run, f"a={tiny_h5},b={other}", quiet=True)
    assert len(both) == 96
    np.testing.assert_allclose(both["logit"][:48], table["logit"], atol=1e-6)
    np.testing.assert_array_equal(both["row"], np.arange(96))


def test_the_patches_go_through_the_runs_stain_normalizer(tiny_run, table, tmp_path):
    darker = (tiny_pixels(ROWS) * 0.8).astype("uint8")
    moved = predict(tiny_run, tiny_store(tmp_path / "b.h5", pixels=darker), quiet=True)
    assert np.corrcoef(moved["logit"], table["logit"])[0, 1] > 0.9


def test_images_of_other_kinds_and_sizes(capsys, tiny_run, tmp_path):
    patch = tiny_pixels(ROWS)[3]
    wide = np.pad(patch, ((4, 4), (10, 10), (0, 0)), mode="reflect")
    save(tmp_path / "1.png", patch)
    save(tmp_path / "2wide.png", wide)
    cv2.imwrite(str(tmp_path / "3alpha.png"), np.dstack([patch[..., ::-1], np.full((32, 32), 255, "uint8")]))
    cv2.imwrite(str(tmp_path / "4deep.png"), patch[..., ::-1].astype("uint16") * 257)
    save(tmp_path / "5gray.png", cv2.cvtColor(patch, cv2.COLOR_RGB2GRAY))
    images = predict(tiny_run, tmp_path, quiet=True)
    assert capsys.readouterr().err.splitlines() == [
        "warning: 1 image: 16-bit scaled to 8-bit",
        "warning: 1 image: gray to RGB",
        "warning: 1 image: of another size, cropped to the middle 32 x 32",
    ]
    np.testing.assert_allclose(images["logit"][1:4], images["logit"][0], atol=1e-6)
    assert np.isfinite(images["logit"]).all()
    resized = predict(tiny_run, tmp_path, fit="resize", quiet=True)
    assert resized["logit"][1] != images["logit"][1]
    np.testing.assert_allclose(resized["logit"][0], images["logit"][0], atol=1e-6)


def test_the_command_writes_the_table(capsys, tiny_run, tiny_h5, table, tmp_path):
    out = tmp_path / "new" / "table.csv"
    main([str(tiny_run), str(tiny_h5), "--out", str(out)])
    assert "48 patches" in capsys.readouterr().out
    written = pd.read_csv(out, dtype={"centre": str, "domain": str})
    np.testing.assert_allclose(written["logit"], table["logit"])
    assert list(written) == COLUMNS


def failed(capsys, tmp_path, *arguments):
    out = tmp_path / "out" / "table.csv"
    with pytest.raises(SystemExit) as end:
        main([*map(str, arguments), "--out", str(out), "--quiet"])
    assert end.value.code == 2
    assert not out.parent.exists()
    lines = [line for line in capsys.readouterr().err.splitlines() if "grfmt_png" not in line]
    assert len(lines) == 1
    assert lines[0].startswith("python -m mta.predict: ")
    return lines[0]


def test_bad_input_is_one_line_and_writes_nothing(capsys, tiny_run, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "no image in this folder" in failed(capsys, tmp_path, tiny_run, tmp_path / "empty")
    assert "there is no such file" in failed(capsys, tmp_path, tiny_run, tmp_path / "absent.h5")
    assert "config.json: not found" in failed(capsys, tmp_path, tmp_path / "empty", tmp_path / "empty")
    with pytest.raises(SystemExit):
        main([str(tiny_run), str(tmp_path), "--out", str(tmp_path)])
    assert capsys.readouterr().err == f"python -m mta.predict: {tmp_path}: is a folder; name a file\n"
    large = tiny_store(tmp_path / "large.h5", pixels=tiny_pixels(ROWS, side=40))
    assert "are 40 x 40 pixels, the model takes 32 x 32" in failed(capsys, tmp_path, tiny_run, large)


@pytest.mark.parametrize("place", [0, 70])
def test_a_broken_or_small_image_is_named_wherever_it_stands(capsys, tiny_run, tmp_path, place):
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(80):
        save(folder / f"{number:02d}.png", tiny_pixels(ROWS)[number % 48])
    bad = folder / f"{place:02d}.png"
    save(bad, tiny_pixels(ROWS)[0][:20])
    line = failed(capsys, tmp_path, tiny_run, folder)
    assert f"{bad}: 20x32 pixels are too few to crop 32" in line
    bad.write_bytes(bad.read_bytes()[:60])
    assert f"{bad}: not an image" in failed(capsys, tmp_path, tiny_run, folder)


class Recorded:
    """70 patches; `read` keeps which were asked for, `normalized` how many were shown to it as a normalizer."""

    size, files, attributes = (32, 32), ["recorded.h5"], {}

    def __init__(self):
        self.read, self.normalized = [], []

    def take(self, rows):
        self.read += list(rows)
        return tiny_pixels(ROWS)[rows % 48]

    def transform(self, images):
        self.normalized.append(len(images))
        return images


def test_every_patch_is_read_and_normalized_once_in_batches_of_one_size(tiny_run, monkeypatch):
    model, patches, sizes = load_run(tiny_run).model, Recorded(), []
    whole = model.predict_on_batch
    monkeypatch.setattr(model, "predict_on_batch", lambda images: sizes.append(len(images)) or whole(images))
    outputs = predict_rows(model, PatchInputs(patches, patches), np.arange(70))
    assert patches.read == list(range(70))
    assert patches.normalized == [64, 6]
    assert sizes == [64, 64]
    assert {name: values.shape for name, values in outputs.items()} == {
        **{"tumor": (70, 1), "domain": (70, 2)},
        **{"ncount": (70, 1), "narea": (70, 1)},
    }
    np.testing.assert_allclose(outputs["tumor"][48:], outputs["tumor"][:22], atol=1e-6)


def test_a_progress_bar_unless_quiet(tiny_run, tiny_h5, capsys):
    predict(tiny_run, tiny_h5, quiet=True)
    assert "predicted" not in capsys.readouterr().err
    predict(tiny_run, tiny_h5)
    assert "batches predicted: 100%" in capsys.readouterr().err


def test_slides_are_for_the_other_function(tiny_run, tmp_path):
    with pytest.raises(InputError, match=r"a\.SVS: a slide, not patches; mta\.slides\.predict_slides takes slides"):
        predict(tiny_run, tmp_path / "a.SVS")


def test_what_a_slide_is_by_its_name(tmp_path):
    (tmp_path / "folder.tif").mkdir()
    assert [is_slide(name) for name in ("a.svs", "b.NDPI", "c.ome.tif", "d.png")] == [True] * 4
    assert [is_slide(name) for name in ("a.h5", "x=a.h5,y=b.h5", "table.csv", tmp_path, tmp_path / "folder.tif")] == [
        False
    ] * 5
