import numpy as np
import pytest

from data_prep.splits import patient_keys
from mta.evaluation import across_seeds, auc, paired_difference
from mta.studies.figure import forest
from mta.studies.measures import difference, tidy
from mta.studies.plan import read_plan, run_folder
from mta.studies.table import interval_cell, make_table
from mta.studies.tested import collect
from tests.mta.studies.builders import predictions, write_plan, write_run, write_runs

GAINS = {"plain": 0.2, "mta": 1.5, "noise": 0.2}


@pytest.fixture
def tested(tmp_path):
    write_runs(tmp_path, GAINS)
    return collect(read_plan(write_plan(tmp_path)), tmp_path)


def value(results, **wanted):
    for name, one in wanted.items():
        results = results[results[name] == one]
    assert len(results) == 1
    return results["value"].item()


def test_one_line_for_each_number(tested):
    results = tidy(tested)
    assert list(results) == ["row", "seed", "role", "measure", "value"]
    assert not results.duplicated(["row", "seed", "role", "measure"]).any()
    table = predictions(1.5, 2)
    outside = table[table["role"] == "external_test"]
    found = value(results, row="mta", seed=2, role="external_test", measure="auc")
    assert found == pytest.approx(auc(outside["label"], outside["logit"]))
    right = (table["logit"] > 0) == (table["label"] == 1)
    assert value(results, row="mta", seed=2, role="overall", measure="accuracy") == pytest.approx(right.mean())


def test_the_worst_centre_is_the_lowest_of_all(tested):
    results = tidy(tested)
    table = predictions(0.2, 1)
    centres = [auc(part["label"], part["logit"]) for _, part in table.groupby("centre")]
    assert value(results, row="plain", seed=1, role="overall", measure="worst_centre_auc") == pytest.approx(
        min(centres)
    )


def test_domain_accuracy_is_beside_chance_and_over_known_centres_alone(tested):
    results = tidy(tested)
    one = results[(results["row"] == "mta") & (results["seed"] == 1)]
    inside = one[one["role"] == "internal_test"].set_index("measure")["value"]
    assert inside["domain_accuracy"] == 0.5  # the head says "0", half of the rows are of centre 1
    assert inside["domain_chance"] == 0.5
    assert not one[one["role"] == "external_test"]["measure"].str.startswith("domain").any()
    assert not results[results["row"] == "plain"]["measure"].str.startswith("domain").any()


def test_a_difference_is_that_over_seeds_and_patients(tested):
    found = difference(tested, "overall", "mta", "plain")
    tables = {row: [predictions(gain, seed) for seed in (1, 2, 3)] for row, gain in GAINS.items()}
    labels, patients = tables["mta"][0]["label"], patient_keys(tables["mta"][0])
    scores = {row: np.array([table["logit"] for table in each]) for row, each in tables.items()}
    wanted = across_seeds(labels, scores["mta"], patients, scores["plain"])
    assert (found.mean, found.low, found.high) == pytest.approx((wanted.mean, *wanted.interval))
    assert found.seeds == 3
    assert found.low > 0


def test_one_seed_has_an_interval_over_patients_alone(tmp_path):
    write_runs(tmp_path, GAINS, seeds=(1,))
    tested = collect(read_plan(write_plan(tmp_path, seeds=[1])), tmp_path)
    found = difference(tested, "overall", "mta", "plain")
    tables = [predictions(GAINS[row], 1) for row in ("mta", "plain")]
    wanted = paired_difference(
        tables[0]["label"], tables[0]["logit"], tables[1]["logit"], patient_keys(tables[0]), method="t"
    )
    assert (found.mean, found.low, found.high) == pytest.approx(wanted)


def test_a_difference_without_an_interval_is_shown_without_one(tmp_path):
    """One patient of each class: neither can be left out."""
    for row, gain in GAINS.items():
        table = predictions(gain, 1)
        table["patient"] = table["role"] + table["label"].astype(str)
        write_run(run_folder(tmp_path, row, 1), table.assign(slide=""))
    plan = read_plan(write_plan(tmp_path, seeds=[1]))
    tested = collect(plan, tmp_path)
    table = make_table(plan, tested, tidy(tested))
    line = table.set_index("row").loc["mta"]
    assert np.isfinite(line["baseline_internal_test"])
    assert np.isnan(line["baseline_internal_test_low"])
    assert interval_cell(line, "baseline_internal_test") == f"{line['baseline_internal_test']:+.3f}"
    forest(plan, table, tested.roles, tmp_path / "study.png")
    assert (tmp_path / "study.png").stat().st_size > 5000


def test_rows_are_paired_by_the_seeds_that_both_have(tmp_path):
    write_runs(tmp_path, GAINS)
    (tmp_path / "runs" / "mta" / "2" / "evaluation.json").unlink()
    tested = collect(read_plan(write_plan(tmp_path)), tmp_path)
    assert difference(tested, "overall", "mta", "plain").seeds == 2
    assert np.isnan(difference(tested, "overall", "plain", "plain").mean)
