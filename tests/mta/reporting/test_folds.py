import re

import numpy as np
import pandas as pd
import pytest

from mta.evaluation import auc, clustered_bootstrap, read_predictions
from mta.report import report
from tests.data_prep.report.test_report import Page
from tests.mta.reporting import samples


@pytest.fixture
def crossed(report_store, tmp_path):
    return samples.crossed(tmp_path / "cv", report_store)


def section(page, name):
    """Heads and lines of the first table of a section."""
    text = page.read_text(encoding="utf-8")
    part = text.partition(f'<section id="{name}">')[2].partition("</section>")[0].partition("</table>")[0]
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line) for line in re.findall("<tr>(.*?)</tr>", part)]
    return cells[0], cells[1:]


def area_of(part):
    low, high = clustered_bootstrap(part["label"], part["logit"], part["patient"], method="t")
    return f"{auc(part['label'], part['logit']):.3f} [{low:.3f}, {high:.3f}]"


def test_the_tests_of_the_folds_are_pooled(crossed):
    page = report([crossed])
    assert page == crossed / "report.html"
    heads, (line,) = section(page, "at-a-glance")
    pooled = read_predictions(crossed / "predictions.csv")
    assert len(pooled) == 96  # every patch outside the external test once
    said = dict(zip(heads, line, strict=True))
    assert (said["test"], said["AUC by patch"]) == ("internal test", area_of(pooled))
    assert (said["patients"], said["patches"], said["domain (chance)"]) == ("8", "96", "–")
    assert "3 folds, pooled, of 4, 4, 4 epochs" in Page(page.read_text(encoding="utf-8")).text


def test_every_fold_has_its_line(crossed):
    heads, lines = section(report([crossed]), "folds")
    table = pd.read_csv(crossed / "folds.csv")
    for number, line in enumerate(lines[:3]):
        said, predicted = (
            dict(zip(heads, line, strict=True)),
            read_predictions(crossed / f"fold-{number}/predictions.csv"),
        )
        assert said["fold"] == f"cv/fold-{number}"
        assert (said["AUC"], said["accuracy at 0.5"]) == (f"{table['auc'][number]:.3f}", f"{0.25 * number:.3f}")
        assert said["AUC, external test"] == area_of(predicted[predicted["role"] == "external_test"])
        tested = predicted[predicted["role"] == "internal_test"]
        assert (said["tested"], said["patches"]) == (str(tested["patient"].nunique()), str(len(tested)))
        assert int(said["training patients"]) + int(said["validation"]) + int(said["tested"]) == 8
    assert lines[3][:3] == ["mean", f"{table['auc'].mean():.3f}", "0.250"]
    assert lines[4][1] == f"{table['auc'].min():.3f} to {table['auc'].max():.3f}"


def test_the_flow_names_the_tests_of_the_folds(crossed):
    text = report([crossed]).read_text(encoding="utf-8")
    said = re.search('aria-label="(Flow of the data.*?)"', text)[1]
    assert "All: 10 patients, 10 slides, 120 patches." in said
    sizes = dict(re.findall(r"(test of fold-\d|external test): (\d+) patients", said))
    assert sizes == {"test of fold-0": "3", "test of fold-1": "3", "test of fold-2": "2", "external test": "2"}
    assert "Centres in the external test alone: 2." in Page(text).text


def test_curves_thresholds_and_domains_are_those_of_the_folds(crossed):
    page = report([crossed])
    assert page.read_text(encoding="utf-8").count("cv/fold-2: 0.6 at first, 0.9 at last") == 1  # validation AUC
    folds = [f"cv/fold-{number}" for number in range(3)]
    for name in ("operating-points", "domain"):
        assert sorted({line[0] for line in section(page, name)[1]}) == folds
    assert f"python -m mta.explain probe {crossed / 'fold-0'}" in Page(page.read_text(encoding="utf-8")).text


def test_a_centre_that_the_network_tested_on_it_never_saw_is_unseen(crossed):
    split = crossed / "fold-1" / "split.csv"
    table = pd.read_csv(split, dtype=str, keep_default_na=False)
    table.loc[(table["role"] == "train") & (table["centre"] == "1"), "role"] = ""
    table.to_csv(split, index=False)
    heads, lines = section(report([crossed]), "by-centre")
    seen = {line[heads.index("centre")].split()[0]: line[-1] for line in lines}
    assert seen == {"0": "yes", "1": "no"}


def test_the_checklist_speaks_for_all_folds(crossed):
    report([crossed])
    text = (crossed / "tripod_claim.md").read_text(encoding="utf-8")
    for words in (
        "3 folds of whole patients; no patient is in two roles (checked)",
        "3 models, one a fold",
        "0.4, 0.6 / 0.4, 0.6 / 0.4, 0.6",
        "by fold, AUC by patch: fold-0 ",
        "adversary on the centres 0, 1",
        "0.5 µm a pixel",
    ):
        assert words in text


def test_a_fold_may_test_one_patient(report_store, tmp_path):
    heads, lines = section(report([samples.crossed(tmp_path / "cv", report_store, 8)]), "folds")
    assert [line[heads.index("tested")] for line in lines] == [*["1"] * 8, "–", "–"]


def test_cross_validated_runs_are_compared(report_store, tmp_path):
    runs = [samples.crossed(tmp_path / name, report_store) for name in ("a", "b")]
    table = pd.read_csv(runs[1] / "predictions.csv")
    noise = np.random.default_rng(0).normal(0, 0.5, len(table))
    table.assign(logit=table["logit"] + noise).to_csv(runs[1] / "predictions.csv", index=False)
    page = report(runs, tmp_path / "r.html")
    assert [line[:3] for line in section(page, "comparison")[1]] == [["b", "a", "internal test"]]
    assert "b/fold-2" in Page(page.read_text(encoding="utf-8")).text


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda run: (run / "run.json").write_text("{}"), "not all folds are finished"),
        (lambda run: (run / "folds.csv").write_text("fold,auc\n0,1\n"), "folds.csv: damaged (no column accuracy)"),
        (lambda run: (run / "folds.csv").write_text("fold,auc,accuracy\n0,1,1\n"), "1 lines for 3 folds"),
        (lambda run: (run / "fold-1" / "config.json").unlink(), "fold-1/config.json: not found"),
        (lambda run: (run / "fold-1" / "predictions.csv").unlink(), "fold-1/predictions.csv: no such file"),
        (lambda run: (run / "predictions.csv").unlink(), "predictions.csv: no such file"),
        (
            lambda run: (run / "fold-1" / "split.csv").write_text("row,patient,slide,centre,role\n1,p,s,c,train\n"),
            "has other rows than that of cv/fold-0",
        ),
    ],
)
def test_damage_is_one_line(crossed, capsys, spoil, message):
    spoil(crossed)
    samples.require_refused(crossed, message, capsys)
