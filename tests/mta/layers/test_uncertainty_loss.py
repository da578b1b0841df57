import keras
import numpy as np
import pytest
import tensorflow as tf

from mta.layers import UncertaintyLoss
from tests.layer_case import check_layer

TASKS = {"tumor": "binary", "domain": "categorical", "ncount": "regression"}
BATCH = 8


def example(n=BATCH, seed=0):
    rng = np.random.default_rng(seed)
    shares = rng.uniform(0.1, 1.0, (n, 3)).astype("float32")
    y_true = {
        "tumor": rng.integers(0, 2, (n, 1)).astype("float32"),
        "domain": np.eye(3, dtype="float32")[rng.integers(0, 3, n)],
        "ncount": rng.normal(size=(n, 1)).astype("float32"),
    }
    y_pred = {
        "tumor": rng.normal(size=(n, 1)).astype("float32"),
        "domain": shares / shares.sum(1, keepdims=True),
        "ncount": rng.normal(size=(n, 1)).astype("float32"),
    }
    return y_true, y_pred


def gradients(layer, y_true, y_pred):
    """Loss, gradients by prediction, gradients by log-variance."""
    y_pred = {name: tf.convert_to_tensor(values) for name, values in y_pred.items()}
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        loss = layer(y_true, y_pred)
    variables = {name: variable.value for name, variable in layer.log_vars.items()}
    by_pred, by_s = tape.gradient(loss, [y_pred, variables])
    as_arrays = [{name: gradient.numpy() for name, gradient in part.items()} for part in (by_pred, by_s)]
    return float(loss), *as_arrays


def golden_case(golden, prefix, kinds):
    count = len(golden[f"{prefix}/log_vars"])
    names = [f"task{j}" for j in range(count)]
    tasks = {name: kinds[j] if j < len(kinds) else "regression" for j, name in enumerate(names)}
    y_true, y_pred = (
        {name: golden[f"{prefix}/{key}{j}"] for j, name in enumerate(names)} for key in ("y_true", "y_pred")
    )
    return names, tasks, y_true, y_pred


def assert_golden(actual, golden):
    assert np.max(np.abs(actual - golden)) <= 1e-5 * np.max(np.abs(golden))


CASES = [(f"multi_loss_adversarial/{k}", ("binary", "categorical")) for k in range(5)]
CASES += [(f"multi_loss_multitask/{k}", ("binary",)) for k in range(4)]


@pytest.mark.parametrize(("prefix", "kinds"), CASES)
def test_values_and_gradients_equal_the_original_code(shared, prefix, kinds):
    golden = np.load(shared / "golden" / "original_losses.npz")
    names, tasks, y_true, y_pred = golden_case(golden, prefix, kinds)
    layer = UncertaintyLoss(tasks)
    for name, value in zip(names, golden[f"{prefix}/log_vars"], strict=True):
        layer.log_vars[name].assign(value)
    loss, by_pred, by_s = gradients(layer, y_true, y_pred)
    assert_golden(loss, golden[f"{prefix}/loss"])
    assert_golden(np.array([by_s[name] for name in names]), golden[f"{prefix}/grad_log_vars"])
    for j, name in enumerate(names):
        assert_golden(by_pred[name], golden[f"{prefix}/grad_pred{j}"])


@pytest.mark.parametrize("weighting", ["original", "kendall", "fixed"])
def test_layer_contract(weighting, tmp_path):
    init = {"tasks": TASKS, "class_weights": (0.25, 0.75), "weighting": weighting}
    trainable = 0 if weighting == "fixed" else 3
    check_layer(UncertaintyLoss, init, example(), tmp_path, shape=(), trainable=trainable, output_dtype="float32")


def parts(y_true, y_pred, class_weights=None):
    layer = UncertaintyLoss(TASKS, class_weights)
    return [float(layer.task_loss(name, y_true[name], y_pred[name])) for name in TASKS]


def test_fixed_is_the_plain_sum_and_has_no_weights():
    y_true, y_pred = example()
    layer = UncertaintyLoss(TASKS, weighting="fixed")
    assert float(layer(y_true, y_pred)) == pytest.approx(sum(parts(y_true, y_pred)), rel=1e-6)
    assert layer.log_vars == {}
    assert layer.weights == []


@pytest.mark.parametrize(("weighting", "of_domain"), [("original", 1.0), ("kendall", 0.5)])
def test_weights_of_losses_and_log_variances(weighting, of_domain):
    y_true, y_pred = example()
    bce, ce, mse = parts(y_true, y_pred)
    layer = UncertaintyLoss(TASKS, weighting=weighting)
    assert float(layer(y_true, y_pred)) == pytest.approx(bce + ce + mse / 2, rel=1e-6)
    s = {"tumor": 0.3, "domain": -0.7, "ncount": 1.1}
    for name, value in s.items():
        layer.log_vars[name].assign(value)
    expected = np.exp(-0.3) * bce + 0.15 + np.exp(0.7) * ce - 0.7 * of_domain + np.exp(-1.1) * mse / 2 + 0.55
    assert float(layer(y_true, y_pred)) == pytest.approx(expected, rel=1e-6)


def test_class_weights_are_normal_then_tumor():
    y_true, y_pred = example(2)
    y_true["tumor"] = np.float32([[0.0], [1.0]])
    y_pred["tumor"] = np.zeros((2, 1), "float32")
    assert parts(y_true, y_pred, (1.0, 3.0))[0] == pytest.approx(2 * np.log(2.0), rel=1e-6)
    y_true["tumor"][1] = -1.0
    assert parts(y_true, y_pred, (1.0, 3.0))[0] == pytest.approx(np.log(2.0), rel=1e-6)


def test_log_vars_exist_after_construction_in_the_order_of_the_tasks():
    layer = UncertaintyLoss(TASKS)
    assert list(layer.log_vars) == list(TASKS)
    assert [float(variable) for variable in layer.log_vars.values()] == [0.0, 0.0, 0.0]
    assert [variable.shape for variable in layer.trainable_weights] == [(), (), ()]


def test_returned_loss_is_the_one_added():
    layer = UncertaintyLoss(TASKS)
    loss = layer(*example())
    assert [float(added) for added in layer.losses] == [float(loss)]


def unlabelled(names):
    y_true, y_pred = example()
    absent = {"tumor": -1.0, "domain": 0.0, "ncount": np.nan}
    for name in names:
        y_true[name] = np.full_like(y_true[name], absent[name])
    return y_true, y_pred


@pytest.mark.parametrize("weighting", ["original", "kendall", "fixed"])
@pytest.mark.parametrize("names", [("tumor",), ("domain",), ("ncount",), tuple(TASKS)])
def test_a_task_without_labels_adds_no_loss_and_no_nan(names, weighting):
    y_true, y_pred = unlabelled(names)
    layer = UncertaintyLoss(TASKS, weighting=weighting)
    loss, by_pred, by_s = gradients(layer, y_true, y_pred)
    bce, ce, mse = parts(*unlabelled(names))
    assert loss == pytest.approx(bce + ce + (1.0 if weighting == "fixed" else 0.5) * mse, rel=1e-6)
    assert all(np.all(np.isfinite(gradient)) for gradient in (*by_pred.values(), *by_s.values()))
    for name in names:
        np.testing.assert_array_equal(by_pred[name], 0.0)


def test_partly_missing_labels_leave_the_others_means():
    y_true, y_pred = example()
    y_true["tumor"][:3], y_true["domain"][2:5], y_true["ncount"][5:] = -1.0, 0.0, np.nan
    layer = UncertaintyLoss(TASKS)
    expected = [
        float(layer.task_loss(name, y_true[name][rows], y_pred[name][rows]))
        for name, rows in (("tumor", slice(3, None)), ("domain", [0, 1, 5, 6, 7]), ("ncount", slice(5)))
    ]
    assert parts(y_true, y_pred) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("weighting", ["original", "kendall"])
def test_gradients_equal_central_differences(weighting):
    y_true, y_pred = example(4)
    y_true["tumor"][1], y_true["ncount"][2] = -1.0, np.nan
    layer = UncertaintyLoss(TASKS, weighting=weighting)
    for name, value in zip(TASKS, (0.5, -0.4, 0.9), strict=True):
        layer.log_vars[name].assign(value)
    _, by_pred, by_s = gradients(layer, y_true, y_pred)
    step = 4e-3
    for name in TASKS:
        s = float(layer.log_vars[name])
        values = [layer.log_vars[name].assign(s + d) is None or float(layer(y_true, y_pred)) for d in (step, -step)]
        layer.log_vars[name].assign(s)
        assert (values[0] - values[1]) / (2 * step) == pytest.approx(float(by_s[name]), rel=5e-3, abs=1e-3)
        for index in np.ndindex(*y_pred[name].shape):
            moved = [{**y_pred, name: y_pred[name].copy()} for _ in range(2)]
            moved[0][name][index] += step
            moved[1][name][index] -= step
            rise = float(layer(y_true, moved[0])) - float(layer(y_true, moved[1]))
            assert rise / (2 * step) == pytest.approx(by_pred[name][index], rel=5e-3, abs=1e-3)


def test_log_variance_settles_where_its_task_says():
    """d/ds (exp(-s) L + c s) = 0 at exp(-s) L = c: s = log 2L for BCE, log L for the original domain and for MSE."""
    y_true, y_pred = example()
    losses = np.array(parts(y_true, y_pred))
    expected = {"original": np.log(losses * (2, 1, 1)), "kendall": np.log(losses * (2, 2, 1))}
    for weighting, minimum in expected.items():
        layer = UncertaintyLoss(TASKS, weighting=weighting)
        optimizer = keras.optimizers.SGD(0.5)
        step = tf.function(lambda layer=layer, optimizer=optimizer: _descend(layer, optimizer, y_true, y_pred))
        for _ in range(200):
            step()
        np.testing.assert_allclose([float(s) for s in layer.log_vars.values()], minimum, atol=1e-3)


def _descend(layer, optimizer, y_true, y_pred):
    with tf.GradientTape() as tape:
        loss = layer(y_true, y_pred)
    optimizer.apply(tape.gradient(loss, [v.value for v in layer.trainable_variables]), layer.trainable_variables)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float16"])
def test_always_computes_in_float32(policy):
    y_true, y_pred = example()
    half = {name: tf.cast(values, "float16") for name, values in y_pred.items()}
    keras.config.set_dtype_policy(policy)
    try:
        layer = UncertaintyLoss(TASKS)
    finally:
        keras.config.set_dtype_policy("float32")
    assert layer.compute_dtype == "float32"
    assert {variable.dtype for variable in layer.log_vars.values()} == {"float32"}
    loss = layer(y_true, half)
    assert loss.dtype == "float32"
    widened = {name: tf.cast(values, "float32") for name, values in half.items()}
    assert float(loss) == float(UncertaintyLoss(TASKS)(y_true, widened))


def test_order_of_tasks_is_kept_by_the_config():
    tasks = {"zeta": "regression", "tumor": "binary", "alpha": "regression"}
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(UncertaintyLoss(tasks)))
    assert list(again.tasks.items()) == list(tasks.items())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tasks": {}}, "tasks"),
        ({"tasks": {"a": "ordinal"}}, "tasks"),
        ({"tasks": TASKS, "weighting": "learned"}, "weighting"),
    ],
)
def test_refuses_what_it_does_not_know(arguments, message):
    with pytest.raises(ValueError, match=message):
        UncertaintyLoss(**arguments)
