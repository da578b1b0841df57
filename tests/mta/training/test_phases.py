"""Phases, the ramp, and what entering a phase does to the network."""

import math
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest

from mta.layers import GradientReversal
from mta.settings import configure
from mta.spec import ModelSpec
from mta.train import train
from mta.training.network import make_network, seeded_model
from mta.training.phases import Phase, StrengthRamp, phases_of, ramp
from tests.builders import TINY
from tests.mta.training.comparing import history, weights


def phases(**settings):
    return phases_of(configure({"epochs": (3, 2), **settings}))


def test_strength_0_then_1():
    assert phases() == [Phase(3, 0.0), Phase(2, 1.0)]
    assert phases(epochs=(0, 2)) == [Phase(2, 1.0)]
    assert phases(epochs=(3, 0)) == [Phase(3, 0.0)]


def test_the_original_starts_its_second_phase_afresh():
    assert phases(profile="original") == [Phase(3, 0.0), Phase(2, 1.0, afresh=True)]


def test_the_originals_random_concept_has_a_second_phase_without_an_adversary():
    assert phases(profile="original", preset="random-concept") == [Phase(3, 0.0), Phase(2, 0.0, afresh=True)]


@pytest.mark.parametrize("preset", ["baseline", "multitask", "random-concept"])
def test_presets_of_one_phase_take_the_sum(preset):
    assert phases(preset=preset) == [Phase(5, 0.0)]
    assert phases(preset=preset, schedule="dann") == [Phase(5, 0.0)]


def test_dann_is_one_ramp_over_all_epochs():
    assert phases(schedule="dann") == [Phase(5, 1.0, ramped=True)]


def test_strength_is_that_of_phase_2_and_of_the_end_of_the_ramp():
    assert phases(strength=3.0) == [Phase(3, 0.0), Phase(2, 3.0)]
    assert phases(strength=3.0, schedule="dann") == [Phase(5, 3.0, ramped=True)]
    assert phases(strength=3.0, preset="baseline") == [Phase(5, 0.0)]


def test_ramp_values():
    assert ramp(0) == 0
    assert ramp(0.1) == pytest.approx((math.e - 1) / (math.e + 1), abs=1e-12)  # tanh(1/2)
    assert ramp(0.5) == pytest.approx(math.tanh(2.5), abs=1e-12)
    assert ramp(1) == pytest.approx(0.9999092, abs=1e-7)


@pytest.mark.parametrize("final", [1.0, 3.0])
def test_the_ramp_follows_the_optimizers_iteration(final):
    layer, optimizer = GradientReversal(), SimpleNamespace(iterations=keras.Variable(0, dtype="int32"))
    callback = StrengthRamp(layer, steps=20, final=final)
    callback.set_model(SimpleNamespace(optimizer=optimizer))
    for iteration in (0, 7, 20, 30):
        optimizer.iterations.assign(iteration)
        callback.on_train_batch_begin(0)
        assert float(layer.strength) == pytest.approx(final * ramp(min(1, iteration / 20)), rel=1e-6)


def network(**settings):
    config = configure({**TINY, **settings})
    spec = ModelSpec(("ncount",), 2, "SmallCNN", None, "all", 32, dense=(8,), dropout=0.3)
    model = seeded_model(spec, config.seed, "float32")
    return make_network(model, model, config, (0.5, 0.5)), config


def step(net):
    rng = np.random.default_rng(0)
    true = {"tumor": np.array([[0], [1]]), "domain": np.eye(2), "ncount": np.array([[0.1], [-1.0]])}
    inputs = {"image": rng.integers(0, 256, (2, 32, 32, 3), dtype="uint8")}
    inputs |= {f"y_{name}": value.astype("float32") for name, value in true.items()}
    net.training.train_on_batch(inputs, {**true, "loss": np.zeros((2, 1))})


def test_paper_goes_on_with_the_same_optimizer_and_log_variances():
    net, config = network()
    net.enter(Phase(1, 0.0), config)
    step(net)
    optimizer, learned = net.training.optimizer, net.log_variances()
    assert all(learned.values())
    net.enter(Phase(1, 1.0), config)
    assert net.strength() == 1
    assert net.training.optimizer is optimizer
    assert int(optimizer.iterations) == 1
    assert net.log_variances() == learned
    before = [np.asarray(keras.ops.convert_to_numpy(v)) for v in net.model.get_layer("block1_conv").trainable_weights]
    step(net)
    after = net.model.get_layer("block1_conv").get_weights()
    assert (before[0] != after[0]).any()


def test_original_forgets_log_variances_and_optimizer_and_freezes_the_trunk():
    net, config = network(profile="original")
    net.enter(Phase(1, 0.0), config)
    step(net)
    optimizer = net.training.optimizer
    net.enter(Phase(1, 1.0, afresh=True), config)
    assert net.strength() == 1
    assert set(net.log_variances().values()) == {0.0}
    assert net.training.optimizer is not optimizer
    assert int(net.training.optimizer.iterations) == 0
    trunk = net.model.get_layer("block4_conv").get_weights()[0]
    head = net.model.get_layer("features_1").get_weights()[0]
    step(net)
    np.testing.assert_array_equal(net.model.get_layer("block4_conv").get_weights()[0], trunk)
    assert (net.model.get_layer("features_1").get_weights()[0] != head).any()
    assert all(net.log_variances().values())


def test_the_seed_decides_the_first_weights():
    first, again, other = (network(seed=seed)[0].model.get_weights() for seed in (1, 1, 2))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert any((a != b).any() for a, b in zip(first, other, strict=True))


def test_history_of_a_two_phase_run(tiny_run):
    rows = history(tiny_run)
    assert list(rows["epoch"]) == [1, 2, 3, 4]
    assert list(rows["phase"]) == [1, 1, 2, 2]
    assert list(rows["strength"]) == [0, 0, 1, 1]
    tasks = ["tumor", "domain", "ncount", "narea"]
    wanted = {f"{column}_{task}" for column in ("loss", "log_var", "val_loss") for task in tasks}
    wanted |= {"loss", "val_loss", "penalty", "val_auc", "val_domain_accuracy", "domain_chance"}
    assert wanted | {"val_r2_ncount", "val_r2_narea"} <= set(rows)
    assert rows[sorted(wanted)].notna().all(axis=None)
    assert set(rows["domain_chance"]) == {0.5}
    assert (rows["penalty"] > 0).all()


def test_validation_loss_is_the_weighted_sum_of_its_parts(tiny_run):
    for _, row in history(tiny_run).iterrows():
        s = {task: row[f"log_var_{task}"] for task in ("tumor", "domain", "ncount", "narea")}
        total = math.exp(-s["tumor"]) * row["val_loss_tumor"] + s["tumor"] / 2
        total += math.exp(-s["domain"]) * row["val_loss_domain"] + s["domain"]
        total += sum(math.exp(-s[c]) * row[f"val_loss_{c}"] / 2 + s[c] / 2 for c in ("ncount", "narea"))
        assert row["val_loss"] == pytest.approx(total + row["penalty"], rel=1e-5)


def test_log_variances_go_on_across_the_phases(tiny_run):
    log_vars = history(tiny_run)["log_var_narea"].to_numpy()
    steps = np.abs(np.diff(log_vars))
    assert log_vars[0] != 0
    assert abs(log_vars[2] - log_vars[1]) < 3 * steps[0] + 1e-4
    assert log_vars[2] != pytest.approx(log_vars[0], abs=1e-12)


def test_best_is_the_epoch_of_the_last_phase_with_the_lowest_task_loss(tiny_run, tiny_h5):
    from mta.predict import predict

    table = predict(tiny_run, tiny_h5, quiet=True)
    split = pd.read_csv(tiny_run / "split.csv")
    mine = table[split["role"] == "validation"]
    label = np.tile([0, 1], len(mine) // 2)
    loss = np.where(label, np.logaddexp(0, -mine["logit"]), np.logaddexp(0, mine["logit"])) * 0.5
    rows = history(tiny_run)
    assert loss.mean() == pytest.approx(rows.loc[rows["phase"] == 2, "val_loss_tumor"].min(), rel=1e-4)


def test_the_models_of_a_run_differ(tiny_run):
    last, first = weights(tiny_run, "last"), weights(tiny_run, "best_phase1")
    assert any((a != b).any() for a, b in zip(last, first, strict=True))


def test_dann_run_ramps_by_step_and_early_stopping_by_phase(tiny_h5, tmp_path):
    settings = {**TINY, "quiet": True}
    dann = train(tiny_h5, tmp_path / "dann", schedule="dann", **{**settings, "epochs": (1, 1)})
    # 24 rows in batches of 8: the strength noted after an epoch is that of its last step.
    assert list(history(dann)["strength"]) == pytest.approx([ramp(2 / 6), ramp(5 / 6)], rel=1e-6)
    assert list(history(dann)["phase"]) == [1, 1]
    assert not (dann / "best_phase1.keras").exists()
    still = {**settings, "epochs": (4, 4), "patience": 1, "learning_rate": 1e-12, "momentum": 0.0}
    assert list(history(train(tiny_h5, tmp_path / "still", **still))["phase"]) == [1, 1, 2, 2]
