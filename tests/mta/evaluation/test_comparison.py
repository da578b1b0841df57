import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from data_prep.errors import InputError
from mta.evaluation import paired_difference
from mta.evaluation.comparison import compare_models
from tests.mta.evaluation.test_summary import make_predictions


def make_pair():
    a = make_predictions()
    return a, a.assign(logit=a["logit"] + np.random.default_rng(1).normal(0, 1, len(a)))


def test_rows_in_another_order_are_brought_together():
    a, b = make_pair()
    found = compare_models(a, b.sample(frac=1, random_state=0), "internal_test", method="bca", n=200)
    one, two = (table[table["role"] == "internal_test"] for table in (a, b))
    assert found.auc_a == pytest.approx(roc_auc_score(one["label"], one["logit"]))
    assert found.auc_b == pytest.approx(roc_auc_score(two["label"], two["logit"]))
    expected = paired_difference(one["label"], one["logit"], two["logit"], one["patient"], n=200, method="bca")
    assert (found.difference, *found.interval) == expected
    assert (found.rows, found.patients) == (80, 8)


def test_other_rows_are_refused_with_their_numbers():
    a, b = make_pair()
    rows = a.loc[a["role"] == "internal_test", "row"]
    with pytest.raises(InputError, match=f"1 test rows differ \\(rows {rows.iloc[3]}; 80 against 79 in all\\)"):
        compare_models(a, b[b["row"] != rows.iloc[3]], "internal_test")
    moved = b.assign(label=np.where(b["row"].isin(rows[:7]), 1 - b["label"], b["label"]))
    first = ", ".join(map(str, rows[:5]))
    with pytest.raises(InputError, match=f"7 test rows differ \\(rows {first}, …; 80 against 80 in all\\)"):
        compare_models(a, moved, "internal_test")


def test_nan_one_patient_or_one_class_is_one_line():
    a, b = make_pair()
    with pytest.raises(InputError, match="80 of 80 predictions are not finite"):
        compare_models(a, b.assign(logit=np.nan), "internal_test")
    with pytest.raises(InputError, match="all rows are of one patient"):
        compare_models(a.assign(patient="x"), b.assign(patient="x"), "internal_test")
    with pytest.raises(InputError, match="rows is tumor"):
        compare_models(a.assign(label=0), b.assign(label=0), "internal_test")
    with pytest.raises(InputError, match="no row has the role 'test'; roles are train, validation"):
        compare_models(a, b, "test")
    with pytest.raises(InputError, match="80 of 160 test rows are there more than once"):
        compare_models(pd.concat([a, a]), b, "internal_test")
