import json
import re

import pandas as pd
import pytest

from mta.evaluation import auc, clustered_bootstrap, read_predictions
from mta.report import report
from tests.data_prep.report.test_report import Page
from tests.mta.reporting import samples


def section(page):
    """The rows of the table and the text of the section on other data."""
    text = page.read_text(encoding="utf-8")
    part = text.partition('<section id="other-data">')[2].partition("</section>")[0]
    lines = [re.sub(r"<[^>]+>", "|", line).strip("|").replace("||", "|") for line in re.findall("<tr>(.*?)</tr>", part)]
    return [line.split("|") for line in lines], Page(part).text


def test_without_another_store_the_command_is_told(make_run):
    run = make_run()
    assert f"python -m mta.evaluate {run} --data STORE" in section(report([run]))[1]


def test_other_data_are_measured_beside_the_run_s_own(make_run, report_store):
    run = make_run()
    folder = samples.elsewhere(run, report_store)
    (heads, line), text = section(report([run]))
    part = read_predictions(folder / "predictions.csv")
    low, high = clustered_bootstrap(part["label"], part["logit"], part["patient"], method="t")
    area = f"{auc(part['label'], part['logit']):.3f} [{low:.3f}, {high:.3f}]"
    accuracy = ((part["logit"] > 0) == (part["label"] == 1)).mean()
    said = dict(zip(heads, line, strict=True))
    assert (said["run"], said["data"], said["rows"]) == ("mta", "other", "external test")
    assert (said["AUC by patch"], said["accuracy at 0.5"]) == (area, f"{accuracy:.3f}")
    assert (said["centres"], said["patients"], said["patches"]) == ("2", "2", str(len(part)))
    assert "no tested patient has the name of a training patient" in text
    assert f"other data, other, external test: AUC by patch {area.partition(' ')[0]}" in (
        run / "tripod_claim.md"
    ).read_text(encoding="utf-8")


def test_patients_that_were_trained_on_are_told(make_run, report_store):
    run = make_run()
    samples.elsewhere(run, report_store, shared=3)
    assert "3 tested patients have the name of a training patient" in section(report([run]))[1]


def test_runs_that_met_the_same_store_share_a_figure(make_run, report_store, tmp_path):
    runs = [make_run("a"), make_run("b", seed=1)]
    for seed, run in enumerate(runs):
        samples.elsewhere(run, report_store, seed=seed)
    samples.elsewhere(runs[1], report_store, "third")
    page = report(runs, tmp_path / "r.html")
    lines, _ = section(page)
    assert [line[:2] for line in lines[1:]] == [["a", "other"], ["b", "other"], ["b", "third"]]
    figures = re.findall('aria-label="(other|third), external test: (.*?)"', page.read_text(encoding="utf-8"))
    assert [(name, re.findall(r"\b(a|b) 0\.", said)) for name, said in figures] == [
        ("other", ["a", "b"]),
        ("third", ["b"]),
    ]


def test_one_patient_gives_a_number_without_an_interval(make_run, report_store):
    run = make_run()
    path = samples.elsewhere(run, report_store) / "predictions.csv"
    pd.read_csv(path).assign(patient="p", slide="s").to_csv(path, index=False)
    (heads, line), _ = section(report([run]))
    said = dict(zip(heads, line, strict=True))
    assert re.fullmatch(r"0\.\d{3}", said["AUC by patch"])
    assert said["patients"] == "1"


def test_what_is_not_finished_is_said_and_left_out(make_run, report_store):
    run = make_run()
    (samples.elsewhere(run, report_store) / "evaluation.json").unlink()
    lines, text = section(report([run]))
    assert lines == []
    assert "mta, evaluation-other: not finished, and left out." in text


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("evaluation.json", "[]", "evaluation.json: damaged; evaluate again with --data"),
        ("predictions.csv", "a,b\n1,2\n", "not a predictions table"),
    ],
)
def test_damage_is_one_line(make_run, report_store, capsys, name, text, message):
    run = make_run()
    (samples.elsewhere(run, report_store) / name).write_text(text)
    samples.require_refused(run, message, capsys)


def test_names_are_only_text(make_run, report_store):
    run = make_run()
    folder = samples.elsewhere(run, report_store, "<i>|x")
    about = json.loads((folder / "evaluation.json").read_text())
    (folder / "evaluation.json").write_text(json.dumps(about | {"data": samples.EVIL, "model": ["<b>"]}))
    text = report([run]).read_text(encoding="utf-8")
    parsed = Page(text)
    assert samples.EVIL in parsed.text
    assert sum(tag == "script" for tag, _ in parsed.tags) == 1
    assert not {tag for tag, _ in parsed.tags} & {"i", "b"}
