"""What is measured after training, on the run's own data and on other data."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

import mta
from data_prep.errors import InputError
from mta.evaluate import evaluate, main
from mta.provenance import fingerprint
from mta.trained import load_run
from tests.builders import tiny_concepts, tiny_pixels, tiny_rows, tiny_store

ROWS = tiny_rows()
FIXED = ["row", "patient", "slide", "centre", "role", "label", "logit", "probability", "domain"]


@pytest.fixture(scope="module")
def run(tiny_run, tmp_path_factory):
    """A copy of the finished run to write results into, evaluated once."""
    path = tmp_path_factory.mktemp("evaluated") / "mta"
    shutil.copytree(tiny_run, path)
    evaluate(path, quiet=True)
    return path


def predictions(folder):
    return pd.read_csv(folder / "predictions.csv", dtype={"patient": str, "centre": str, "domain": str})


def test_predictions_csv(run):
    table = predictions(run)
    assert list(table) == [*FIXED, "ncount", "ncount_true", "narea", "narea_true"]
    tested = ROWS[ROWS["role"] != "train"]
    for name in ("patient", "slide", "centre", "role", "label"):
        np.testing.assert_array_equal(table[name], tested[name])
    np.testing.assert_array_equal(table["row"], tested.index)
    np.testing.assert_allclose(table["probability"], 1 / (1 + np.exp(-table["logit"])))
    assert set(table["domain"]) <= {"0", "1"}
    np.testing.assert_allclose(table["narea_true"], tiny_concepts(ROWS)["narea"][tested.index])


def test_concepts_are_predicted_in_their_own_unit(run):
    concepts, table, trained = tiny_concepts(ROWS), predictions(run), load_run(run)
    training, tested = ROWS.index[ROWS["role"] == "train"], table["row"]
    images = trained.normalizer.transform(tiny_pixels(ROWS)[tested])
    outputs = trained.model.predict_on_batch(images)
    for name in ("narea", "ncount"):
        known = concepts[name][training]
        expected = outputs[name][:, 0] * known.std(ddof=0) + known.mean()
        np.testing.assert_allclose(table[name], expected, rtol=1e-4)


def test_metrics_json(run):
    metrics, table = json.loads((run / "metrics.json").read_text()), predictions(run)
    assert list(metrics) == ["validation", "internal_test"]
    for role, values in metrics.items():
        part = table[table["role"] == role]
        assert set(values) == {"tumor", "by_centre", "concepts", "domain", "calibration", "operating_point"}
        assert values["tumor"]["auc"] == pytest.approx(roc_auc_score(part["label"], part["logit"]))
        low, high = values["tumor"]["auc_interval"]
        assert 0 <= low <= values["tumor"]["auc"] <= high <= 1
        assert values["tumor"]["accuracy"] == pytest.approx(((part["logit"] > 0) == part["label"]).mean())
        assert set(values["by_centre"]) == {"0", "1"}
        assert set(values["concepts"]) == {"ncount", "narea"}
        assert set(values["concepts"]["narea"]) >= {"r2", "mse"}
        assert values["domain"]["accuracy"] == pytest.approx((part["domain"] == part["centre"]).mean())
        assert (values["domain"]["chance"], values["domain"]["majority"]) == (0.5, 0.5)


def test_figures(run):
    for name in ("roc.png", "history.png"):
        assert (run / name).read_bytes().startswith(b"\x89PNG")


def test_other_data_without_roles_is_external(run, tmp_path):
    store = tiny_store(tmp_path / "b.h5", role="", centre="7")
    before = (run / "metrics.json").read_bytes()
    metrics = evaluate(run, store, quiet=True)
    assert list(metrics) == ["external_test"]
    assert metrics["external_test"]["tumor"]["n"] == 48
    assert metrics["external_test"]["domain"]["accuracy"] is None  # the centre was not in training
    assert sorted(path.name for path in (run / "evaluation-b").iterdir()) == [
        *("evaluation.json", "metrics.json", "predictions.csv", "roc.png"),
    ]
    assert (run / "metrics.json").read_bytes() == before


def test_other_data_keeps_its_roles_and_its_own_training_rows_are_left_out(run, tmp_path):
    store = tiny_store(tmp_path / "b.h5", role=np.where(ROWS["role"] == "internal_test", "", ROWS["role"]))
    metrics = evaluate(run, store, tmp_path / "out", quiet=True)
    assert {role: values["tumor"]["n"] for role, values in metrics.items()} == {"validation": 12, "external_test": 12}
    only_training = tiny_store(tmp_path / "c.h5", role="train")
    with pytest.raises(InputError, match="every row has the role train; there is nothing to test on"):
        evaluate(run, only_training, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_other_data_without_concepts_still_gives_auc(run, tmp_path):
    rows = ROWS.assign(role="")
    store = tiny_store(tmp_path / "b.h5", rows, concepts=pd.DataFrame(index=rows.index))
    metrics = evaluate(run, store, tmp_path / "out", quiet=True)["external_test"]
    assert metrics["tumor"]["auc"] is not None
    assert metrics["concepts"]["narea"] == {"r2": None, "mse": None, "n": 0}
    assert predictions(tmp_path / "out")["narea_true"].isna().all()


def test_several_stores_under_names(run, tmp_path):
    first, second = (tiny_store(tmp_path / f"{name}.h5", role="") for name in "xy")
    metrics = evaluate(run, f"a={first},b={second}", quiet=True)
    assert metrics["external_test"]["tumor"]["n"] == 96
    assert (run / "evaluation-a-b" / "metrics.json").exists()


def description(folder):
    return json.loads((folder / "evaluation.json").read_text())


def test_evaluation_json_tells_what_was_measured_on_what(run, tiny_h5, tmp_path):
    own = {"data": str(tiny_h5), "fingerprints": [fingerprint(tiny_h5)], "shared_patients": 0}
    assert description(run) == {"run": str(run), "model": "best", **own}
    evaluate(run, out=tmp_path / "last", model="last", quiet=True)
    assert description(tmp_path / "last") == {"run": str(run), "model": "last", **own}


def test_patients_that_were_trained_on_are_counted_and_named(run, tmp_path, capsys):
    patient = ROWS["patient"].replace({"p0": "new", "p3": "", "p4": "p1"})
    store = tiny_store(tmp_path / "shared.h5", role="", patient=patient)
    evaluate(run, store, tmp_path / "out", quiet=True)
    assert description(tmp_path / "out")["shared_patients"] == 2
    warned = capsys.readouterr().err
    assert "shared.h5: 2 of its tested patients have the name of a training patient, e.g. p1, p2;" in warned
    store = tiny_store(tmp_path / "other.h5", role="", patient="other " + ROWS["patient"])
    evaluate(run, store, tmp_path / "none", quiet=True)
    assert description(tmp_path / "none")["shared_patients"] == 0
    assert capsys.readouterr().err == ""


def test_the_table_shows_calibration_and_the_operating_point(run, tmp_path, capsys):
    metrics = evaluate(run, out=tmp_path / "shown")
    head, *lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("role", *metrics))]
    assert head.split()[-5:] == ["ECE", "sens", "spec", "concepts", "R2"]
    for line, (role, values) in zip(lines, metrics.items(), strict=True):
        point = values["operating_point"]
        shares = (values["calibration"]["ece"], point["sensitivity"], point["specificity"])
        shown = " ".join(f"{share:>6.3f}" for share in shares)
        assert line.startswith(role)
        assert line[head.index("   ECE") : head.index("  concepts")].rstrip() == shown


def test_stores_of_one_name_do_not_overwrite_each_other(run, tmp_path):
    stores = [tiny_store(tmp_path / name / "same.h5", role="", centre=name) for name in "xy"]
    for _ in range(2):
        for store in stores:
            evaluate(run, store, quiet=True)
    assert sorted(path.name for path in run.glob("evaluation-same*")) == ["evaluation-same", "evaluation-same-2"]
    for store, name in zip(stores, ("evaluation-same", "evaluation-same-2"), strict=True):
        assert description(run / name)["fingerprints"] == [fingerprint(store)]
        assert set(predictions(run / name)["centre"]) == {store.parent.name}


def test_the_runs_own_store_is_no_other_data(run, tiny_h5, tmp_path):
    shutil.copy(tiny_h5, tmp_path / "copy.h5")
    for spec in (tiny_h5, f"a={tmp_path / 'copy.h5'}"):
        with pytest.raises(InputError, match="this is the run's own store; leave --data out"):
            evaluate(run, spec, quiet=True)


def test_a_store_that_changed_since_training_is_refused(run, tmp_path):
    moved, store = tmp_path / "run", tiny_store(tmp_path / "a.h5", pixels=tiny_pixels(ROWS, seed=5))
    shutil.copytree(run, moved)
    config = json.loads((moved / "config.json").read_text())
    (moved / "config.json").write_text(json.dumps({**config, "store": str(store)}))
    with pytest.raises(InputError, match=r"a\.h5: changed since .*run was trained on it; put the old file back"):
        evaluate(moved, out=tmp_path / "out", quiet=True)
    assert not (tmp_path / "out").exists()


def test_an_unfinished_run_is_refused(run, tmp_path):
    unfinished = tmp_path / "run"
    shutil.copytree(run, unfinished)
    record = json.loads((unfinished / "run.json").read_text())
    (unfinished / "run.json").write_text(json.dumps({**record, "finished": None}))
    for use in (evaluate, mta.load, load_run):
        with pytest.raises(InputError, match="this run is not finished; run the same train command again"):
            use(unfinished)


def test_the_last_model_may_be_asked_for(run, tmp_path):
    evaluate(run, out=tmp_path / "last", model="last", quiet=True)
    assert (predictions(tmp_path / "last")["logit"] != predictions(run)["logit"]).any()


def failed(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main([*map(str, arguments), "--quiet"])
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("python -m mta.evaluate: ")
    return line


def test_bad_input_is_one_line_and_writes_nothing(capsys, run, tmp_path):
    rows = ROWS.assign(role="")
    out = ("--out", tmp_path / "out")
    write = {"large.h5": {"pixels": tiny_pixels(rows, side=40)}, "normal.h5": {"label": 0}, "bare.h5": {"label": -1}}
    stores = {name: tiny_store(tmp_path / name, rows, **changed) for name, changed in write.items()}
    line = failed(capsys, run, "--data", stores["large.h5"], *out)
    assert (
        f"{stores['large.h5']}: the patches are 40 x 40 pixels, the model takes 32 x 32; make the store again" in line
    )
    assert "role external_test has no tumor patch" in failed(capsys, run, "--data", stores["normal.h5"], *out)
    assert "has no normal and no tumor patch" in failed(capsys, run, "--data", stores["bare.h5"], *out)
    assert "there is no such file" in failed(capsys, run, "--data", tmp_path / "absent.h5", *out)
    assert "is " + str(tmp_path) + " the folder of a training run?" in failed(capsys, tmp_path, *out)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["labels.json", "stain.json", "config.json", "best.keras"])
def test_a_damaged_run_is_one_line(capsys, run, tmp_path, name):
    broken = tmp_path / "run"
    shutil.copytree(run, broken)
    (broken / name).write_bytes((broken / name).read_bytes()[:20])
    assert name in failed(capsys, broken)


def test_the_table_on_the_console(capsys, run):
    main([str(run)])
    shown = capsys.readouterr().out
    assert "validation" in shown
    assert "internal_test" in shown
    assert f"{run}: predictions.csv, metrics.json, roc.png" in shown


def test_a_concept_table_of_other_data(run, tmp_path):
    rows = ROWS.assign(role="")
    store = tiny_store(tmp_path / "b.h5", rows, concepts=pd.DataFrame(index=rows.index))
    concepts = tiny_concepts(rows)
    concepts.insert(0, "row", rows.index)
    concepts.to_csv(tmp_path / "c.csv", index=False)
    metrics = evaluate(run, store, tmp_path / "out", quiet=True, concept_file=tmp_path / "c.csv")["external_test"]
    assert metrics["concepts"]["narea"]["n"] == 48
    np.testing.assert_allclose(predictions(tmp_path / "out")["narea_true"], concepts["narea"])
    assert description(tmp_path / "out")["concept_file"] == str(tmp_path / "c.csv")
    with pytest.raises(InputError, match=r"--concept-file .*: is for --data"):
        evaluate(run, quiet=True, concept_file=tmp_path / "c.csv")


def test_few_patients_are_warned_of(run, tmp_path, capsys):
    evaluate(run, out=tmp_path / "out", quiet=True)
    expected = "warning: intervals over fewer than 5 patients say little (validation: 2, internal_test: 2)\n"
    assert capsys.readouterr().err == expected


@pytest.mark.parametrize(("mpp", "warned"), [(1.0, True), (0.44, True), (0.52, False), (np.nan, False)])
def test_another_resolution_is_warned_of(run, tmp_path, capsys, mpp, warned):
    record, coarse = json.loads((run / "run.json").read_text()), tmp_path / "run"
    assert record["mpp"] is None  # the tiny store does not say
    shutil.copytree(run, coarse)
    (coarse / "run.json").write_text(json.dumps({**record, "mpp": 0.5}))
    store = tiny_store(tmp_path / "b.h5", role="", patient="other " + ROWS["patient"], mpp=mpp)
    evaluate(coarse, store, tmp_path / "out", quiet=True)
    shown = capsys.readouterr().err
    assert shown.count("\n") == warned
    assert (f"b.h5: {mpp:.4g} um a pixel, the run was trained at 0.5;" in shown) == warned
