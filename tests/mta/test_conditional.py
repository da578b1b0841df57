"""The adversary with a domain head for each class."""

import keras
import numpy as np
import pytest

import mta
from data_prep.errors import InputError
from mta.config import TrainConfig
from mta.model import BY_CLASS, build_training_model, tasks_of, taught
from mta.run_folder import RunFolder
from mta.settings import configure
from mta.train import train
from tests.builders import TINY
from tests.mta.test_model import batch, small


def conditional(**changes):
    return small(adversary_mode="conditional", **changes)


def values(tensor):
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def test_the_outputs_are_those_of_the_marginal_one():
    model, images = conditional(), batch()["image"]
    outputs = model(images)
    assert list(outputs) == list(small().output)
    assert tasks_of(model) == tasks_of(small())
    assert outputs["domain"].shape == (6, 3)
    np.testing.assert_allclose(values(outputs["domain"]).sum(axis=1), 1, rtol=1e-5)


def test_prediction_weighs_both_heads_by_the_class_predicted():
    model, images = conditional(), batch()["image"]
    outputs = taught(model)(images)
    each = values(outputs[BY_CLASS])
    tumor = 1 / (1 + np.exp(-values(outputs["tumor"])))
    np.testing.assert_allclose(
        values(outputs["domain"]), (1 - tumor) * each[:, 0] + tumor * each[:, 1], rtol=1e-5, atol=1e-7
    )


def test_training_takes_the_head_of_the_true_class_and_no_unlabelled_patch():
    model, data = conditional(), batch()
    training = build_training_model(taught(model), weighting="fixed")
    data["y_tumor"][:3] = -1
    each = values(taught(model)(data["image"])[BY_CLASS])
    picked = values(training(data)["domain"])
    np.testing.assert_allclose(picked[3:], each[np.arange(3, 6), data["y_tumor"][3:, 0].astype(int)], rtol=1e-5)
    np.testing.assert_allclose(picked[:3], each[:3].mean(axis=1), rtol=1e-5)


def test_a_marginal_model_is_taught_as_it_is():
    model = small()
    assert taught(model) is model


@pytest.mark.parametrize("settings", [{}, {"trainable": "last:1"}, {"augment": ("hed",)}], ids=str)
def test_a_run_learns_resumes_its_form_and_loads(tiny_h5, tmp_path, settings):
    made = {**TINY, **settings, "adversary_mode": "conditional", "strength": 0.5}
    run = train(tiny_h5, tmp_path / "run", quiet=True, **made)
    history = RunFolder(run).file("history.csv").read_text().splitlines()
    assert [line.split(",")[2] for line in history[1:]] == ["0.0", "0.5"]
    model = mta.load(run)
    assert set(model.output) == {"tumor", "domain", "ncount", "narea"}
    before = small(adversary_mode="conditional", size=32, dense=(16,), domains=2)
    assert model.count_params() == before.count_params()


@pytest.mark.parametrize("settings", [{"adversary_mode": "conditional"}, {"strength": 2.0}])
def test_the_original_knows_neither(settings):
    with pytest.raises(InputError, match="profile original knows one adversary"):
        configure({"profile": "original", **settings})


def test_strength_must_be_a_number_of_0_or_more():
    assert TrainConfig("", "").strength == 1
    for strength in (-1.0, float("inf"), float("nan")):
        with pytest.raises(InputError, match="strength must be"):
            configure({"strength": strength})
