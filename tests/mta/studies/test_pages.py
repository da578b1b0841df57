import re

import numpy as np
import pytest
from PIL import Image

from mta.studies.figure import forest
from mta.studies.measures import difference, tidy
from mta.studies.pages import as_text, html_page, latex_table, method_note
from mta.studies.plan import read_plan
from mta.studies.table import make_table
from mta.studies.tested import collect
from tests.mta.studies.builders import write_plan, write_runs


@pytest.fixture
def made(tmp_path):
    write_runs(tmp_path, {"plain": 0.2, "mta": 1.5, "noise": 0.3})
    plan = read_plan(write_plan(tmp_path))
    tested = collect(plan, tmp_path)
    return plan, tested, make_table(plan, tested, tidy(tested))


def test_the_table_has_means_over_seeds_and_differences(made):
    plan, tested, table = made
    assert list(table["row"]) == ["plain", "mta", "noise"]
    line = table.set_index("row").loc["mta"]
    results = tidy(tested)
    mine = results[(results["row"] == "mta") & (results["role"] == "overall") & (results["measure"] == "auc")]["value"]
    assert line["auc_overall"] == pytest.approx(mine.mean())
    assert line["auc_overall_std"] == pytest.approx(np.std(mine, ddof=1))
    found = difference(tested, "overall", "mta", plan.control)
    assert (line["control_overall"], line["control_overall_high"]) == pytest.approx((found.mean, found.high))
    assert np.isnan(table.set_index("row").loc["plain", "baseline_overall"])


def test_one_seed_says_nothing_of_others(tmp_path):
    assert "for new seeds and new patients." in method_note(read_plan(write_plan(tmp_path)))
    assert "for new patients (one seed says nothing" in method_note(read_plan(write_plan(tmp_path, seeds=[1])))


def test_the_page_stands_alone_and_names_the_rule(made, tmp_path):
    plan, tested, table = made
    forest(plan, table, tested.roles, tmp_path / "study.png")
    page = html_page(plan, table, tested.roles, tmp_path / "study.png")
    assert "the last epoch of each run (model: last)" in page
    assert "data:image/png;base64," in page
    assert not re.search(r"(src|href)=\"(?!data:|#)", page)
    assert "prefers-color-scheme: dark" in page
    assert f"{table.set_index('row').loc['mta', 'baseline_overall']:+.3f} [" in page
    with Image.open(tmp_path / "study.png") as picture:
        width, height = picture.size
    assert width > height > 100


def test_latex_has_a_line_a_row_of_equal_length(made):
    plan, tested, table = made
    text = latex_table(plan, table, tested.roles)
    body = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(body) == 1 + len(table)
    assert len({line.count("&") for line in body}) == 1
    assert text.splitlines()[1] == rf"\begin{{tabular}}{{l{'r' * body[0].count('&')}}}"


def test_the_terminal_gets_aligned_columns(made):
    plan, tested, table = made
    lines = as_text(plan, table, tested.roles).splitlines()
    assert len(lines) == 4
    assert len({len(line) for line in lines}) == 1
