"""Augmentation stands in front of the network in training, and nowhere else."""

import numpy as np
import pytest

from data_prep.stain import Macenko
from data_prep.stain.stains import Stains
from mta.data.views import dihedral
from mta.layers import ColorJitter, HEDJitter, RandomDihedral, StainMatrixJitter
from mta.predict import predict
from mta.run_folder import RunFolder
from mta.settings import configure
from mta.train import train
from mta.training.augmenting import augmented
from mta.training.loop import make_ready
from tests.builders import TINY
from tests.mta.training.comparing import assert_same_run, history, weights
from tests.mta.training.killing import Killed, kill_in_batch

EVERY = ("flips", "stain", "hed", "color")
SETTINGS = {**TINY, "epochs": (2, 1), "augment": EVERY, "quiet": True}


def ready(store, **settings):
    return make_ready(configure({"store": str(store), "out": "run", **TINY, **settings}))


def layers(network):
    return [layer for layer in network.body.layers if hasattr(layer, "seed_generator")]


def test_layers_in_a_fixed_order_each_with_a_seed_of_its_own(tiny_h5):
    network = ready(
        tiny_h5, augment=("color", "flips", "hed", "stain"), stain_sigma=0.1, color_ranges=(0.0, 0.1, 1, 0)
    )[1]
    found = layers(network)
    assert [type(layer) for layer in found] == [RandomDihedral, StainMatrixJitter, HEDJitter, ColorJitter]
    assert found[1].sigma == found[2].sigma == 0.1
    assert list(found[3].ranges.values()) == [0.0, 0.1, 1, 0]
    assert len({layer.get_config()["seed"] for layer in found}) == 4
    again = layers(ready(tiny_h5, augment=EVERY)[1])
    assert [layer.get_config()["seed"] for layer in again] == [layer.get_config()["seed"] for layer in found]
    other = layers(ready(tiny_h5, augment=EVERY, seed=2)[1])
    assert not {layer.get_config()["seed"] for layer in other} & {layer.get_config()["seed"] for layer in found}


def test_stains_are_those_of_the_reference_where_it_has_some(tiny_h5):
    _, network, _ = ready(tiny_h5, augment=("stain",), stain="reinhard")
    np.testing.assert_array_equal(layers(network)[0].matrix, Macenko().target().matrix)
    other = Macenko.from_stains(Stains.of([[0.6, 0.1], [0.7, 0.9], [0.3, 0.4]], [1.0, 1.0]))
    body = augmented(network.model, configure({"augment": ("stain",)}), other)
    np.testing.assert_array_equal(body.layers[1].matrix, other.stains.matrix)


def test_patches_are_turned_as_the_reader_says_and_in_training_alone(tiny_h5):
    setup, network, feed = ready(tiny_h5, augment=("flips",), stain="none")
    inputs = feed.inputs
    rows, views = setup.data.of("train")[:8], np.arange(8)
    inputs.start(rows)
    fed = inputs.between(0, 8, views)
    [layer] = layers(network)
    patches = setup.data.patches.take(rows)
    np.testing.assert_array_equal(layer(fed["image"], fed["views"], training=True), dihedral(patches, views))
    np.testing.assert_array_equal(layer(fed["image"], fed["views"], training=False), patches)


def test_outputs_are_those_of_the_plain_network_but_in_training(tiny_h5):
    setup, network, feed = ready(tiny_h5, augment=EVERY, dropout=0.0)
    inputs = feed.inputs
    fed = inputs.take(setup.data.of("validation"))
    plain, behind = network.model(fed["image"]), network.body(fed)
    training = network.body(fed, training=True)
    for name, values in plain.items():
        np.testing.assert_array_equal(behind[name], values)
    assert np.abs(np.asarray(training["tumor"]) - np.asarray(plain["tumor"])).max() > 0


@pytest.fixture(scope="module")
def run(tiny_h5, tmp_path_factory):
    """A finished run with every augmentation. Not to be changed."""
    return train(tiny_h5, tmp_path_factory.mktemp("every") / "run", **SETTINGS)


def test_saved_models_have_no_augmentation_and_predict_the_same_twice(tiny_h5, run):
    for name in ("best", "last"):
        model = RunFolder(run).load_model(name)
        assert not [layer.name for layer in model.layers if "jitter" in layer.name or "dihedral" in layer.name]
        assert model.input.shape == (None, 32, 32, 3)
    first, second = (predict(run, tiny_h5, quiet=True) for _ in range(2))
    np.testing.assert_array_equal(first["logit"], second["logit"])


def test_a_run_killed_again_and_again_draws_as_an_undisturbed_one(tiny_h5, run, tmp_path):
    out = tmp_path / "run"
    for epoch in (1, 2):
        with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
            kill_in_batch(patch, epoch, 1)
            train(tiny_h5, out, **SETTINGS)
    train(tiny_h5, out, **SETTINGS)
    assert_same_run(out, run)


@pytest.mark.parametrize("name", EVERY)
def test_each_augmentation_changes_training(tiny_h5, tmp_path, name):
    settings = {**TINY, "epochs": (1, 0), "preset": "baseline", "stain": "none", "quiet": True}
    plain = train(tiny_h5, tmp_path / "plain", **settings, augment=())
    varied = train(tiny_h5, tmp_path / "varied", **settings, augment=(name,))
    assert history(plain)["loss"][0] != history(varied)["loss"][0]
    pairs = zip(weights(plain, "last"), weights(varied, "last"), strict=True)
    assert any((one != other).any() for one, other in pairs)


def test_flips_alone_go_with_the_cache_and_other_augmentation_around_it(tiny_h5, tmp_path, capsys):
    frozen = {"trainable": "last:1", "epochs": (2, 0), "cache_dir": str(tmp_path)}
    assert ready(tiny_h5, augment=("flips",), **frozen)[2].inputs.views == 8
    assert "feature_0" in ready(tiny_h5, augment=("flips",), **frozen)[1].body.input
    assert capsys.readouterr().out == ""
    _, network, feed = ready(tiny_h5, augment=("flips", "hed"), **frozen)
    assert (feed.inputs.views, set(network.body.input)) == (8, {"image", "views"})
    told = capsys.readouterr().out.splitlines()
    assert [line for line in told if line.startswith("--augment hed: patches differ in every epoch")] == told


def test_flips_are_the_same_with_and_without_the_cache(tiny_h5, tmp_path):
    settings = {**TINY, "trainable": "last:1", "epochs": (2, 0), "augment": ("flips",), "quiet": True}
    plain = train(tiny_h5, tmp_path / "plain", **settings, cache="off")
    cached = train(tiny_h5, tmp_path / "cached", **settings, cache_dir=str(tmp_path / "caches"))
    assert list((tmp_path / "caches").iterdir())
    for mine, theirs in zip(weights(cached, "last"), weights(plain, "last"), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)
