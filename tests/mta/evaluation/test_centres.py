import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from data_prep.errors import InputError
from mta.evaluation import clustered_bootstrap
from mta.evaluation.centres import centre_aucs, worst_centre
from tests.mta.evaluation.test_bootstrap import make_case


def test_each_centre_is_measured_alone_and_the_worst_is_named():
    labels, scores, patients = make_case(np.random.default_rng(0), patients=30)
    centres = np.array(["A", "B", "C"])[np.arange(len(labels)) // 150]
    scores = np.where(centres == "B", -scores, scores)
    found = centre_aucs(labels, scores, patients, centres)
    for centre in found:
        part = [values[centres == centre.name] for values in (labels, scores, patients)]
        assert centre.auc == pytest.approx(roc_auc_score(*part[:2]))
        assert centre.interval == clustered_bootstrap(*part, method="t")
        assert (centre.rows, centre.patients) == (150, 10)
    assert [centre.name for centre in found] == ["A", "B", "C"]
    assert worst_centre(found).name == "B"


def test_a_centre_of_one_class_is_not_the_worst():
    centres = centre_aucs([0, 1, 0, 1, 1, -1], [1, 2, 3, 1, 5, 9], list("abcdef"), list("AAABBC"))
    assert [centre.name for centre in centres] == ["A", "B"]
    assert np.isnan(centres[1].auc)
    assert worst_centre(centres).name == "A"
    with pytest.raises(InputError, match="none of the 1 centres has"):
        worst_centre(centres[1:])
    with pytest.raises(InputError, match="1 of 2 predictions are not finite"):
        centre_aucs([0, 1], [np.nan, 1], ["a", "b"], ["A", "A"])
