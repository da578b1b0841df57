import keras
import numpy as np
import pytest

from data_prep.errors import InputError
from mta.metrics import R2, DomainAccuracy, LogitAccuracy, MeanSquaredError, TaskLoss
from mta.model import ModelSpec, build_model, build_training_model, single_head, tasks_of
from mta.trainable import paper_convolutions

SMALL = {"backbone": "SmallCNN", "weights": None, "trainable": "all", "size": 16, "dense": (16, 8), "dropout": 0.0}


def small(**changes):
    keras.utils.set_random_seed(1)
    return build_model(ModelSpec(**{"concepts": ("ncount", "narea"), "domains": 3, **SMALL, **changes}))


def batch(n=6, domains=3, concepts=("ncount", "narea"), size=16):
    rng = np.random.default_rng(0)
    labels = {
        "y_tumor": rng.integers(0, 2, (n, 1)),
        "y_domain": np.eye(domains)[rng.integers(0, domains, n)],
        **{f"y_{name}": rng.normal(size=(n, 1)) for name in concepts},
    }
    images = rng.integers(0, 256, (n, size, size, 3))
    return {name: values.astype("float32") for name, values in {"image": images, **labels}.items()}


def trained(model, data, weighting="original", optimizer=None):
    training = build_training_model(model, weighting=weighting)
    training.compile(optimizer or keras.optimizers.SGD(0.01))
    training.fit(data, batch_size=len(data["image"]), verbose=0)
    return training


@pytest.fixture(scope="module")
def papers():
    """The paper's network with one concept, and the baseline on the same trunk size."""
    spec = {"weights": None, "concepts": ("ncount",)}
    return build_model(ModelSpec(**spec))


def counts(model):
    learning = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    return model.count_params(), learning


def test_parameter_counts_of_the_authors_notebooks(papers):
    baseline = single_head(papers, "tumor")
    reversal = 1
    assert counts(baseline) == (27_179_809, 7_801_857)
    training = build_training_model(papers)
    assert counts(training) == (27_181_868 + reversal, 7_803_916)


def test_the_papers_five_convolutions_learn_and_nothing_else_of_the_trunk(papers):
    kernels = {weight.path for weight in papers.trainable_weights if "conv2d" in weight.path}
    assert kernels == {layer.kernel.path for layer in paper_convolutions(papers)}
    assert not any("batch_normalization" in weight.path for weight in papers.trainable_weights)
    dense = {weight.path.split("/")[-2] for weight in papers.trainable_weights} - {p.split("/")[-2] for p in kernels}
    assert dense == {"features_1", "features_2", "features_3", "tumor", "domain", "ncount"}


def test_layers_between_trunk_and_heads(papers):
    for number, width in enumerate((2048, 512, 256), 1):
        layer = papers.get_layer(f"features_{number}")
        assert (layer.units, layer.activation.__name__, float(layer.kernel_regularizer.l2)) == (width, "relu", 0.01)
        assert papers.get_layer(f"dropout_{number}").rate == 0.8
    assert papers.get_layer("pool").output.shape == (None, 2048)


def test_outputs_are_a_dict_of_logit_softmax_and_linear_heads():
    outputs = small()(batch()["image"])
    assert {name: tuple(values.shape) for name, values in outputs.items()} == {
        "tumor": (6, 1),
        "domain": (6, 3),
        "ncount": (6, 1),
        "narea": (6, 1),
    }
    np.testing.assert_allclose(np.sum(outputs["domain"], -1), 1.0, rtol=1e-6)
    model = small()
    assert model.get_layer("tumor").activation is keras.activations.linear
    assert model.get_layer("ncount").activation is keras.activations.linear


@pytest.mark.parametrize(
    ("changes", "tasks"),
    [
        ({"domains": 0, "concepts": ()}, {"tumor": "binary"}),
        (
            {"domains": 0, "concepts": ("zeta", "alpha")},
            {"tumor": "binary", "alpha": "regression", "zeta": "regression"},
        ),
        ({"domains": 2, "concepts": ()}, {"tumor": "binary", "domain": "categorical"}),
    ],
)
def test_heads_follow_the_spec(changes, tasks):
    model = small(**changes)
    assert list(tasks_of(model).items()) == list(tasks.items())
    assert ("gradient_reversal" in {layer.name for layer in model.layers}) == ("domain" in tasks)


def test_concept_head_on_the_pooled_features():
    assert small(concept_head_on="pool").get_layer("ncount").kernel.shape == (96, 1)
    assert small().get_layer("ncount").kernel.shape == (8, 1)
    assert small(dense=()).get_layer("tumor").kernel.shape == (96, 1)


@pytest.mark.parametrize("name", ["pool", "features_1", "block1_conv", "preprocessing", "normal", "domain_logits"])
def test_a_concept_named_like_a_layer_is_refused(name):
    with pytest.raises(InputError, match=f"concept '{name}' is also the name of a layer of the network"):
        small(concepts=(name,), adversary_mode="conditional")


def test_single_head_shares_the_layers():
    model = small()
    head, data = single_head(model, "narea"), batch()
    np.testing.assert_array_equal(head(data["image"]), model(data["image"])["narea"])
    assert head.get_layer("features_1") is model.get_layer("features_1")
    with pytest.raises(InputError, match="no head 'centre'; it has"):
        single_head(model, "centre")


def test_inference_model_comes_back_from_disk_with_the_same_predictions(tmp_path):
    model, data = small(), batch()
    model.get_layer("gradient_reversal").strength.assign(0.25)
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras", safe_mode=True)
    before, after = model.predict(data["image"], verbose=0), loaded.predict(data["image"], verbose=0)
    assert set(before) == set(after)
    for name in before:
        np.testing.assert_array_equal(before[name], after[name])
    assert float(loaded.get_layer("gradient_reversal").strength) == 0.25
    assert tasks_of(loaded) == tasks_of(model)
    assert [weight.path for weight in loaded.trainable_weights] == [weight.path for weight in model.trainable_weights]


def test_a_loaded_model_trains_as_the_one_that_was_saved(tmp_path):
    model, data = small(), batch()
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    for one in (model, loaded):
        trained(one, data)
    for mine, other in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, other)


def targets_of(data):
    """What compiled metrics ask for: an entry for every output, whatever it is for the loss."""
    labels = {name.removeprefix("y_"): values for name, values in data.items() if name != "image"}
    return {**labels, "loss": np.zeros(len(data["image"]), "float32")}


def compiled_with_metrics(model):
    training = build_training_model(model, class_weights=(0.25, 0.75))
    metrics = {
        "tumor": [TaskLoss("binary", (0.25, 0.75)), LogitAccuracy()],
        "domain": [TaskLoss("categorical"), DomainAccuracy()],
        "ncount": [MeanSquaredError(), R2()],
    }
    training.compile(keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True), metrics=metrics)
    return training


def test_training_model_comes_back_from_disk_compiled(tmp_path):
    training, data = compiled_with_metrics(small()), batch()
    targets = targets_of(data)
    training.fit(data, targets, batch_size=6, verbose=0)
    training.get_layer("uncertainty_loss").log_vars["domain"].assign(-0.5)
    training.save(tmp_path / "t.keras")
    loaded = keras.saving.load_model(tmp_path / "t.keras", safe_mode=True)
    before, after = (one.evaluate(data, targets, verbose=0, return_dict=True) for one in (training, loaded))
    assert before == after
    assert {"loss", "tumor_accuracy", "domain_accuracy", "ncount_r2"} <= set(before)
    assert float(loaded.get_layer("uncertainty_loss").log_vars["domain"]) == -0.5
    for one in (training, loaded):
        one.fit(data, targets, batch_size=6, verbose=0)
    for mine, other in zip(training.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, other)


def test_reported_loss_is_the_uncertainty_loss_plus_the_penalties():
    model, data = small(l2=0.02), batch()
    training = compiled_with_metrics(model)
    outputs = training(data)
    penalty = 0.02 * sum(np.sum(np.square(model.get_layer(f"features_{k}").kernel)) for k in (1, 2))
    reported = training.evaluate(data, targets_of(data), batch_size=6, verbose=0, return_dict=True)["loss"]
    assert reported == pytest.approx(float(outputs["loss"]) + penalty, rel=1e-5)


def test_training_trains_the_inference_model_and_the_log_variances():
    model, data = small(), batch()
    before = model.get_weights()
    training = trained(model, data)
    moved = [not np.array_equal(old, new) for old, new in zip(before, model.get_weights(), strict=True)]
    names = [weight.path for weight in model.weights]
    assert [name for name, it in zip(names, moved, strict=True) if not it] == ["gradient_reversal/strength"]
    assert all(float(s) != 0.0 for s in training.get_layer("uncertainty_loss").log_vars.values())


def step_of_the_trunk(strength, keep):
    """Change of the first kernel in one step where only the domain (`keep`) or only the rest is labelled."""
    model, data = small(l2=0.0), batch()
    model.get_layer("gradient_reversal").strength.assign(strength)
    if keep == "domain":
        data["y_tumor"][:], data["y_ncount"][:], data["y_narea"][:] = -1.0, np.nan, np.nan
    kernel = model.get_layer("features_1").kernel
    head = model.get_layer("domain").kernel
    before = kernel.numpy(), head.numpy()
    trained(model, data)
    return kernel.numpy() - before[0], head.numpy() - before[1]


def test_adversary_descends_while_the_trunk_climbs_by_strength():
    none, head = step_of_the_trunk(0.0, "domain")
    once, head_1 = step_of_the_trunk(1.0, "domain")
    tenfold, _ = step_of_the_trunk(10.0, "domain")
    np.testing.assert_array_equal(none, 0.0)
    assert np.abs(once).max() > 0
    np.testing.assert_allclose(tenfold, 10 * once, rtol=1e-2, atol=1e-6)
    np.testing.assert_array_equal(head, head_1)


@pytest.mark.parametrize(
    "weighting", ["original", *(pytest.param(w, marks=pytest.mark.slow) for w in ("kendall", "fixed"))]
)
def test_a_batch_without_any_label_moves_only_the_log_variances(weighting):
    model, data = small(l2=0.0), batch()
    data["y_tumor"][:], data["y_domain"][:] = -1.0, 0.0
    data["y_ncount"][:], data["y_narea"][:] = np.nan, np.nan
    before = model.get_weights()
    training = trained(model, data, weighting)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    steps = [-float(s) / 0.01 for s in training.get_layer("uncertainty_loss").log_vars.values()]
    expected = {"original": [0.5, 1.0, 0.5, 0.5], "kendall": [0.5] * 4, "fixed": []}
    assert steps == pytest.approx(expected[weighting])


@pytest.mark.parametrize("policy", ["mixed_float16", pytest.param("mixed_bfloat16", marks=pytest.mark.slow)])
def test_trains_in_mixed_precision_with_losses_in_float32(policy):
    keras.config.set_dtype_policy(policy)
    try:
        model = small()
        training = trained(model, batch())
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.get_layer("features_1").compute_dtype == policy.removeprefix("mixed_")
    outputs = training(batch())
    assert {str(keras.backend.standardize_dtype(values.dtype)) for values in outputs.values()} == {"float32"}
    assert np.isfinite(float(outputs["loss"]))


@pytest.mark.slow
def test_compiled_by_xla_it_takes_the_same_step():
    steps = []
    for jit in (False, True):
        model = small()
        training = build_training_model(model)
        training.compile(keras.optimizers.SGD(0.01), jit_compile=jit)
        training.fit(batch(), batch_size=6, verbose=0)
        steps.append(training.get_weights())
    for plain, compiled in zip(*steps, strict=True):
        np.testing.assert_allclose(compiled, plain, rtol=1e-4, atol=1e-5)
