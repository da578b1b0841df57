"""The command: one line for bad input, exit status 2, nothing half-written."""

import json
import resource
import urllib.error
from contextlib import contextmanager

import keras
import numpy as np
import pandas as pd
import pytest

from data_prep.errors import InputError
from data_prep.store import write_store
from mta.data.window import Windows
from mta.provenance import fingerprint
from mta.train import main, train
from tests.builders import TINY, tiny_concepts, tiny_flags, tiny_pixels, tiny_rows, tiny_store
from tests.mta.training.comparing import assert_same_run, history

ROWS = tiny_rows()
QUICK = {"preset": "baseline", "epochs": (1, 0)}


def failed(capsys, store, out, **settings):
    """The one line that the command prints when it refuses."""
    with pytest.raises(SystemExit) as end:
        main([str(store), "--out", str(out), "--quiet", *tiny_flags(**settings)])
    assert end.value.code == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith(("warning: ", "E0000"))]
    assert len(lines) == 1, lines
    assert lines[0].startswith("python -m mta.train: ")
    return lines[0]


def refused(capsys, store, tmp_path, **settings):
    """As `failed`, and nothing was written."""
    out = tmp_path / "out" / "run"
    line = failed(capsys, store, out, **settings)
    assert not out.parent.exists()
    return line


def concepts_with(column, values):
    table = tiny_concepts(ROWS)
    table[column] = values
    return table


def test_a_store_that_is_not_there_or_damaged(capsys, tmp_path, tiny_h5):
    assert "there is no such file" in refused(capsys, tmp_path / "absent.h5", tmp_path)
    whole = tiny_h5.read_bytes()
    for length, message in ((len(whole) // 2, "truncated"), (100, "not an HDF5 file"), (0, "not an HDF5 file")):
        (tmp_path / "cut.h5").write_bytes(whole[:length])
        line = refused(capsys, tmp_path / "cut.h5", tmp_path)
        assert "cut.h5" in line
        assert message in line or "truncated" in line


CHANGES = {
    "no tumor in the store": ({"label": 0}, "role train has no tumor patch"),
    "no label in the store": ({"label": -1}, "role train has no normal and no tumor patch"),
    "one class in a role": (
        {"label": np.where(ROWS["role"] == "internal_test", 1, ROWS["label"])},
        "role internal_test has no normal patch",
    ),
    "no roles": ({"role": ""}, "the store gives no roles; split by patient (--split patient)"),
    "no validation": ({"role": "train"}, "no row has the role validation"),
    "no training": ({"role": "validation"}, "no row has the role train"),
    "no centre": ({"centre": ""}, "24 of 24 training rows have no centre"),
    "one centre": ({"centre": "3"}, "come from 1 centre"),
    "a constant concept": ({"concepts": concepts_with("narea", 7.0)}, "'narea' is 7 on every training row"),
    "an empty concept": ({"concepts": concepts_with("narea", np.nan)}, "no training row has a value for the concept"),
    "a concept that training rows lack": (
        {"concepts": concepts_with("narea", np.where(ROWS["role"] == "train", np.nan, 3.0))},
        "no training row has a value for the concept 'narea'",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_bad_stores(capsys, tmp_path, name):
    changed, message = CHANGES[name]
    assert message in refused(capsys, tiny_store(tmp_path / "a.h5", **changed), tmp_path)


SETTINGS = {
    "unknown concept": ({"concepts": ("ncount", "nmagic")}, "has no concept nmagic; it has narea, ncount"),
    "reserved concept": ({"concepts": ("tumor",)}, "concept 'tumor'"),
    "unknown backbone": ({"backbone": "ResNet1000"}, "there is no backbone 'ResNet1000'"),
    "images too small": (
        {"backbone": "InceptionV3", "trainable": "paper"},
        "backbone InceptionV3 cannot be built for images of 32 pixels",
    ),
    "missing weights file": ({"weights": "absent.weights.h5"}, "absent.weights.h5: there is no such weights file"),
    "no such weights": ({"weights": "imagenet"}, "SmallCNN has no ImageNet weights; give --weights none"),
    "trainable of another trunk": ({"trainable": "paper"}, "give last:N, all or none"),
    "too many layers": ({"trainable": "last:99"}, "the trunk has 4 layers with a kernel"),
    "no such layer": ({"cut": "mixed7"}, "has no layer 'mixed7'"),
    "dropout of 1": ({"dropout": 1.0}, "dropout is 1.0"),
    "no epochs": ({"epochs": (0, 0)}, "epochs must be 0 or more"),
    "missing concept file": ({"concept_file": "absent.csv"}, "absent.csv"),
    "missing split": ({"split": "absent.csv"}, "absent.csv: no such split file"),
    "missing config": ({"config": "absent.yaml"}, "absent.yaml: not readable as YAML"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_bad_settings(capsys, tmp_path, tiny_h5, name):
    settings, message = SETTINGS[name]
    assert message in refused(capsys, tiny_h5, tmp_path, **settings)


def test_imagenet_weights_without_a_network(capsys, tmp_path, monkeypatch):
    def get_file(*args, **kwargs):
        raise Exception("URL fetch failure on https://…: None -- no route") from urllib.error.URLError("no route")

    monkeypatch.setattr(keras.src.applications.mobilenet_v2.file_utils, "get_file", get_file)
    line = refused(
        capsys, tiny_store(tmp_path / "a.h5"), tmp_path, backbone="MobileNetV2", weights="imagenet", trainable="none"
    )
    assert "the ImageNet weights of MobileNetV2 could not be downloaded" in line
    assert "--weights FILE" in line


def test_patches_that_are_not_square(capsys, tmp_path):
    pixels = tiny_pixels(ROWS)[:, :, :24]
    write_store(tmp_path / "a.h5", pixels, ROWS, tiny_concepts(ROWS))
    assert "patches are 32 x 24; the network takes square ones" in refused(capsys, tmp_path / "a.h5", tmp_path)


def test_a_folder_that_is_no_run_stays_as_it_is(capsys, tmp_path, tiny_h5):
    (tmp_path / "thesis.tex").write_text("text")
    for flags in ({}, {"overwrite": True}):
        assert "is there and is no run folder" in failed(capsys, tiny_h5, tmp_path, **flags)
    assert "is there and is no run folder" in failed(capsys, tiny_h5, tmp_path / "thesis.tex")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    assert "could not be written" in failed(capsys, tiny_h5, tmp_path / "thesis.tex" / "run")


def test_damage_that_shows_only_while_training(capsys, tmp_path, monkeypatch):
    reads, whole = [], Windows.between

    def between(self, start, stop):
        reads.append(start)
        if len(reads) == 4:  # the first batches are read in another way than those that TensorFlow asks for
            raise InputError("a.h5: a block is damaged; copy the file")
        return whole(self, start, stop)

    store = tiny_store(tmp_path / "a.h5")
    monkeypatch.setattr(Windows, "between", between)
    line = failed(capsys, store, tmp_path / "run", **QUICK, batch_size=4, stain="none")
    assert line.endswith("a.h5: a block is damaged; copy the file")


def test_a_diverging_run_says_what_to_do(capsys, tmp_path, tiny_h5):
    out = tmp_path / "run"
    line = failed(capsys, tiny_h5, out, **QUICK, learning_rate=1e9)
    assert "the loss is no longer finite in epoch 1; lower --learning-rate" in line
    assert not list(out.rglob("*.keras"))


def test_batches_without_any_label_or_concept_train_on(tmp_path):
    rows = ROWS.assign(label=np.where(ROWS.index % 6 < 4, -1, ROWS["label"]))
    concepts = tiny_concepts(ROWS)
    concepts.loc[ROWS.index % 6 != 5, "narea"] = np.nan
    store = tiny_store(tmp_path / "a.h5", rows, concepts=concepts)
    run = train(store, tmp_path / "run", quiet=True, **{**TINY, "batch_size": 2})
    rows = history(run)
    assert np.isfinite(rows[["loss", "loss_tumor", "loss_narea", "val_loss", "val_auc"]]).all(axis=None)
    assert json.loads((run / "run.json").read_text())["class_weights"] == [0.5, 0.5]


def test_an_allowed_leak_is_recorded(capsys, tmp_path):
    store = tiny_store(tmp_path / "a.h5", ROWS.assign(patient=ROWS["patient"].replace("p7", "p0")))
    assert "--allow-leak" in refused(capsys, store, tmp_path)
    main([str(store), "--out", str(tmp_path / "run"), "--quiet", "--allow-leak", *tiny_flags(**QUICK)])
    assert "warning: the split leaks: 1 patient" in capsys.readouterr().err
    (leak,) = json.loads((tmp_path / "run" / "run.json").read_text())["leaks"]
    assert "p0 (train, internal_test)" in leak


@contextmanager
def file_size_limit(size):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_one_line_and_costs_no_more_than_an_epoch(capsys, tmp_path, tiny_h5, tiny_run):
    out, settings = tmp_path / "run", {"epochs": (2, 2)}
    for size in (2000, 100_000):  # too small for the split table, then for a model
        with file_size_limit(size):
            assert "could not be written: the file would be larger" in failed(capsys, tiny_h5, out, **settings)
        assert not [path for path in out.rglob("*") if ".tmp" in path.name]
    main([str(tiny_h5), "--out", str(out), "--quiet", *tiny_flags(**settings)])
    assert_same_run(out, tiny_run)


def test_what_a_run_records(tiny_h5, tiny_run):
    record = json.loads((tiny_run / "run.json").read_text())
    assert record["seed"] == 1001
    assert record["patches"] == {"internal_test": 12, "train": 24, "validation": 12}
    assert (record["leaks"], record["epochs"], record["class_weights"]) == ([], 4, [0.5, 0.5])
    assert record["inputs"] == {"store": [fingerprint(tiny_h5)]}
    assert {"command", "started", "finished", "python", "backend", "packages", "git"} <= set(record)
    labels = json.loads((tiny_run / "labels.json").read_text())
    assert labels["centres"] == ["0", "1"]
    assert labels["concepts"]["narea"]["unit"] == "px"
    split = pd.read_csv(tiny_run / "split.csv", dtype=str)
    np.testing.assert_array_equal(split["role"], ROWS["role"])


def test_split_by_patient_needs_no_roles(tmp_path):
    store = tiny_store(tmp_path / "a.h5", role="")
    run = train(store, tmp_path / "run", quiet=True, split="patient", **{**TINY, **QUICK})
    split = pd.read_csv(run / "split.csv")
    assert set(split["role"]) == {"train", "validation", "internal_test"}
    assert (split.groupby("patient")["role"].nunique() == 1).all()
