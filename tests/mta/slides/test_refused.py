"""Bad input is one line, and a bad slide is its own affair."""

import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from data_prep.errors import InputError
from mta.predict import main
from mta.slides import SlideSettings, predict_slides, task
from tests.data_prep.slides.samples import write_tiff
from tests.mta.slides.samples import section

pytestmark = pytest.mark.usefixtures("hastened")


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
    config |= {"profile": "original", "standardize": "off"}
    (run / "config.json").write_text(json.dumps(config))
    predict_slides(run, slides[:1], tmp_path / "out", quiet=True)
    assert "slides are read as RGB" in capsys.readouterr().err
