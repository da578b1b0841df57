"""`python -m mta.explain probe` on a small run: what it writes, and what it refuses."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from data_prep.errors import InputError
from mta.explain.__main__ import main
from mta.explain.cohort import choose_cohort, held_out, probeable_concepts, with_control
from mta.explain.opening import open_subjects
from mta.explain.probe import probe
from mta.train import train
from tests.builders import TINY, tiny_concepts, tiny_rows, tiny_store
from tests.mta.embedded import SETTINGS, cohort

QUICK = {"folds": 2, "shuffles": 9, "quiet": True}


@pytest.fixture(scope="module")
def run(tiny_run, tmp_path_factory):
    path = tmp_path_factory.mktemp("probed") / "mta"
    shutil.copytree(tiny_run, path)
    return path


@pytest.fixture(scope="module")
def table(run):
    return probe([run], layers=("pool", "features_1"), **QUICK)


def test_files(run, table):
    folder = run / "explain" / "probe"
    assert sorted(path.name for path in folder.iterdir()) == ["probe.csv", "probe.json", "probe.png"]
    pd.testing.assert_frame_equal(pd.read_csv(folder / "probe.csv"), table)
    about = json.loads((folder / "probe.json").read_text())
    assert about["runs"]["mta"]["layers"] == ["pool", "features_1"]
    assert about["runs"]["mta"]["trained_on"] == ["ncount", "narea"]
    assert about["rows"] == {"train": 24, "internal_test": 12}
    assert set(about["concepts"]) == {"ncount", "narea", "random"}
    assert (folder / "probe.png").read_bytes().startswith(b"\x89PNG")


def test_every_target_is_measured_at_every_layer(table):
    assert set(table["layer"]) == {"pool", "features_1"}
    measures = table.groupby("target")["measure"].agg(set)
    assert measures["ncount"] >= {"r2", "correlation", "sensitivity", "relevance", "positive"}
    assert measures["random"] == measures["ncount"]
    assert measures["tumor"] == {"auc", "accuracy", "balanced_accuracy", "chance", "majority"}
    assert measures["centre"] == {"accuracy", "balanced_accuracy", "chance", "majority"}
    tested = table[table["role"] == "internal_test"]
    assert set(tested["rows"]) == {12}
    assert set(tested["patients"]) == {2}


def test_the_same_command_gives_the_same_table(run, table):
    pd.testing.assert_frame_equal(probe([run], layers=("pool", "features_1"), **QUICK), table)


def test_overwriting_a_run_removes_what_explained_it(run, table, tiny_h5, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    train(tiny_h5, copy, quiet=True, overwrite=True, **TINY)
    assert not (copy / "explain").exists()


def test_several_runs_are_compared_with_the_first(run, tiny_h5, tmp_path):
    baseline = train(tiny_h5, tmp_path / "baseline", preset="baseline", quiet=True, **TINY)
    with pytest.raises(InputError, match="--out"):
        probe([baseline, run], **QUICK)
    made = probe([baseline, run], tmp_path / "out", ("pool",), ("narea",), **QUICK)
    assert list(dict.fromkeys(made["run"])) == ["baseline", "mta"]
    assert set(made["target"]) == {"narea", "random", "tumor", "centre"}
    gap = made[(made["measure"] == "r2_difference") & (made["target"] == "narea")].iloc[0]
    r2 = made[(made["measure"] == "r2") & (made["target"] == "narea")].set_index("run")["value"]
    assert gap["run"] == "mta"
    assert gap["value"] == pytest.approx(r2["mta"] - r2["baseline"])


def test_a_run_on_embeddings(tmp_path):
    run = train(cohort(tmp_path / "cohort"), tmp_path / "run", quiet=True, **{**SETTINGS, "concepts": ("ncount",)})
    made = probe([run], concepts=("ncount",), **QUICK)
    r2 = made[(made["measure"] == "r2") & (made["target"] == "ncount")].set_index("layer")["value"]
    assert list(r2.index) == ["standardization", "features_1"]
    assert r2["standardization"] > 0.5  # the third number of an embedding is the count, with noise
    layer = made[(made["layer"] == "standardization") & (made["role"] == "internal_test")].set_index("measure")
    assert layer["value"]["auc"] > 0.9  # the first number tells the class, the second the centre
    assert layer[layer["target"] == "centre"]["value"]["balanced_accuracy"] > 0.8


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"layers": ("features_9",)}, "mta: the model has no layer 'features_9'; the nearest are features_1"),
        ({"concepts": ("ncuont",)}, "has no concept ncuont"),
        ({"folds": 5}, "4 patients are fewer than 5 folds; give --folds 4 or fewer"),
        ({"folds": 1}, "--folds 1: give 2 or more"),
        ({"shuffles": -1}, "--shuffles -1: give 0 or more"),
        ({"seed": -1}, "--seed -1"),
        ({"patches": 1}, "--patches 1: give 2 or more"),
    ],
)
def test_bad_input_writes_nothing(run, tmp_path, flags, words):
    with pytest.raises(InputError, match=words):
        probe([run], tmp_path / "out", **{**QUICK, **flags})
    assert not (tmp_path / "out").exists()


def test_bad_input_is_one_line_and_status_2(run, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["probe", str(run), "--layers", "pools", "--quiet"])
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("python -m mta.explain probe: ")
    assert len(error.splitlines()) == 1


def test_no_run_is_a_usage_error(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["probe"])
    assert stop.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def subject_with(tmp_path, **changed):
    """A run on a store of its own, never trained on concepts."""
    store = tiny_store(tmp_path / "changed.h5", **changed)
    return open_subjects([train(store, tmp_path / "run", preset="baseline", quiet=True, **TINY)])[0]


def test_constant_concepts_are_refused_by_name_or_left_out(tmp_path, capsys):
    concepts = tiny_concepts(tiny_rows()).assign(flat=3.0, missing=np.nan)
    concepts["few"] = np.where(tiny_rows()["patient"] == "p0", concepts["narea"], np.nan)
    data = subject_with(tmp_path, concepts=concepts).data
    rows = choose_cohort(data, ("train", "internal_test"))
    assert set(probeable_concepts(rows, False, 2)) == {"ncount", "narea"}
    warned = capsys.readouterr().err
    assert "'flat' is 3 on every training row, and is left out" in warned
    assert "'missing' is known for no training row" in warned
    assert "'few' is known for 1 training patients, fewer than 2 folds, and is left out" in warned
    for name, reason in (("flat", "is 3 on every"), ("missing", "is known for no"), ("few", "is known for 1")):
        alone = replace(rows, concepts={name: rows.concepts[name]})
        with pytest.raises(InputError, match=f"'{name}' {reason} training .*; leave it out of --concepts"):
            probeable_concepts(alone, True, 2)


def test_rows_are_drawn_by_the_seed(tiny_run):
    data = open_subjects([tiny_run])[0].data
    few = choose_cohort(data, ("train", "internal_test"), most=5, seed=1)
    assert [int(few.of(role).sum()) for role in ("train", "internal_test")] == [5, 5]
    np.testing.assert_array_equal(few.rows, choose_cohort(data, ("train", "internal_test"), most=5, seed=1).rows)
    assert (few.rows != choose_cohort(data, ("train", "internal_test"), most=5, seed=2).rows).any()
    every = held_out(choose_cohort(data, ("train", "validation", "internal_test")))
    assert every.tests == ["held_out"]
    assert int(every.of("held_out").sum()) == 24
    control = with_control(few, data, 0).concepts["random"]
    assert len(control) == 10
    assert np.ptp(control) > 0


def with_roles(run, folder, change):
    """A copy of `run` in `folder` whose rows have the roles that `change` makes of the split table."""
    shutil.copytree(run, folder)
    split = pd.read_csv(folder / "split.csv", dtype=str, keep_default_na=False)
    split.assign(role=change(split)).to_csv(folder / "split.csv", index=False)
    return folder


def test_one_class(tiny_run, tmp_path):
    normal = (tiny_rows()["label"] == 0).to_numpy()

    def tumors(split):
        return split["role"].mask(normal & (split["role"] == "internal_test"), "")

    run = with_roles(tiny_run, tmp_path / "run", tumors)
    with pytest.raises(InputError, match="role internal_test has no normal patch"):
        probe([run], **QUICK)


def test_no_tested_rows(tiny_run, tmp_path):
    run = with_roles(tiny_run, tmp_path / "run", lambda split: split["role"].replace("internal_test", "validation"))
    with pytest.raises(InputError, match="needs rows with the role train and with one of internal_test, external_test"):
        probe([run], **QUICK)


def test_one_training_patient(tiny_run, tmp_path):
    def alone(split):
        return split["role"].mask((split["role"] == "train") & (split["patient"] != "p0"), "")

    run = with_roles(tiny_run, tmp_path / "run", alone)
    with pytest.raises(InputError, match="all rows to be fitted are of one patient"):
        probe([run], **QUICK)
