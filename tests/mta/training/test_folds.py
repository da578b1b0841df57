"""Cross-validation by patient."""

import dataclasses
import shutil

import numpy as np
import pandas as pd
import pytest

from data_prep.errors import InputError
from mta.evaluate import main as evaluate_main
from mta.run_folder import RunFolder
from mta.settings import configure
from mta.train import train
from mta.training import folds
from mta.training.setup import prepare
from tests.builders import TINY, tiny_rows, tiny_store
from tests.mta.training.killing import Killed, kill_in_batch

SETTINGS = {**TINY, "preset": "multitask", "epochs": (1, 0), "folds": 2, "quiet": True}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny_store(tmp_path_factory.mktemp("folds") / "tiny.h5", tiny_rows(4), role="")


@pytest.fixture(scope="module")
def run(store, tmp_path_factory):
    """Two folds, killed before the second was evaluated, and started again."""
    out = tmp_path_factory.mktemp("runs") / "folds"

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        whole = folds.evaluate

        def evaluate(path, quiet):
            if path.name == "fold-1":
                raise Killed
            whole(path, quiet=quiet)

        patch.setattr(folds, "evaluate", evaluate)
        train(store, out, **SETTINGS)
    assert RunFolder(out).standing() == "unfinished"
    first = (out / "fold-0" / "last.keras").stat().st_mtime_ns
    train(store, out, **SETTINGS)
    assert (out / "fold-0" / "last.keras").stat().st_mtime_ns == first
    return out


def test_every_patch_is_tested_once_and_no_patient_is_shared(run):
    splits = [pd.read_csv(run / f"fold-{fold}" / "split.csv") for fold in range(2)]
    tested = np.concatenate([split.loc[split["role"] == "internal_test", "row"] for split in splits])
    np.testing.assert_array_equal(np.sort(tested), np.arange(32))
    for split in splits:
        assert (split.groupby("patient")["role"].nunique() == 1).all()
        assert set(split["role"]) == {"train", "validation", "internal_test"}


def test_the_table_and_the_pooled_predictions(run):
    table = pd.read_csv(run / "folds.csv")
    assert list(table) == ["fold", "auc", "accuracy", "r2_ncount", "r2_narea"]
    pooled = pd.read_csv(run / "predictions.csv")
    np.testing.assert_array_equal(pooled["row"], np.arange(32))
    for fold in range(2):
        own = RunFolder(run / f"fold-{fold}").read("metrics.json")["internal_test"]
        assert table["auc"][fold] == pytest.approx(own["tumor"]["auc"])
    assert list(RunFolder(run).read("metrics.json")) == ["internal_test"]


def test_finished_folds_are_not_trained_again(run, store, capsys):
    assert RunFolder(run).standing() == "finished"
    train(store, run, **SETTINGS)
    assert "this run is finished" in capsys.readouterr().out
    assert RunFolder(run / "fold-1").config().fold == 1


def test_bad_input_leaves_nothing(store, tmp_path):
    rows = tiny_rows(4)
    lopsided = tiny_store(tmp_path / "a.h5", rows.assign(role="", label=(rows["patient"] == "p3").astype(int)))
    with pytest.raises(InputError, match="has no tumor patch"):
        train(lopsided, tmp_path / "run", **SETTINGS)
    with pytest.raises(InputError, match="fewer patients than parts"):
        train(store, tmp_path / "run", **{**SETTINGS, "folds": 9})
    assert not (tmp_path / "run").exists()


def test_evaluating_the_folder_of_all_folds_is_refused(run, capsys):
    with pytest.raises(SystemExit) as end:
        evaluate_main([str(run)])
    assert end.value.code == 2
    assert "holds 2 folds, a run each; name one of its fold-K folders" in capsys.readouterr().err


def test_a_run_killed_in_its_first_fold_can_be_resumed(store, tmp_path):
    out = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        kill_in_batch(patch, 0, 0)
        train(store, out, **SETTINGS)
    assert RunFolder(out).standing() == RunFolder(out / "fold-0").standing() == "unfinished"
    train(store, out, resume=True, **SETTINGS)
    assert RunFolder(out).standing() == "finished"


def folds_of(store, **settings):
    config = configure({"store": str(store), "folds": 2, **settings})
    return [prepare(dataclasses.replace(config, fold=fold)).data for fold in range(2)]


def test_what_is_kept_for_the_external_test_is_in_no_fold(tmp_path):
    rows = tiny_rows(4).assign(role="")
    rows.loc[rows["patient"] == "p7", "role"] = "external_test"
    rows.loc[rows["patient"].isin(["p2", "p6"]), "centre"] = "9"
    store = tiny_store(tmp_path / "a.h5", rows)
    for settings, outside in (({}, {"p7"}), ({"external_centres": ("9",)}, {"p2", "p6", "p7"})):
        first, second = folds_of(store, preset="multitask", **settings)
        tested = np.concatenate([data.of("internal_test") for data in (first, second)])
        inside = np.flatnonzero(~rows["patient"].isin(outside))
        np.testing.assert_array_equal(np.sort(tested), inside)
        for data in (first, second):
            assert set(rows["patient"][data.of("external_test")]) == outside
            assert set(rows["patient"][data.of("train", "validation")]).isdisjoint(outside)


@pytest.mark.parametrize("split", ["split.csv", "train=a.csv,validation=b.csv"])
def test_folds_and_a_split_file_exclude_each_other(store, tmp_path, split):
    with pytest.raises(InputError, match="--folds deals out the patients itself; leave out --split " + split):
        train(store, tmp_path / "run", **SETTINGS, split=split)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_overwrite_starts_all_folds_over(run, store, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(run, out)
    with pytest.raises(InputError, match="holds a run with seed=1001, not 3"):
        train(store, out, **SETTINGS, seed=3)
    with pytest.raises(InputError, match="has no concept nmagic"):
        train(store, out, overwrite=True, **SETTINGS, concepts=("nmagic",))
    assert RunFolder(out).standing() == "finished"
    train(store, out, overwrite=True, **SETTINGS, seed=3)
    assert [RunFolder(out / name).config().seed for name in ("", "fold-0", "fold-1")] == [3, 3, 3]
    assert RunFolder(out).standing() == "finished"
