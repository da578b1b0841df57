"""Parts that were planted are found again, as many as there are."""

import numpy as np
import pytest
from scipy.optimize import nnls

from data_prep.errors import InputError
from mta.explain.nmf import Vectors, agreement_of, choose, fit_parts, matched_cosines, part_weights, relative_error
from mta.explain.nmf.choosing import Scan, scan
from mta.explain.nmf.fitting import unit_rows

PARTS, WIDTH = 4, 24


def planted(count, seed=0):
    """(V, H): non-negative mixtures of four parts, with a little noise."""
    generator = np.random.default_rng(5)
    parts = unit_rows(generator.gamma(0.3, 1, (PARTS, WIDTH)))
    generator = np.random.default_rng(seed)
    weights = generator.gamma(0.7, 1, (count, PARTS)) * (generator.random((count, PARTS)) < 0.5)
    return (weights @ parts + generator.exponential(0.01, (count, WIDTH))).astype("float32"), parts


def stored(rows, folder):
    vectors = Vectors(folder, rows.shape[1])
    vectors.add(rows)
    return vectors


@pytest.fixture
def both(tmp_path):
    with stored(planted(3000)[0], tmp_path) as fitted, stored(planted(800, 1)[0], tmp_path) as held_out:
        yield fitted, held_out


def test_planted_parts_are_found(both):
    found = fit_parts(both[0], PARTS, seed=0)
    assert matched_cosines(planted(1)[1], found).min() > 0.98
    assert relative_error(both[1], found) < 0.05
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)


def test_the_number_of_planted_parts_is_chosen_by_error_and_stability(both):
    scans = [scan(*both, count, range(3)) for count in (2, 4, 6)]
    stability = {one.count: one.stability for one in scans}
    assert stability[4] > 0.99
    assert stability[6] < stability[4]
    assert scans[0].error > 3 * scans[1].error
    assert choose(scans).count == 4


def a_scan(count, error, stability):
    return Scan(count, np.eye(count), error, np.ones(count), stability, 0.5)


def test_choosing():
    assert choose([a_scan(2, 0.5, 1.0), a_scan(4, 0.2, 0.95), a_scan(5, 0.195, 0.95), a_scan(8, 0.1, 0.6)]).count == 4
    assert choose([a_scan(2, 0.5, 0.7), a_scan(4, 0.2, 0.8), a_scan(8, 0.1, 0.6)]).count == 4
    assert choose([a_scan(3, 0.5, float("nan"))]).count == 3


def test_weights_are_those_of_non_negative_least_squares():
    generator = np.random.default_rng(2)
    parts = unit_rows(generator.random((6, 15)))
    rows = generator.random((40, 15)).astype("float32")
    expected = [nnls(parts.T.astype(float), row)[0] for row in rows]
    np.testing.assert_allclose(part_weights(rows, parts), expected, atol=2e-3)


def test_a_part_of_zeros_has_no_weight():
    parts = np.array([[0, 0], [1, 0]], "float32")
    np.testing.assert_allclose(part_weights(np.array([[3, 1]], "float32"), parts), [[0, 3]])


def test_partners_are_found_in_any_order():
    parts = unit_rows(np.random.default_rng(0).random((5, 30)))
    np.testing.assert_allclose(matched_cosines(parts, 3 * parts[::-1]), 1, rtol=1e-5)
    found = agreement_of([np.eye(3), np.eye(3)[[2, 0, 1]], np.array([[1, 0, 0], [0, 1, 0], [0, 1, 1.0]])])
    np.testing.assert_allclose(found[0], [1, 1, (1 + 0.5**0.5) / 2])


def test_more_parts_than_vectors(tmp_path):
    with stored(planted(3)[0], tmp_path) as few, pytest.raises(InputError, match="4 parts from 3 activation vectors"):
        fit_parts(few, 4, 0)


def test_vectors_come_back_in_blocks_and_leave_no_file(tmp_path):
    rows = np.arange(70, dtype="float32").reshape(10, 7)
    with stored(rows[:6], tmp_path) as vectors:
        vectors.add(rows[6:])
        assert len(vectors) == 10
        np.testing.assert_array_equal(np.concatenate(list(vectors.blocks(size=4))), rows)
        mixed = list(vectors.blocks(seed=1, size=2))
        assert sorted(np.concatenate(mixed)[:, 0]) == sorted(rows[:, 0])
        assert any((block != rows[2 * place : 2 * place + 2]).any() for place, block in enumerate(mixed))
    assert not list(tmp_path.iterdir())
