import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from mta.evaluation import auc, clustered_bootstrap, compare_models, read_predictions
from mta.report import main, report
from mta.reporting.write import LARGEST
from tests.data_prep.report.test_report import Page
from tests.mta.reporting import samples
from tests.mta.reporting.samples import EVIL


def read(path):
    return Page(path.read_text(encoding="utf-8"))


def test_a_page_on_one_run_says_what_was_measured(make_run):
    run = make_run(skill=0.5)
    page = report([run])
    assert page == run / "report.html"
    parsed, table = read(page), read_predictions(run / "predictions.csv")
    assert parsed.open == []
    for role in ("internal_test", "external_test"):
        part = table[table["role"] == role]
        low, high = clustered_bootstrap(part["label"], part["logit"], part["patient"], method="t")
        assert f"{auc(part['label'], part['logit']):.3f} [{low:.3f}, {high:.3f}]" in parsed.text
    for words in [
        "4 patients, 4 slides, 48 patches",
        "Centres in the external test alone: 2.",
        "0123abcd with changes",
    ]:
        assert words in parsed.text
    counts = re.findall(r'<th scope="row">train</th>(.*?)</tr>', page.read_text(encoding="utf-8"))
    assert [re.findall(r">(\w+)</td>", line) for line in counts] == [
        ["0", "2", "2", "24", "12"],
        ["1", "2", "2", "24", "12"],
    ]
    headings = re.findall(r"<h2>([^<]+)</h2>", page.read_text(encoding="utf-8"))
    assert headings[0] == "At a glance"
    assert "Comparison" not in headings
    assert {"Training", "ROC curves", "Calibration", "Concepts", "Domain", "Worst errors", "Checklist"} <= set(headings)


def test_several_runs_are_compared_on_the_same_patches(make_run, tmp_path):
    runs = [make_run("weak", skill=0.3), make_run("strong", skill=1.5, seed=1)]
    text = read(report(runs, tmp_path / "r.html")).text
    found = compare_models(*(read_predictions(run / "predictions.csv") for run in reversed(runs)), "internal_test")
    assert f"{found.difference:+.3f} [{found.interval[0]:+.3f}, {found.interval[1]:+.3f}]" in text
    assert "Report on 2 runs" in text


def test_runs_of_one_name_are_told_apart(make_run, tmp_path):
    runs = [make_run("a/mta"), make_run("b/mta", seed=1)]
    assert "a/mta" in read(report(runs, tmp_path / "r.html")).text


def test_names_are_only_text_whatever_they_hold(make_run):
    run = make_run("<img src=x onerror=alert(1)>", slide=EVIL, patient=lambda table: EVIL + table["patient"])
    page = report([run]).read_text(encoding="utf-8")
    parsed = Page(page)
    assert EVIL in parsed.text
    assert sum(tag == "script" for tag, _ in parsed.tags) == 1
    assert not {tag for tag, _ in parsed.tags} & {"iframe", "link", "object", "form", "i"}
    assert not [name for _, attributes in parsed.tags for name in attributes if name.startswith("on")]
    assert all(attributes["src"].startswith("data:image/") for tag, attributes in parsed.tags if tag == "img")
    assert not re.search(r"https?://|url\((?!\"\$)", page)
    assert "default-src 'none'" in page


def test_it_can_be_read_without_seeing(make_run):
    tags = read(report([make_run()])).tags
    charts = [attributes for tag, attributes in tags if tag == "svg"]
    assert len(charts) > 12
    assert all(attributes.get("aria-label") for attributes in charts)
    assert all(attributes.get("alt") for tag, attributes in tags if tag == "img")
    assert sum(tag == "caption" for tag, _ in tags) == sum(tag == "table" for tag, _ in tags)
    identities = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(set(identities)) == len(identities)
    targets = {attributes["href"] for tag, attributes in tags if tag == "a"}
    assert {target.removeprefix("#") for target in targets} <= set(identities)
    assert [tag for tag, _ in tags if tag in ("main", "nav", "h1")] == ["main", "h1", "nav"]


@pytest.mark.parametrize(
    ("external", "said"),
    [
        (["2", "2"], "Centres in the external test alone: 2."),
        (["2", ""], "Centres in the external test alone: 2."),
        (["0", "1"], "Every centre of the external test is in training, too"),
        (["", ""], "The centres of the external test are not known."),
        (["0", ""], "The centres of the external test are not known."),
    ],
)
def test_of_external_centres_only_what_is_known_is_said(make_run, external, said):
    run = make_run()
    split = pd.read_csv(run / "split.csv", dtype=str, keep_default_na=False)
    outside = split["role"] == "external_test"
    split.loc[outside, "centre"] = np.resize(external, outside.sum())
    split.to_csv(run / "split.csv", index=False)
    text = read(report([run])).text
    sentences = ("Centres in the external test alone", "Every centre of the external", "The centres of the external")
    assert said in text
    assert sum(sentence in text for sentence in sentences) == 1


def test_patients_are_said_to_be_apart_only_where_that_was_checked(make_run):
    run, other = make_run(), make_run("other")
    record = json.loads((other / "run.json").read_text())
    del record["leaks"]
    (other / "run.json").write_text(json.dumps(record))
    checked, unchecked = (read(report([one])).text for one in (run, other))
    assert checked.lower().count("no patient is in two roles (checked)") == 2
    assert "no patient is in two roles" not in unchecked.lower()
    assert unchecked.lower().count("whether a patient is in two roles is not recorded") == 2


def test_the_store_may_be_gone(tmp_path):
    store = samples.store(tmp_path)
    run = samples.run(tmp_path / "run", store)
    store.unlink()
    text = read(report([run])).text
    assert "No patches are shown" in text
    assert "P(tumor)" in text


def test_patches_of_a_changed_store_are_not_shown(tmp_path):
    run = samples.run(tmp_path / "run", samples.store(tmp_path))
    samples.store(tmp_path, patches=14)
    assert "has changed since training" in read(report([run])).text


def test_the_worst_errors_are_the_surest_ones(make_run):
    run = make_run(skill=0.2)
    text = read(report([run])).text
    table = read_predictions(run / "predictions.csv")
    part = table[(table["role"] == "external_test") & (table["label"] == 0)]
    surest = part.loc[part["logit"].idxmax()]
    shown = text.partition("external test, normal called tumor")[2]
    assert shown.index(f"row {surest['row']};") < 60
    assert f"{(part['logit'] > 0).sum()} of {len(part)}" in shown[:20]


def many(run, count=60_000):
    """Predictions of many more patches, and a store that is not there."""
    table = pd.read_csv(run / "predictions.csv")
    table = pd.concat([table] * (count // len(table)), ignore_index=True)
    noise = np.random.default_rng(0).normal(0, 0.3, len(table))
    table.assign(row=np.arange(len(table)), logit=table["logit"] + noise, ncount=table["ncount"] + noise).to_csv(
        run / "predictions.csv", index=False
    )


def test_many_patches_make_no_large_page(make_run):
    run = make_run()
    many(run)
    assert report([run]).stat().st_size < LARGEST / 10


def break_table(run, change):
    table = pd.read_csv(run / "predictions.csv")
    change(table).to_csv(run / "predictions.csv", index=False)


def rewrite(run, **changed):
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**record, **changed}))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda run: (run / "predictions.csv").unlink(), "python -m mta.evaluate RUN` writes it"),
        (lambda run: rewrite(run, finished=None), "not finished"),
        (lambda run: break_table(run, lambda table: table.assign(logit=np.nan)), "not finite"),
        (lambda run: break_table(run, lambda table: table.assign(label=1)), "normal"),
        (lambda run: break_table(run, lambda table: table.assign(patient="p", slide="s")), "one patient"),
        (lambda run: break_table(run, lambda table: table.assign(role="")), "no row has a role"),
        (lambda run: break_table(run, lambda table: table.assign(role="validation")), "no row has a test role"),
        (lambda run: (run / "history.csv").write_text(""), "history.csv: missing or damaged"),
        (lambda run: (run / "split.csv").write_text("a,b\n1,2\n"), "split.csv: damaged"),
        (lambda run: (run / "labels.json").write_text("[]"), "labels.json: damaged"),
        (
            lambda run: (run / "split.csv").write_text("row,patient,slide,centre,role\nx,p,s,c,train\n"),
            "without a number",
        ),
        (lambda run: (run / "history.csv").write_text("a,b\n1,2\n"), "no column epoch"),
        (lambda run: break_table(run, lambda table: table.assign(logit="x")), "column logit is no number"),
        (lambda run: break_table(run, lambda table: table.assign(label="x")), "column label is no number"),
        (lambda run: break_table(run, lambda table: table.assign(ncount="x")), "column ncount is no number"),
        (lambda run: break_table(run, lambda table: table.assign(row=np.nan)), "row number"),
        (
            lambda run: (run / "split.csv").write_text("row,patient,slide,centre,role\n1,p,s,c,trian\n"),
            "no role is called 'trian'",
        ),
        (lambda run: break_table(run, lambda table: table.assign(row=-7)), "row number"),
        (lambda run: break_table(run, lambda table: table.assign(row=0.5)), "row number"),
        (lambda run: break_table(run, lambda table: table.assign(label=np.inf)), "a label is none of 0, 1"),
        (lambda run: break_table(run, lambda table: table.assign(label=7)), "a label is none of 0, 1"),
        (lambda run: rewrite(run, inputs={"store": [1]}), "run.json: damaged (inputs of store are no texts"),
        (lambda run: (run / "run.json").write_text("{"), "run.json: damaged"),
        (lambda run: rewrite(run, packages=[1]), "run.json: damaged (packages is no dict"),
        (lambda run: (run / "evaluation.json").write_text("{"), "evaluation.json: damaged"),
    ],
)
def test_bad_input_is_one_line(make_run, capsys, spoil, message):
    run = make_run()
    spoil(run)
    samples.require_refused(run, message, capsys)


def test_runs_with_other_test_rows_are_refused_with_the_rows(make_run, tmp_path, capsys):
    a, b = make_run("a"), make_run("b")
    break_table(b, lambda table: table.assign(row=table["row"] + 500 * (table.index == 30)))
    with pytest.raises(SystemExit):
        main([str(a), str(b), "--out", str(tmp_path / "r.html")])
    assert "2 test rows differ (rows" in capsys.readouterr().err
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["a", "a"], "--out"), (["a", "a", "--out", "r.html"], "twice"), (["no"], "not found"), ([], "runs")],
)
def test_wrong_commands(make_run, tmp_path, monkeypatch, capsys, arguments, message):
    make_run("a")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_what_authors_filled_in_is_not_overwritten_unasked(make_run, capsys):
    run = make_run()
    (run / "tripod_claim.md").write_text("mine")
    with pytest.raises(SystemExit):
        main([str(run)])
    assert "add --overwrite" in capsys.readouterr().err
    assert not (run / "report.html").exists()
    main([str(run), "--overwrite"])
    assert "report.html" in capsys.readouterr().out
    assert "TRIPOD" in (run / "tripod_claim.md").read_text()


def test_the_same_run_gives_the_same_page_without_keras(make_run):
    run = make_run()
    code = "import sys; from mta.report import main; main(sys.argv[1:]); print('keras' in sys.modules)"
    words = [sys.executable, "-c", code, str(run), "--overwrite"]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout.endswith("False\n")
    first = (run / "report.html").read_bytes()
    report([run], overwrite=True)
    assert (run / "report.html").read_bytes() == first
