import numpy as np
import pytest

from data_prep.errors import InputError
from mta.studies.plan import read_plan, run_folder
from mta.studies.tested import collect
from tests.mta.studies.builders import predictions, write_plan, write_run, write_runs

GAINS = {"plain": 0.5, "mta": 1.0, "noise": 0.5}


def test_all_runs_are_on_the_same_rows_in_one_order(tmp_path):
    plan = read_plan(write_plan(tmp_path))
    write_runs(tmp_path, GAINS)
    shuffled = predictions(2.0, 7).sample(frac=1, random_state=0)
    path = run_folder(tmp_path, "mta", 2) / "predictions.csv"
    shuffled.to_csv(path, index=False)
    tested = collect(plan, tmp_path)
    assert tested.roles == ("internal_test", "external_test", "overall")
    assert list(tested.scores("mta", "internal_test")) == [1, 2, 3]
    wanted = predictions(2.0, 7)["logit"].to_numpy()
    np.testing.assert_allclose(tested.scores("mta", "overall")[2], wanted)
    np.testing.assert_allclose(tested.scores("mta", "external_test")[2], wanted[24:])
    assert tested.centres[("mta", 1)] == ("0", "1")
    assert tested.centres[("plain", 1)] == ()


def test_other_test_rows_are_refused_with_the_runs_and_the_rows(tmp_path):
    plan = read_plan(write_plan(tmp_path))
    write_runs(tmp_path, GAINS)
    other = predictions(1.0, 2)
    other.loc[5, "patient"] = "somebody"
    other.to_csv(run_folder(tmp_path, "mta", 2) / "predictions.csv", index=False)
    with pytest.raises(InputError, match=r"mta/2 against plain/1: 1 test rows differ \(rows 5;"):
        collect(plan, tmp_path)


def test_rows_with_another_role_are_refused(tmp_path):
    plan = read_plan(write_plan(tmp_path))
    write_runs(tmp_path, GAINS)
    other = predictions(1.0, 2)
    other["role"] = np.where(other["role"] == "internal_test", "external_test", "internal_test")
    other.to_csv(run_folder(tmp_path, "mta", 2) / "predictions.csv", index=False)
    with pytest.raises(InputError, match=r"mta/2 against plain/1: 48 test rows have another role there \(row 0\)"):
        collect(plan, tmp_path)


def test_the_domain_is_told_where_all_splits_train_on_the_same_centres(tmp_path):
    plan = read_plan(write_plan(tmp_path, splits=["a.csv", "b.csv"], seeds=[1], rows={"plain": {}}, control=None))
    table = predictions(1.0, 1, "0")
    halves = [table[table["row"] % 12 < 6], table[table["row"] % 12 >= 6]]
    for number, half in enumerate(halves):
        write_run(run_folder(tmp_path, "plain", 1, number), half, ("0", "1"))
    assert collect(plan, tmp_path).centres["plain", 1] == ("0", "1")
    (run_folder(tmp_path, "plain", 1, 1) / "labels.json").write_text('{"concepts": {}, "centres": ["0", "2"]}')
    assert collect(plan, tmp_path).centres["plain", 1] == ()


def test_unfinished_runs_are_left_out_and_a_study_without_baseline_is_refused(tmp_path):
    plan = read_plan(write_plan(tmp_path))
    write_runs(tmp_path, GAINS)
    (run_folder(tmp_path, "mta", 3) / "evaluation.json").unlink()
    assert list(collect(plan, tmp_path).scores("mta", "overall")) == [1, 2]
    for seed in (1, 2, 3):
        (run_folder(tmp_path, "plain", seed) / "evaluation.json").unlink()
    with pytest.raises(InputError, match="no run of the baseline plain"):
        collect(plan, tmp_path)


def test_splits_are_pooled_by_their_ranks(tmp_path):
    plan = read_plan(write_plan(tmp_path, splits=["a.csv", "b.csv"], seeds=[1], rows={"plain": {}}, control=None))
    table = predictions(1.0, 1)
    halves = [table[table["row"] % 12 < 6], table[table["row"] % 12 >= 6].assign(logit=lambda t: 1000 + t["logit"])]
    for number, half in enumerate(halves):
        write_run(run_folder(tmp_path, "plain", 1, number), half)
    tested = collect(plan, tmp_path)
    scores = tested.scores("plain", "internal_test")[1]
    assert len(scores) == 24
    assert np.isclose(scores.max(), 1)
    first = tested.part(("plain", 1), "internal_test")["row"].to_numpy() % 12 < 6
    assert sorted(scores[first]) == pytest.approx(sorted(scores[~first]))


def test_one_role_has_no_overall(tmp_path):
    plan = read_plan(write_plan(tmp_path, roles=["external_test"]))
    write_runs(tmp_path, GAINS)
    assert collect(plan, tmp_path).roles == ("external_test",)
