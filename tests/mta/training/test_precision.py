"""Runs in shorter numbers, and compiled ones, end near plain ones; what has to be float32 is."""

import dataclasses

import keras
import numpy as np
import pytest

from data_prep.errors import InputError
from mta.data.features.key import cache_key, key_name
from mta.frozen import cut_frozen
from mta.run_folder import RunFolder
from mta.settings import configure
from mta.spec import ModelSpec
from mta.train import train
from mta.training.network import make_network, seeded_model
from mta.training.phases import Phase
from tests.builders import TINY
from tests.mta.training.comparing import assert_same_run, history, weights
from tests.mta.training.killing import Killed, kill_in_batch

# Without an adversary, whose game with the trunk lets differences grow; few and small steps, since in float16 the first
# ones are skipped until the scale of the loss fits.
SETTINGS = {**TINY, "preset": "multitask", "dropout": 0.0, "learning_rate": 1e-6, "quiet": True}
# Of every loss in history.csv, relative; bfloat16 has 8 bits, float16 11.
TOLERANCE = {"mixed_bfloat16": 0.02, "mixed_float16": 0.005}
SHORT = sorted(TOLERANCE)


def losses(run):
    return history(run).filter(regex="loss").to_numpy()


@pytest.fixture(scope="module")
def plain(tiny_h5, tmp_path_factory):
    return train(tiny_h5, tmp_path_factory.mktemp("plain") / "run", **SETTINGS)


def network(precision):
    config = configure({**TINY, "precision": precision})
    spec = ModelSpec(("ncount",), 2, "SmallCNN", None, "last:2", 32, dense=(8,), dropout=0.0)
    model = seeded_model(spec, 1, precision)
    return make_network(model, model, config, None)


@pytest.mark.parametrize("precision", SHORT)
def test_losses_are_near_those_in_float32(plain, tiny_h5, tmp_path, precision):
    run = train(tiny_h5, tmp_path / "run", precision=precision, **SETTINGS)
    apart = np.abs(losses(run) / losses(plain) - 1).max()
    assert 0 < apart <= TOLERANCE[precision]
    # The saved model remembers its precision, and answers in float32.
    model = RunFolder(run).load_model("last")
    assert model.get_layer("features_1").compute_dtype == precision.removeprefix("mixed_")
    found = model.predict_on_batch(np.zeros((2, 32, 32, 3), "uint8"))
    assert {values.dtype.name for values in found.values()} == {"float32"}


def change_of_a_step(precision):
    """How a step changes all weights (one flat array), and the network."""
    net, config = network(precision), {**TINY, "learning_rate": 0.1, "momentum": 0.0, "nesterov": False}
    net.enter(Phase(1, 1.0), configure({**config, "precision": precision}))
    if precision == "mixed_float16":
        net.training.optimizer.dynamic_scale.assign(256.0)  # it starts higher, and skips steps until it fits
    rng = np.random.default_rng(0)
    true = {"tumor": np.array([[0], [1], [-1]]), "domain": np.eye(2)[[0, 1, 1]]}
    true["ncount"] = np.array([[0.1], [-1.0], [np.nan]])
    inputs = {"image": rng.integers(0, 256, (3, 32, 32, 3), dtype="uint8")}
    inputs |= {f"y_{name}": value.astype("float32") for name, value in true.items()}
    before = net.training.get_weights()
    net.training.train_on_batch(inputs, {**true, "loss": np.zeros((3, 1))})
    after = net.training.get_weights()
    return np.concatenate([np.ravel(b - a) for a, b in zip(before, after, strict=True) if a.dtype == "float32"])


@pytest.mark.parametrize("precision", SHORT)
def test_a_step_goes_where_one_in_float32_goes(precision):
    plain, short = change_of_a_step("float32"), change_of_a_step(precision)
    assert 0 < np.linalg.norm(short - plain) <= 0.1 * np.linalg.norm(plain)


@pytest.mark.parametrize("precision", SHORT)
def test_weights_heads_and_losses_are_float32(precision):
    before = keras.config.dtype_policy().name
    net = network(precision)
    assert keras.config.dtype_policy().name == before
    assert {weight.dtype for weight in net.model.trainable_weights} == {"float32"}
    assert {net.model.get_layer(name).compute_dtype for name in ("tumor", "domain", "ncount")} == {"float32"}
    assert net.endpoint.compute_dtype == "float32"
    assert net.model.get_layer("block1_conv").compute_dtype == precision.removeprefix("mixed_")


def test_another_precision_is_another_cache(tmp_path):
    (tmp_path / "a.h5").write_bytes(b"a")
    names = set()
    for precision in ("float32", *SHORT):
        cut = cut_frozen(network(precision).model)
        names.add(key_name(cache_key([tmp_path / "a.h5"], "rgb", None, cut, 1, "float32")))
    assert len(names) == 3


@pytest.mark.parametrize("precision", SHORT)
def test_a_run_from_the_cache_is_the_run_from_patches(tiny_h5, tmp_path, precision):
    settings = {**SETTINGS, "trainable": "last:2", "precision": precision, "cache_dir": str(tmp_path / "cache")}
    runs = [train(tiny_h5, tmp_path / cache, cache=cache, **settings) for cache in ("auto", "off")]
    assert list((tmp_path / "cache").glob("*/features.bin"))
    np.testing.assert_allclose(losses(runs[0]), losses(runs[1]), rtol=TOLERANCE[precision] / 2)


def test_the_scale_of_the_loss_is_resumed(tiny_h5, tmp_path):
    settings = {**SETTINGS, "precision": "mixed_float16", "dropout": 0.3, "optimizer": "adam"}
    undisturbed = train(tiny_h5, tmp_path / "undisturbed", **settings)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        kill_in_batch(patch, 1, 1)
        train(tiny_h5, tmp_path / "killed", **settings)
    assert_same_run(train(tiny_h5, tmp_path / "killed", **settings), undisturbed)


def test_another_precision_does_not_continue_a_run_but_another_strategy_or_jit_does(plain, tiny_h5):
    with pytest.raises(InputError, match="precision='float32', not 'mixed_bfloat16'"):
        train(tiny_h5, plain, precision="mixed_bfloat16", **SETTINGS)
    assert train(tiny_h5, plain, jit="on", **SETTINGS) == plain
    RunFolder(plain).require_same(dataclasses.replace(RunFolder(plain).config(), strategy="mirrored"))


@pytest.mark.slow
def test_compiled_is_as_plain(plain, tiny_h5, tmp_path):
    compiled = train(tiny_h5, tmp_path / "run", jit="on", **SETTINGS)
    np.testing.assert_allclose(losses(compiled), losses(plain), rtol=1e-4)
    for mine, theirs in zip(weights(compiled, "last"), weights(plain, "last"), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)


def test_jit_is_what_was_asked_for_and_off_on_a_cpu():
    net, config = network("float32"), {**TINY, "adversary": "centre"}
    for jit, expected in (("auto", False), ("on", True), ("off", False)):
        net._compile(configure({**config, "jit": jit}))
        assert net.training.jit_compile is expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"jit": "on", "strategy": "mirrored"}, "--jit on: XLA fails under --strategy mirrored"),
        ({"folds": 3, "strategy": "multiworker"}, "train one fold at a time"),
    ],
)
def test_what_does_not_go_together_is_refused(settings, message):
    with pytest.raises(InputError, match=message):
        configure(settings)
