"""Our ridge regression is scikit-learn's, for many targets and penalties at once."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge as Reference
from sklearn.model_selection import GroupKFold

from data_prep.errors import InputError
from mta.explain.ridge import PENALTIES, RidgeFit, choose_penalties, unit

GENERATOR = np.random.default_rng(0)


def fit_ridge(features, values, patients, folds=5):
    return RidgeFit(features, values).ridge(choose_penalties(features, values, patients, folds))


def data(rows, width, targets=3, noise=1.0):
    features = GENERATOR.normal(3, 2, (rows, width)) * GENERATOR.uniform(0.1, 2, width)
    values = features @ GENERATOR.normal(size=(width, targets)) + noise * GENERATOR.normal(size=(rows, targets))
    return features, values, np.array([f"p{number % 7}" for number in range(rows)])


@pytest.mark.parametrize(("rows", "width"), [(140, 12), (60, 200)])
@pytest.mark.parametrize("noise", [0.1, 30.0])
def test_equals_scikit_learn_with_the_penalty_of_its_grid_search(rows, width, noise):
    features, values, patients = data(rows, width, noise=noise)
    ours = fit_ridge(features, values, patients)
    for place in range(values.shape[1]):
        errors = []
        for penalty in PENALTIES:
            error = 0.0
            for inside, outside in GroupKFold(5).split(features, groups=patients):
                model = reference(penalty, features[inside]).fit(features[inside], values[inside, place])
                error += ((model.predict(features[outside]) - values[outside, place]) ** 2).sum()
            errors.append(error)
        chosen = PENALTIES[int(np.argmin(errors))]
        assert ours.penalties[place] == chosen
        model = reference(chosen, features).fit(features, values[:, place])
        np.testing.assert_allclose(ours.weights[:, place], model.coef_, rtol=1e-5, atol=1e-8)
        np.testing.assert_allclose(ours.predict(features)[:, place], model.predict(features), rtol=1e-5, atol=1e-6)


def reference(penalty, features):
    return Reference(penalty * len(features) * features.var(axis=0).mean())


def test_noise_gets_a_larger_penalty_than_signal():
    features, values, patients = data(140, 12, targets=1, noise=0.0)
    noise = GENERATOR.normal(size=(140, 1))
    ridge = fit_ridge(features, np.hstack([values, noise]), patients)
    assert ridge.penalties[0] < 1e-3 < ridge.penalties[1]


def test_unit_vectors():
    assert unit(np.array([[3.0, 0.0], [4.0, 0.0]])).tolist() == [[0.6, 0.0], [0.8, 0.0]]


def test_features_that_never_vary_are_no_direction():
    features, values, patients = data(70, 5)
    features[:, 2] = 7.0
    assert np.abs(fit_ridge(features, values, patients).weights[2]).max() < 1e-9
    nothing = fit_ridge(np.ones((70, 5)), values, patients)
    np.testing.assert_allclose(nothing.predict(np.ones((1, 5)))[0], values.mean(axis=0))
    assert np.abs(nothing.weights).max() == 0


def test_too_few_patients():
    features, values, patients = data(70, 5)
    with pytest.raises(InputError, match="7 patients are fewer than 8 folds; give --folds 7"):
        fit_ridge(features, values, patients, folds=8)
    with pytest.raises(InputError, match="of one patient"):
        fit_ridge(features, values, np.zeros(70), folds=2)
