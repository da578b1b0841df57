"""Training from cached features is training of the whole network."""

import subprocess
import sys
import time

import keras
import numpy as np
import pytest

from data_prep.store import write_store
from mta.backbones import build_trunk
from mta.predict import predict
from mta.run_folder import RunFolder
from mta.train import train
from tests.builders import TINY, tiny_concepts, tiny_flags, tiny_pixels, tiny_rows
from tests.mta.training.comparing import assert_same_run, history, weights
from tests.mta.training.killing import Killed, kill_in_batch

SETTINGS = {**TINY, "trainable": "last:1", "epochs": (2, 2), "learning_rate": 1e-3}


def both(store, folder, **settings):
    """The same training on patches and on features."""
    changed = {**SETTINGS, "cache_dir": str(folder / "caches"), **settings}
    plain = train(store, folder / "plain", quiet=True, **{**changed, "cache": "off"})
    assert not (folder / "caches").exists()
    cached = train(store, folder / "cached", quiet=True, **changed)
    assert list((folder / "caches").glob("*/features.bin"))
    return plain, cached


@pytest.fixture(scope="module")
def runs(tiny_h5, tmp_path_factory):
    """The same training on patches and on features. Not to be changed."""
    return both(tiny_h5, tmp_path_factory.mktemp("both"))


def assert_near(run, other, tolerance):
    mine, theirs = history(run), history(other)
    assert list(mine) == list(theirs)
    np.testing.assert_allclose(mine.to_numpy(float), theirs.to_numpy(float), rtol=tolerance, atol=tolerance)


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {"trainable": "none"},
        {"trainable": "last:2", "preset": "baseline"},
        {"preset": "fixed-weights", "schedule": "dann"},
        {"preset": "random-concept", "optimizer": "adam", "concept_head_on": "pool"},
        {"profile": "original", "class_weights": "training"},
        {"augment": ("flips",)},
        {"balance": "class-centre"},
    ],
    ids=lambda settings: " ".join(map(str, settings.values())),
)
def test_every_kind_of_training_is_that_of_the_whole_network(tiny_h5, tmp_path, settings):
    assert_alike(*both(tiny_h5, tmp_path, **settings))


def test_losses_and_weights_are_those_of_the_whole_network(runs):
    assert_alike(*runs)


def assert_alike(plain, cached):
    assert_near(cached, plain, 1e-5)
    for mine, theirs in zip(weights(cached, "last"), weights(plain, "last"), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)


def test_the_saved_model_is_the_whole_network(tiny_h5, runs):
    plain, cached = runs
    model = RunFolder(cached).load_model("best")
    assert model.input.shape == (None, 32, 32, 3)
    assert [layer.name for layer in model.layers] == [
        layer.name for layer in RunFolder(plain).load_model("best").layers
    ]
    mine, theirs = (predict(run, tiny_h5, quiet=True) for run in (cached, plain))
    np.testing.assert_allclose(mine["logit"], theirs["logit"], atol=1e-5)


@pytest.mark.slow
def test_another_seed_or_preset_of_the_same_trunk_finds_the_cache(tiny_h5, tmp_path, capsys):
    trunk = tmp_path / "trunk.weights.h5"
    build_trunk("SmallCNN", None, keras.Input((32, 32, 3))).save_weights(trunk)
    changed = {**SETTINGS, "weights": str(trunk), "cache_dir": str(tmp_path / "caches"), "epochs": (1, 1)}
    train(tiny_h5, tmp_path / "first", **changed)
    assert "computed once" in capsys.readouterr().out
    train(tiny_h5, tmp_path / "second", **changed, seed=2, preset="baseline")
    assert "computed once" not in capsys.readouterr().out
    assert len(list((tmp_path / "caches").iterdir())) == 1


@pytest.mark.slow
def test_no_cache_where_all_learns_or_one_epoch_is_all(tiny_h5, tmp_path):
    for number, settings in enumerate([{"trainable": "all"}, {"epochs": (1, 0)}]):
        changed = {**SETTINGS, **settings, "cache_dir": str(tmp_path / "caches")}
        train(tiny_h5, tmp_path / str(number), quiet=True, **changed)
    assert not (tmp_path / "caches").exists()


def test_a_partial_cache_changes_the_last_digit_at_most(tiny_h5, tmp_path, runs):
    part = train(tiny_h5, tmp_path / "part", quiet=True, **SETTINGS, cache_dir=str(tmp_path / "b"), cache_limit=6e-5)
    [marks] = (tmp_path / "b").glob("*/marks.bin")
    assert 0 < np.count_nonzero(np.fromfile(marks, np.uint64)) < 36
    assert_near(part, runs[1], 1e-6)


def test_a_balance_that_leaves_rows_out_of_an_epoch_has_all_of_them_in_the_cache(tmp_path):
    rows = tiny_rows()
    rows["label"] = (np.arange(len(rows)) % 6 == 0).astype(int)
    store = tmp_path / "store.h5"
    write_store(store, tiny_pixels(rows), rows, tiny_concepts(rows))
    changed = {**SETTINGS, "cache_dir": str(tmp_path / "caches"), "epochs": (2, 0), "balance": "class"}
    train(store, tmp_path / "run", quiet=True, **changed)
    [marks] = (tmp_path / "caches").glob("*/marks.bin")
    used = np.isin(rows["role"], ["train", "validation"])
    np.testing.assert_array_equal(np.fromfile(marks, np.uint64) > 0, used)


@pytest.mark.slow
def test_half_precision_says_what_it_costs(tiny_h5, tmp_path, capsys):
    changed = {**SETTINGS, "cache_dir": str(tmp_path / "caches"), "epochs": (1, 1)}
    whole = train(tiny_h5, tmp_path / "whole", quiet=True, **changed)
    capsys.readouterr()
    half = train(tiny_h5, tmp_path / "half", cache_dtype="float16", **changed)
    told = next(line for line in capsys.readouterr().out.splitlines() if "float16" in line)
    error = float(told.split("differ by ")[1].split()[0])
    assert 0 < error < 0.01
    assert_near(half, whole, 0.01)


@pytest.mark.slow
def test_a_store_that_changed_is_computed_anew(tmp_path, capsys):
    rows, store = tiny_rows(), tmp_path / "store.h5"
    write_store(store, tiny_pixels(rows), rows, tiny_concepts(rows))
    changed = {**SETTINGS, "cache_dir": str(tmp_path / "caches"), "epochs": (1, 1), "stain": "none"}
    train(store, tmp_path / "before", **changed)
    write_store(store, 255 - tiny_pixels(rows), rows, tiny_concepts(rows))
    capsys.readouterr()
    train(store, tmp_path / "after", **changed)
    assert "computed once" in capsys.readouterr().out


@pytest.mark.slow
def test_a_run_begun_with_the_cache_goes_on_without_room_for_it(tiny_h5, tmp_path, monkeypatch, runs):
    with monkeypatch.context() as patched:
        kill_in_batch(patched, epoch=1, batch=2)
        with pytest.raises(Killed):
            train(tiny_h5, tmp_path / "run", quiet=True, **SETTINGS)
    elsewhere = {"cache_dir": str(tmp_path / "other"), "cache_limit": 0.0}
    run = train(tiny_h5, tmp_path / "run", quiet=True, **SETTINGS, **elsewhere)
    assert_near(run, runs[1], 1e-6)


@pytest.mark.slow
def test_killed_while_features_are_computed(tmp_path):
    """The next run takes up what was computed, and ends as an undisturbed one."""
    rows = tiny_rows(patches=150)
    store = tmp_path / "store.h5"
    write_store(store, tiny_pixels(rows), rows, tiny_concepts(rows))
    flags = tiny_flags(trainable="last:1", epochs=(1, 1), deterministic=True)
    command = [sys.executable, "-m", "mta.train", str(store), "--quiet", *flags]

    def start(out, caches):
        return subprocess.Popen([*command, "--out", str(out), "--cache-dir", str(caches)], stderr=subprocess.PIPE)

    killed, caches = tmp_path / "killed", tmp_path / "caches"
    process = start(killed, caches)
    while not (marks := list(caches.glob("*/marks.bin"))) or not np.fromfile(marks[0], np.uint64).any():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.002)
    process.kill()
    process.communicate()
    done = np.count_nonzero(np.fromfile(marks[0], np.uint64))
    assert 0 < done < 900
    for out, folder in ((killed, caches), (tmp_path / "undisturbed", tmp_path / "others")):
        process = start(out, folder)
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    assert_same_run(killed, tmp_path / "undisturbed")


@pytest.mark.slow
def test_fifty_steps_of_the_papers_network(tmp_path):
    rows = tiny_rows(patches=20)
    store = tmp_path / "store.h5"
    write_store(store, tiny_pixels(rows, side=75), rows, tiny_concepts(rows))
    settings = {"weights": "none", "epochs": (3, 3), "batch_size": 8, "learning_rate": 1e-4, "patience": 99}
    plain, cached = both(
        store, tmp_path, **{**settings, "backbone": "InceptionV3", "trainable": "paper", "dense": (64,)}
    )
    steps = 6 * -(-int((rows["role"] == "train").sum()) // 8)
    assert steps >= 50
    mine, theirs = history(cached), history(plain)
    losses = [name for name in mine if "loss" in name]
    np.testing.assert_allclose(mine[losses].to_numpy(float), theirs[losses].to_numpy(float), rtol=1e-4)
