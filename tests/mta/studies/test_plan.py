from pathlib import Path

import pytest

from data_prep.errors import InputError
from mta.studies.plan import read_plan, run_folder
from tests.mta.studies.builders import ROWS, SETTINGS, write_plan


def test_a_row_is_the_common_settings_with_its_own(tmp_path):
    plan = read_plan(write_plan(tmp_path, rows={**ROWS, "long": {"preset": "mta", "batch-size": 4}}))
    config = plan.config("long", 2, 0, tmp_path)
    assert (config.batch_size, config.dense, config.seed) == (4, (16,), 2)
    assert config.out == str(tmp_path / "runs" / "long" / "2")
    assert plan.config("plain", 1, 0, tmp_path).concepts == ()
    assert (plan.baseline, plan.control, plan.model) == ("plain", "noise", "last")
    assert plan.roles == ("internal_test", "external_test")


def test_split_tables_take_turns(tmp_path):
    plan = read_plan(write_plan(tmp_path, splits=["a.csv", "b.csv"]))
    config = plan.config("mta", 3, 1, tmp_path)
    assert config.split == "b.csv"
    assert config.out == str(run_folder(tmp_path, "mta", 3, 1)) == str(tmp_path / "runs/mta/3-1")


def test_named_stores_and_a_store_of_one_row(tmp_path):
    rows = {**ROWS, "other": {"store": "other.h5"}}
    plan = read_plan(write_plan(tmp_path, data={"a": "a.h5", "b": "b.h5"}, rows=rows))
    assert plan.config("mta", 1, 0, tmp_path).store == "a=a.h5,b=b.h5"
    assert plan.config("other", 1, 0, tmp_path).store == "other.h5"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"settings": {"learning_rat": 1.0}},
            "row plain: unknown setting 'learning_rat'; did you mean 'learning_rate'",
        ),
        ({"settings": {**SETTINGS, "dropout": "much"}}, "row plain: setting dropout is 'much'"),
        ({"settings": {"seed": 1}}, "seed is the study's own"),
        ({"settings": {"folds": 5}}, "name split tables under splits"),
        ({"settings": {**SETTINGS, "split": "patient"}}, "split: patient deals patients out by the seed"),
        ({"settings": {**SETTINGS, "split": "a.csv"}, "splits": ["b.csv"]}, "split: a.csv beside splits"),
        ({"settings": [1]}, "write settings like"),
        ({"rows": {**ROWS, "x": {"out": "y"}}}, "row x: out is the study's own"),
        ({"rows": {"plain": {"preset": "baselin"}}, "control": None}, "row plain: setting preset is 'baselin'"),
        ({"rows": {**ROWS, "../up": {}}}, "row '../up': names become folders"),
        ({"rows": {**ROWS, 7: {}}}, "row 7: names become folders"),
        ({"rows": {**ROWS, "MTA": {}}}, "mta stands twice"),
        ({"rows": ["plain"]}, "write one line a row"),
        ({"rows": None}, "has no rows"),
        ({"baseline": None}, "has no baseline"),
        ({"baseline": "plan"}, "baseline: unknown row 'plan'; did you mean plain?"),
        ({"control": "nois"}, "control: unknown row 'nois'; did you mean noise?"),
        ({"seeds": []}, "has no seeds"),
        ({"seeds": [1, 1]}, "1 stands twice"),
        ({"seeds": [True]}, "whole numbers"),
        ({"seeds": [-1]}, "whole numbers"),
        ({"model": "first"}, "model: unknown rule 'first'"),
        ({"roles": ["internal"]}, "roles: unknown role 'internal'; did you mean internal_test"),
        ({"roles": ["train"]}, "roles: unknown role 'train'"),
        ({"roles": []}, "name one or more"),
        ({"data": 3}, "give a store"),
        ({"sedes": [1]}, "unknown key 'sedes'; did you mean seeds"),
        ({"splits": "a.csv"}, "splits: write a list"),
    ],
)
def test_bad_input_is_one_line(tmp_path, changed, said):
    with pytest.raises(InputError) as caught:
        read_plan(write_plan(tmp_path, **changed))
    assert said in str(caught.value)
    assert str(tmp_path / "study.yaml") in str(caught.value)
    assert "\n" not in str(caught.value)


STUDIES = sorted((Path(__file__).parents[3] / "studies").glob("*.yaml"))


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.name)
def test_the_studies_of_the_repository_can_be_read(path):
    plan = read_plan(path)
    assert plan.control in plan.rows
    assert len(plan.seeds) > 1


def test_table_2_has_the_rows_and_seeds_of_the_paper_and_its_controls():
    plans = [read_plan(path) for path in STUDIES if path.name.startswith("table2")]
    assert len(plans) == 2
    for plan in plans:
        configs = {row: plan.config(row, 1001, 0, Path()) for row in plan.rows}
        branches = {(*sorted(config.concepts), config.adversary) for config in configs.values()}
        wanted = [(), ("narea",), ("ncount",), ("full_contrast",)]
        assert {(*names, "none") for names in wanted} <= branches
        adversarial = [(), ("ncount",), ("narea", "ncount"), ("full_contrast", "narea", "ncount")]
        assert {(*names, "centre") for names in adversarial} <= branches
        assert ("random", "none") in branches
        assert configs["fixed-weights"].weighting == "fixed"
        assert configs["stain-augmentation"].store != configs["baseline"].store
        assert plan.seeds == (1001, 822, 1139, 2409, 2009, 789, 456, 123, 369, 741)
