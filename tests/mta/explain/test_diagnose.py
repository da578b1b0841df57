"""`python -m mta.explain diagnose`: known answers for probes, distances and pulls, and the command on a small run."""

import json
import math
import shutil

import numpy as np
import pandas as pd
import pytest

from data_prep.errors import InputError
from mta.explain.diagnose import diagnose
from mta.explain.domain import by_class, distances, domain_probes
from mta.explain.opening import open_subjects
from mta.explain.pulls import pulls
from mta.explain.site import Settings
from mta.explain.task_gradients import task_gradients
from mta.explain.trajectory import trajectory
from mta.layers import UncertaintyLoss
from mta.model import tasks_of
from mta.train import train
from tests.builders import TINY, tiny_rows, tiny_store
from tests.mta.explain.sites import cohort, site

SETTINGS = Settings(folds=3, shuffles=19)
QUICK = {"folds": 2, "shuffles": 9, "quiet": True}
GENERATOR = np.random.default_rng(0)


def rows(centres=2):
    made = cohort(patients=12, centres=centres)
    made.roles[:] = np.where(made.of("train"), "train", "held_out")
    return made


def of_centres(made, strength):
    values = GENERATOR.normal(size=(len(made.rows), 6))
    values[:, 0] += strength * np.unique(made.centres, return_inverse=True)[1]
    return site(made, values)


def test_probes_find_a_centre_that_is_there_and_none_that_is_gone():
    there = list(domain_probes(of_centres(rows(), 4.0), SETTINGS))
    assert [one["probe"] for one in there] == ["logistic", "network"]
    for one in there:
        assert one["balanced_accuracy"] > 0.9
        assert one["balanced_accuracy_p"] == 1 / 20
        assert (one["chance"], one["rows"], one["patients"]) == (0.5, 240, 12)
    for one in domain_probes(of_centres(rows(), 0.0), SETTINGS):
        assert abs(one["balanced_accuracy"] - 0.5) < 0.12


def test_what_knowing_the_class_gives_is_said():
    made = rows()
    # In training all tumors are of c0 and all normals of c1, held-out three in four are.
    wanted = np.where(made.labels == "tumor", "c0", "c1")
    other = np.where(wanted == "c0", "c1", "c0")
    made.centres[:] = np.where(made.of("train") | (np.arange(len(wanted)) % 4 > 0), wanted, other)
    assert by_class(site(made, np.zeros((480, 2)))) == pytest.approx(0.75, abs=0.01)


def test_what_knowing_the_class_gives_is_balanced_as_what_it_stands_beside():
    made = rows()
    tested = made.of("held_out")
    # In training all tumors are of c0; held-out, all rows are tumors and nine in ten of c0.
    made.centres[:] = np.where(made.labels == "tumor", "c0", "c1")
    made.labels[tested] = "tumor"
    made.centres[tested] = np.where(np.arange(tested.sum()) % 10, "c0", "c1")
    assert by_class(site(made, np.zeros((480, 2)))) == pytest.approx(0.5)


def test_distances_are_2_apart_and_0_together():
    (apart,) = distances(of_centres(rows(), 9.0), 3)
    assert (apart["a"], apart["b"]) == ("c0", "c1")
    assert apart["distance"] > 1.9
    (together,) = distances(of_centres(rows(), 0.0), 3)
    assert abs(together["distance"]) < 0.4
    low, high = together["interval"]
    assert low < together["distance"] < high
    three = list(distances(of_centres(rows(3), 9.0), 3))
    assert [(one["a"], one["b"]) for one in three] == [("c0", "c1"), ("c0", "c2"), ("c1", "c2")]


@pytest.mark.parametrize(("strength", "expected"), [(9.0, 2.0), (0.0, 0.0)])
def test_the_distance_of_external_rows_is_cross_validated(strength, expected):
    made = rows()
    outside = made.of("held_out") & np.isin(made.patients, np.unique(made.patients)[-6:])
    made = type(made)(
        **{**vars(made), "roles": np.where(outside, "external_test", made.roles.astype(object)).astype(str)}
    )
    values = GENERATOR.normal(size=(480, 6))
    values[outside, 1] += strength
    found = list(distances(site(made, values), 3))[-1]
    assert (found["a"], found["b"]) == ("training centres", "external")
    assert found["distance"] == pytest.approx(expected, abs=0.45)


def test_a_distance_that_too_few_patients_give_is_none():
    made = rows()
    made.centres[:] = np.where(np.isin(made.patients, ["p00", "p12"]), "c9", made.centres)
    made.centres[made.patients == "p12"] = ""
    found = [one for one in distances(of_centres(made, 1.0), 3) if one["b"] == "c9"]
    assert [one["distance"] for one in found] == [None, None]


@pytest.fixture(scope="module")
def subject(tiny_run):
    return open_subjects([tiny_run], "last")[0]


def test_gradients_of_tasks_are_those_of_their_losses_by_hand(subject):
    """Heads are one layer on the features h: of a row, tumor (sigmoid(z) - y) w, a concept 2 (z - y) w."""
    model, rows = subject.trained.model, np.arange(20)
    targets = subject.trained.coding.targets(subject.data)
    endpoint = UncertaintyLoss(tasks_of(model), (1.0, 1.0), "original")
    found = task_gradients(model, subject.inputs(), rows, targets, "features_1", endpoint)
    outputs = model.predict_on_batch(subject.inputs().take(rows)["image"])
    kernel = {name: model.get_layer(name).get_weights()[0] for name in outputs}
    probability = 1 / (1 + np.exp(-outputs["tumor"]))
    np.testing.assert_allclose(found["tumor"], (probability - targets["tumor"][rows]) @ kernel["tumor"].T, atol=1e-5)
    error = outputs["ncount"] - targets["ncount"][rows]
    np.testing.assert_allclose(found["ncount"], 2 * error @ kernel["ncount"].T, rtol=1e-3, atol=1e-5)
    wrong = outputs["domain"] - targets["domain"][rows]
    np.testing.assert_allclose(found["domain"], wrong @ kernel["domain"].T, rtol=1e-3, atol=1e-5)


def test_rows_without_a_target_pull_at_nothing(subject):
    model, rows = subject.trained.model, np.arange(6)
    targets = {name: values.copy() for name, values in subject.trained.coding.targets(subject.data).items()}
    targets["tumor"][0], targets["domain"][1], targets["ncount"][2] = -1, 0, np.nan
    endpoint = UncertaintyLoss(tasks_of(model), (1.0, 1.0), "original")
    found = task_gradients(model, subject.inputs(), rows, targets, "features_1", endpoint)
    for name, row in (("tumor", 0), ("domain", 1), ("ncount", 2)):
        assert (found[name][row] == 0).all()
        assert (found[name][3] != 0).any()


def test_pulls_weigh_gradients_as_training_did(subject):
    history = trajectory(subject.trained)
    found = pulls(subject, np.arange(24), history)["tasks"]
    assert list(found) == ["tumor", "domain", "narea", "ncount"]
    last = {task: values[-1] for task, values in history["log_variance"].items()}
    assert found["tumor"]["weight"] == pytest.approx(math.exp(-last["tumor"]), rel=1e-5)
    assert found["ncount"]["weight"] == pytest.approx(math.exp(-last["ncount"]) / 2, rel=1e-5)
    assert found["domain"]["weight"] == pytest.approx(-history["strength"][-1] * math.exp(-last["domain"]), rel=1e-5)
    assert found["tumor"]["cosine_to_tumor"] == pytest.approx(1)
    for one in found.values():
        assert one["pull"] == pytest.approx(abs(one["weight"]) * one["norm"])
        assert -1 <= one["cosine_to_tumor"] <= 1


def test_heads_on_the_pooled_features_do_not_pull_at_the_dense_ones(tiny_h5, tmp_path):
    run = train(tiny_h5, tmp_path / "run", quiet=True, **TINY, concept_head_on="pool", concepts=("ncount",))
    subject = open_subjects([run], "last")[0]
    found = pulls(subject, np.arange(24), trajectory(subject.trained))["tasks"]
    assert found["ncount"] is None
    assert found["tumor"]["norm"] > 0


def test_the_trajectory_is_that_of_the_history(tiny_run):
    history = pd.read_csv(tiny_run / "history.csv")
    last = trajectory(open_subjects([tiny_run], "last")[0].trained)
    assert last["epoch"] == [1, 2, 3, 4]
    assert last["strength"] == [0, 0, 1, 1]
    np.testing.assert_allclose(last["pull"], history["strength"] * np.exp(-history["log_var_domain"]))
    assert last["model_epoch"] == 4
    best = trajectory(open_subjects([tiny_run], "best")[0].trained)
    assert best["model_epoch"] == 1 + int(history["val_loss_tumor"].argmin())


def test_the_command(tiny_run, tmp_path):
    found = diagnose(tiny_run, tmp_path / "out", model="last", **QUICK)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["diagnose.json", "diagnose.png"]
    assert json.loads((tmp_path / "out" / "diagnose.json").read_text()) == found
    assert found["rows"] == {"train": 24, "held_out": 24}
    assert {one["layer"] for one in found["domain"]} == {"pool", "features_1"}
    assert [one["distance"] for one in found["a_distance"]] != [None, None]
    assert 0 <= found["head"]["accuracy"] <= 1
    assert found["epoch"] == 4


def test_the_head_is_measured_as_the_evaluation_does(tiny_run, tmp_path):
    found = diagnose(tiny_run, tmp_path / "out", **QUICK)
    subject = open_subjects([tiny_run])[0]
    tested = subject.data.of("validation", "internal_test")
    told = subject.trained.predict(subject.data.patches, tested)["domain"]
    right = (told.to_numpy(str) == subject.data.rows["centre"].to_numpy(str)[tested]).mean()
    assert found["head"]["accuracy"] == pytest.approx(right)


@pytest.mark.parametrize("preset", ["baseline", "fixed-weights", "random-concept"])
def test_runs_without_an_adversary_or_log_variances(tiny_h5, tmp_path, preset):
    run = train(tiny_h5, tmp_path / "run", preset=preset, quiet=True, **TINY)
    found = diagnose(run, **QUICK)
    assert (run / "explain" / "diagnose" / "diagnose.png").exists()
    assert (found["head"] is None) == (preset != "fixed-weights")
    assert (found["history"]["log_variance"] == {}) == (preset == "fixed-weights")


def test_one_centre_is_refused(tmp_path):
    store = tiny_store(tmp_path / "one.h5", centre="0")
    run = train(store, tmp_path / "run", preset="baseline", quiet=True, **TINY)
    with pytest.raises(InputError, match="come from 1 known centre"):
        diagnose(run, **QUICK)
    assert not (run / "explain").exists()


def test_held_out_rows_of_other_centres_alone_are_refused(tmp_path):
    rows = tiny_rows()
    rows.loc[rows["role"] != "train", "centre"] = "9"
    run = train(tiny_store(tmp_path / "store.h5", rows), tmp_path / "run", preset="baseline", quiet=True, **TINY)
    with pytest.raises(InputError, match="is of a training centre; split by patient"):
        diagnose(run, **QUICK)
    assert not (run / "explain").exists()


def test_damaged_runs_are_refused(tiny_run, tmp_path):
    shutil.copytree(tiny_run, tmp_path / "run")
    (tmp_path / "run" / "best.keras").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"best\.keras: damaged"):
        diagnose(tmp_path / "run", **QUICK)
