"""Mean and variance of the training embeddings, and the network that uses them."""

import keras
import numpy as np
import pytest

from mta.data import moments
from mta.data.moments import fit_moments, set_moments
from mta.model import build_model
from mta.spec import ModelSpec
from mta.training.network import seeded_model


class Numbers:
    """Inputs in memory that remember which rows were taken."""

    def __init__(self, values):
        self.values, self.taken = np.asarray(values, np.float32), []

    def take(self, rows):
        self.taken += list(rows)
        return {"embedding": self.values[rows], "views": np.zeros(len(rows))}


def itself(width):
    """A network that gives the embedding as it is."""
    source = keras.Input((width,), name="embedding")
    return keras.Model({"embedding": source}, source)


def test_moments_are_those_of_the_training_rows(monkeypatch):
    monkeypatch.setattr(moments, "SAMPLE", 7000)
    generator = np.random.default_rng(0)
    values = generator.normal([0, 5, -1e4], [1, 0.3, 30], (9000, 3))
    values[7000:] = 1e6  # other roles
    mean, variance = fit_moments(Numbers(values), itself(3), np.arange(7000), seed=1)
    training = values[:7000].astype("float32").astype(float)
    np.testing.assert_allclose(mean, training.mean(axis=0), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(variance, training.var(axis=0), rtol=1e-5)
    assert mean.dtype == variance.dtype == np.float32


@pytest.mark.parametrize("value", [0.0, 0.1, -3e5])
def test_a_number_that_never_varies_becomes_zero(value):
    values = np.random.default_rng(0).normal(size=(100, 2))
    values[:, 1] = value
    found = fit_moments(Numbers(values), itself(2), np.arange(100), seed=1)
    model = build_model(ModelSpec(embedding=2, concepts=(), domains=0, dense=(3,)))
    set_moments(model, found)
    standard = np.asarray(model.get_layer("standardization")(values.astype("float32")))
    np.testing.assert_allclose(standard[:, 1], 0, atol=0.5)  # a float32 of this size ends at 1/32
    np.testing.assert_allclose(standard[:, 0].std(), 1, rtol=1e-4)


def test_numbers_of_which_none_varies_are_left_at_their_scale():
    found = fit_moments(Numbers(np.full((40, 2), 3.0)), itself(2), np.arange(40), seed=1)
    np.testing.assert_array_equal(found, [[3, 3], [1, 1]])


def test_a_number_that_hardly_varies_in_training_is_not_enormous_elsewhere():
    values = np.random.default_rng(0).normal(size=(200, 5)) * [1, 2, 3, 4, 1e-4]
    _, variance = fit_moments(Numbers(values), itself(5), np.arange(200), seed=1)
    deviation = np.sqrt(variance)
    np.testing.assert_allclose(deviation[4], 0.1 * np.median(deviation), rtol=1e-5)
    np.testing.assert_allclose(deviation[:4], values[:, :4].std(axis=0), rtol=1e-4)


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_what_is_far_from_zero_keeps_what_varies_in_it(precision):
    values = np.random.default_rng(0).normal(300, 1, (50, 4)).astype("float32")
    model = seeded_model(ModelSpec(embedding=4, concepts=(), domains=0, dense=(3,)), 1, precision)
    set_moments(model, np.stack([values.mean(axis=0), values.var(axis=0)]))
    standard = np.asarray(keras.Model(model.input, model.get_layer("standardization").output)(values))
    np.testing.assert_allclose(standard, (values - values.mean(axis=0)) / values.std(axis=0), atol=1e-3)


def test_of_many_rows_some_blocks_are_taken_by_the_seed(monkeypatch):
    monkeypatch.setattr(moments, "SAMPLE", 64)
    data, below = Numbers(np.random.default_rng(0).normal(size=(320, 2))), itself(2)
    first = fit_moments(data, below, np.arange(320), seed=1)
    taken = sorted(set(data.taken))
    assert len(taken) == 64
    assert len(np.unique(np.array(taken) // 32)) == 2
    np.testing.assert_array_equal(first, fit_moments(data, below, np.arange(320), seed=1))
    assert (fit_moments(data, below, np.arange(320), seed=2)[0] != first[0]).any()


def test_concept_heads_may_stand_on_the_embedding_itself(tmp_path):
    spec = ModelSpec(embedding=5, concepts=("a",), domains=2, dense=(4,), concept_head_on="pool")
    model = build_model(spec)
    assert model.get_layer("a").kernel.shape == (5, 1)
    assert model.get_layer("tumor").kernel.shape == (4, 1)
    set_moments(model, np.array([[2.0] * 5, [9.0] * 5], "float32"))
    model.save(tmp_path / "net.keras")
    again = keras.saving.load_model(tmp_path / "net.keras", compile=False, safe_mode=True)
    values = np.random.default_rng(0).normal(2, 3, (6, 5)).astype("float32")
    np.testing.assert_array_equal(again.predict(values, verbose=0)["a"], model.predict(values, verbose=0)["a"])
    standard = (values - 2) / 3
    np.testing.assert_allclose(
        model.predict(values, verbose=0)["a"], standard @ np.asarray(model.get_layer("a").kernel), atol=1e-5
    )
