"""Pooled features on one scale: fitted once on training patches, kept with the run."""

import keras
import numpy as np
import pytest

from data_prep.errors import InputError
from data_prep.store import open_patches
from mta.backbones import build_trunk
from mta.exporting.serving import serving_model
from mta.frozen import cut_frozen
from mta.model import build_model
from mta.run_folder import RunFolder
from mta.settings import configure
from mta.spec import ModelSpec
from mta.train import train
from mta.trained import load_run
from tests.builders import TINY
from tests.mta.training.comparing import assert_same_run, history
from tests.mta.training.killing import Killed, kill_in_batch

SETTINGS = {**TINY, "standardize": "on", "trainable": "last:1", "epochs": (2, 1), "stain": "none", "quiet": True}


@pytest.fixture(scope="module")
def run(tiny_h5, tmp_path_factory):
    """Not to be changed."""
    folder = tmp_path_factory.mktemp("standardized")
    return train(tiny_h5, folder / "run", **SETTINGS, cache_dir=str(folder / "caches"))


def layer(run):
    return RunFolder(run).load_model("last").get_layer("standardization")


def pooled(model, images):
    return np.asarray(keras.Model(model.input, model.get_layer("pool").output)(images))


def test_moments_are_those_of_training_patches_before_the_first_step(run, tiny_h5):
    patches, config = open_patches(tiny_h5), RunFolder(run).config()
    rows = np.flatnonzero(patches.rows["role"] == "train")
    keras.utils.set_random_seed(config.seed)
    begun = build_model(ModelSpec(config.concepts, 2, "SmallCNN", None, "last:1", 32, dense=(16,), dropout=0.3))
    features = pooled(begun, patches.take(rows))
    found = layer(run)
    np.testing.assert_allclose(found.adapt_mean, features.mean(axis=0), rtol=1e-4)
    variance = features.var(axis=0)
    floor = 0.01 * np.median(variance[variance > 0])
    np.testing.assert_allclose(found.adapt_variance, np.maximum(variance, floor), rtol=1e-3)


def test_the_shared_layers_and_the_heads_on_the_pool_take_standardized_features():
    spec = ModelSpec(("a",), 0, "SmallCNN", None, "none", 32, standardize=True, concept_head_on="pool")
    model = build_model(spec)
    below = model.get_layer("standardization").output
    assert model.get_layer("features_1").input is below
    assert model.get_layer("a").input is below


@pytest.mark.parametrize("batch", [0, 2])
def test_a_run_that_was_killed_ends_as_an_undisturbed_one(tiny_h5, run, tmp_path, monkeypatch, batch):
    settings = {**SETTINGS, "cache_dir": str(tmp_path / "caches"), "save_minutes": 1e-9}
    with monkeypatch.context() as patched, pytest.raises(Killed):
        kill_in_batch(patched, 1, batch)
        train(tiny_h5, tmp_path / "run", **settings)
    train(tiny_h5, tmp_path / "run", **settings)
    assert_same_run(tmp_path / "run", run)


def test_moments_are_not_fitted_again(tiny_h5, run, tmp_path, monkeypatch):
    settings = {**SETTINGS, "cache_dir": str(tmp_path / "caches")}
    with monkeypatch.context() as patched, pytest.raises(Killed):
        kill_in_batch(patched, 2, 0)
        train(tiny_h5, tmp_path / "run", **settings)
    monkeypatch.setattr("mta.training.standardizing.fit_moments", None)
    train(tiny_h5, tmp_path / "run", **settings)
    np.testing.assert_array_equal(layer(tmp_path / "run").adapt_mean, layer(run).adapt_mean)


@pytest.mark.parametrize("settings", [{"trainable": "none"}, {"trainable": "last:2", "augment": ("flips",)}], ids=str)
def test_features_from_the_cache_have_the_moments_of_the_whole_network(tiny_h5, tmp_path, settings):
    changed = {**SETTINGS, **settings, "cache_dir": str(tmp_path / "caches")}
    cached = train(tiny_h5, tmp_path / "cached", **changed)
    plain = train(tiny_h5, tmp_path / "plain", **changed, cache="off")
    assert list((tmp_path / "caches").iterdir())
    for name in ("adapt_mean", "adapt_variance"):
        np.testing.assert_allclose(getattr(layer(cached), name), getattr(layer(plain), name), rtol=1e-4)
    np.testing.assert_allclose(history(cached).to_numpy(float), history(plain).to_numpy(float), rtol=0.01, atol=1e-4)


def test_it_lies_above_the_cut_and_below_what_learns():
    cut = cut_frozen(build_model(ModelSpec((), 2, "SmallCNN", None, "none", 32, standardize=True)))
    assert cut.shapes == [(96,)]
    assert "standardization" not in {layer.name for layer in cut.lower.layers}


@pytest.mark.parametrize(
    ("given", "there"),
    [({"weights": "none"}, False), ({}, True), ({"standardize": "off"}, False), ({"standardize": "on"}, True)],
    ids=str,
)
def test_trained_trunks_are_standardized_unless_told_otherwise(tiny_h5, tmp_path, given, there):
    trunk = tmp_path / "trunk.weights.h5"
    build_trunk("SmallCNN", None, keras.Input((32, 32, 3))).save_weights(trunk)
    run = train(tiny_h5, tmp_path / "run", **{**TINY, "weights": str(trunk), "epochs": (1, 0), "quiet": True, **given})
    assert ("standardization" in {layer.name for layer in RunFolder(run).load_model("last").layers}) == there


def test_profile_original_takes_features_as_they_are():
    assert configure({"profile": "original"}).standardize == "off"
    with pytest.raises(InputError, match="pooled features as they are"):
        configure({"profile": "original", "standardize": "on"})


def test_an_export_answers_as_the_run(run, tiny_h5):
    trained = load_run(run, "last")
    images = open_patches(tiny_h5).take(np.arange(5))
    served = serving_model(trained.model, trained.coding).predict(images, verbose=0)
    expected = trained.model.predict(images, verbose=0)["tumor"]
    np.testing.assert_allclose(served["tumor"], expected, rtol=1e-4, atol=1e-5)
