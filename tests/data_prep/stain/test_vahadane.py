"""Sparse factors against scikit-learn (and spams, where it is installed)."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import nnls
from sklearn.decomposition import DictionaryLearning

from data_prep.stain import Vahadane
from data_prep.stain.density import densities, tissue_pixels
from data_prep.stain.sparse import sparse_amounts, sparse_stains
from data_prep.stain.stains import ordered
from data_prep.stain.vahadane import PENALTY
from tests.data_prep.stain.hard import stained

START = np.array([[0.6, 0.2], [0.7, 0.9], [0.39, 0.39]])


def objective(density, matrix, penalty) -> float:
    amounts = sparse_amounts(density, matrix, penalty)
    return float(((density - matrix @ amounts) ** 2).sum() / 2 + penalty * amounts.sum()) / density.shape[1]


def angles(one, other) -> np.ndarray:
    """Degrees between the columns of two matrices."""
    one, other = (matrix / np.linalg.norm(matrix, axis=0) for matrix in (one, other))
    return np.degrees(np.arccos(np.clip((one * other).sum(axis=0), -1, 1)))


@given(
    st.lists(st.floats(0, 5), min_size=3, max_size=3),
    st.lists(st.floats(0.05, 1), min_size=6, max_size=6),
    st.sampled_from([0.0, 0.01, 0.1, 1.0]),
)
def test_amounts_are_the_nonnegative_lasso(density, entries, penalty) -> None:
    matrix = np.reshape(entries, (3, 2)) + np.array([[0.3, 0], [0, 0], [0, 0.3]])
    amounts = sparse_amounts(np.array(density)[:, None], matrix, penalty)[:, 0]
    gradient = matrix.T @ (matrix @ amounts - density) + penalty
    assert (amounts >= 0).all()
    scale = 1e-9 * (1 + np.abs(gradient).max()) / np.linalg.det(matrix.T @ matrix)
    assert (gradient >= -scale).all()  # at the minimum nothing is gained by more of a stain ...
    assert np.abs(gradient[amounts > 0]).max(initial=0) < scale  # ... nor by less of one that is there


def test_amounts_without_penalty_are_scipys() -> None:
    density = np.random.default_rng(0).uniform(-0.1, 3, (3, 50))
    expected = np.column_stack([nnls(START, pixel)[0] for pixel in density.T])
    np.testing.assert_allclose(sparse_amounts(density, START, 0), expected, atol=1e-9)


def tissue(image) -> np.ndarray:
    return densities(tissue_pixels(image)[None], Vahadane.offset)


def sklearn_stains(density) -> np.ndarray:
    start = START / np.linalg.norm(START, axis=0)
    options = {"alpha": PENALTY, "fit_algorithm": "cd", "positive_code": True, "positive_dict": True}
    learner = DictionaryLearning(2, max_iter=1500, tol=1e-10, dict_init=start.T.copy(), random_state=0, **options)
    return ordered(*learner.fit(density.T).components_)


def test_stains_are_those_of_scikit_learn() -> None:
    density = tissue(stained((24, 24)))
    ours = sparse_stains(density, START / np.linalg.norm(START, axis=0), PENALTY)
    theirs = sklearn_stains(density)
    assert angles(ordered(*ours.T), theirs).max() < 0.5
    assert objective(density, ours, PENALTY) <= objective(density, theirs, PENALTY) * (1 + 1e-4)


def test_with_little_penalty_pure_stains_are_found_in_mixtures() -> None:
    truth = np.array([[0.65, 0.1], [0.70, 0.95], [0.29, 0.28]])
    density = tissue(stained((80, 80)))
    # A small penalty picks the sparse ones of many factors; the purest pixels hold a twentieth of the other stain.
    found = ordered(*sparse_stains(density, START / np.linalg.norm(START, axis=0), 1e-3).T)
    assert angles(found, truth).max() < 8


def test_the_search_does_not_depend_on_where_it_starts() -> None:
    density = tissue(stained((60, 60)))
    other = np.array([[0.9, 0.3], [0.4, 0.8], [0.2, 0.5]])
    found = [ordered(*sparse_stains(density, start, PENALTY).T) for start in (START, other)]
    assert angles(*found).max() < 0.5


def test_equals_spams_on_real_tissue(shared) -> None:
    spams = pytest.importorskip("spams")
    image = cv2.cvtColor(cv2.imread(str(shared / "data" / "stain" / "example1.png")), cv2.COLOR_BGR2RGB)[:256, :256]
    density = tissue(image)
    options = {"K": 2, "lambda1": PENALTY, "mode": 2, "posAlpha": True, "posD": True, "verbose": False}
    theirs = spams.trainDL(np.asfortranarray(density), iter=500, numThreads=1, **options)
    assert angles(Vahadane().fit(image).stains.matrix, ordered(*theirs.T)).max() < 1


def test_structure_stays_where_it_was() -> None:
    image = stained((64, 64))
    normalized = Vahadane().fit(stained(seed=4)).transform(image)
    before, after = (picture.astype(float).mean(axis=-1).ravel() for picture in (image, normalized))
    assert np.corrcoef(before, after)[0, 1] > 0.97


def test_white_stays_white() -> None:
    image = stained((64, 64))
    image[:8] = 255
    assert (Vahadane().fit(stained(seed=4)).transform(image)[:8] == 254).all()
