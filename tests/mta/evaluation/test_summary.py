import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, r2_score, roc_auc_score

from data_prep.errors import InputError
from mta.evaluation import clustered_bootstrap, read_predictions, summarize


def make_predictions(n=240, seed=0):
    """A predictions table with three roles, two seen centres and one unseen, and one concept."""
    generator = np.random.default_rng(seed)
    patient = np.arange(n) % 24
    labels = generator.integers(0, 2, n)
    logit = labels + generator.normal(0, 1, n)
    role = np.array(["train", "internal_test", "external_test"])[patient % 3]
    centre = np.where(role == "external_test", "C", np.where(patient % 2, "A", "B"))
    count = generator.normal(30, 5, n)
    return pd.DataFrame(
        {
            "row": np.arange(n),
            "patient": [f"{p:03d}" for p in patient],
            "slide": [f"{p:03d}_1" for p in patient],
            "centre": centre,
            "role": role,
            "label": labels,
            "logit": logit,
            "probability": 1 / (1 + np.exp(-logit)),
            "domain": generator.choice(["A", "B"], n),
            "ncount": count + generator.normal(0, 2, n),
            "ncount_true": np.where(np.arange(n) % 5 == 0, np.nan, count),
        }
    )


def test_numbers_are_those_of_scikit_learn_and_of_the_bootstrap():
    table = make_predictions()
    metrics = summarize(table, classes=("A", "B"), seed=3)
    assert list(metrics) == ["train", "internal_test", "external_test"]
    part = table[table["role"] == "internal_test"]
    tumor, truth = metrics["internal_test"]["tumor"], part["label"]
    assert tumor["auc"] == pytest.approx(roc_auc_score(truth, part["logit"]))
    assert tumor["accuracy"] == pytest.approx(accuracy_score(truth, part["probability"] > 0.5))
    interval = clustered_bootstrap(truth, part["logit"], part["patient"], seed=3)
    assert tumor["auc_interval"] == list(interval)
    assert (tumor["n"], tumor["n_patients"], tumor["n_tumor"]) == (80, 8, int(truth.sum()))
    concept, known = metrics["internal_test"]["concepts"]["ncount"], part.dropna()
    assert concept["r2"] == pytest.approx(r2_score(known["ncount_true"], known["ncount"]))
    assert concept["n"] == len(known) == 64
    domain = metrics["internal_test"]["domain"]
    assert domain["accuracy"] == pytest.approx((part["domain"] == part["centre"]).mean())
    assert (domain["chance"], domain["majority"]) == (0.5, 0.5)
    by_centre = metrics["internal_test"]["by_centre"]
    assert {name: entry["n"] for name, entry in by_centre.items()} == {"A": 40, "B": 40}
    one = part[part["centre"] == "A"]
    assert by_centre["A"]["auc"] == pytest.approx(roc_auc_score(one["label"], one["logit"]))


def test_what_is_undefined_is_none_and_json_takes_it():
    table = make_predictions()
    table.loc[table["role"] == "internal_test", "label"] = 1
    metrics = summarize(table, classes=("A", "B"))
    json.dumps(metrics, allow_nan=False)
    tumor = metrics["internal_test"]["tumor"]
    assert tumor["auc"] is tumor["auc_patient"] is None
    assert tumor["auc_interval"] == tumor["auc_patient_interval"] == [None, None]
    assert metrics["external_test"]["domain"] == {"accuracy": None, "chance": 0.5, "majority": None}


def test_a_model_without_domain_head_has_no_domain_accuracy():
    metrics = summarize(make_predictions().assign(domain=""), classes=("A", "B"))
    assert metrics["train"]["domain"] == {"accuracy": None, "chance": 0.5, "majority": 0.5}
    assert summarize(make_predictions())["train"]["domain"]["chance"] is None


def test_rows_without_label_role_patient_or_centre_do_no_harm():
    table = make_predictions()
    table.loc[:2, "role"] = ""
    table.loc[table["role"] == "external_test", ["patient", "slide", "centre"]] = np.nan
    table.loc[10:20, "label"] = np.nan
    metrics = summarize(table, classes=("A", "B"))
    assert sum(entry["tumor"]["n"] for entry in metrics.values()) == 240 - 3 - 11
    external = metrics["external_test"]
    assert list(external["by_centre"]) == ["unknown"]
    assert external["tumor"]["n_patients"] == external["tumor"]["n"]


def test_a_table_comes_back_from_csv_as_it_was(tmp_path):
    table = make_predictions().assign(domain="")
    table.to_csv(tmp_path / "predictions.csv", index=False)
    again = read_predictions(tmp_path / "predictions.csv")
    pd.testing.assert_frame_equal(again, table, check_dtype=False)
    assert again["patient"].iloc[0] == "000"
    assert summarize(again, ("A",)) == summarize(table, ("A",))


def test_names_that_look_like_nothing_are_names(tmp_path):
    table = make_predictions(4).assign(domain="", patient=["NA", "null", "None", "nan"], slide="N/A", centre="")
    table.loc[1:2, "logit"] = np.nan
    table.to_csv(tmp_path / "predictions.csv", index=False, na_rep="nan")
    again = read_predictions(tmp_path / "predictions.csv")
    pd.testing.assert_frame_equal(again, table, check_dtype=False)
    assert again["logit"].isna().tolist() == [False, True, True, False]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        (b"a,b\n1,2\n", "no column row, patient"),
        (b"", "not a predictions table"),
        (b"\xff\xfe\x00", "not a predictions table"),
        (b"a,b\n1,2\n1,2,3,4\n", "not a predictions table"),
    ],
)
def test_other_files_are_refused(tmp_path, content, message):
    path = tmp_path / "predictions.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_predictions(path)


def test_a_logit_of_0_is_normal_as_in_the_training_curve():
    from mta.metrics import LogitAccuracy

    table = make_predictions(8).assign(role="internal_test", label=[0, 0, 0, 1] * 2, logit=0.0)
    streaming = LogitAccuracy()
    streaming.update_state(table["label"].to_numpy("float32"), table["logit"].to_numpy("float32"))
    assert summarize(table)["internal_test"]["tumor"]["accuracy"] == float(streaming.result()) == 0.75
    assert not (1 / (1 + np.exp(-table["logit"])) > 0.5).any()  # what mta.predict counts
