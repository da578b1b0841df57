import shutil

import cv2
import numpy as np
import pandas as pd
import pytest

from mta.report import report
from mta.reporting.write import LARGEST
from tests.data_prep.report.test_report import Page
from tests.mta.reporting import samples


def read(path):
    return Page(path.read_text(encoding="utf-8"))


def test_what_was_not_made_is_told_with_its_command(make_run):
    run = make_run()
    text = read(report([run])).text
    for kind in ("probe", "umap", "gradcam", "parts", "diagnose"):
        assert f"Not made yet: python -m mta.explain {kind} {run}" in text


def test_what_was_made_is_shown(make_run):
    run = make_run()
    samples.explain(run)
    page = read(report([run]))
    assert "Not made yet" not in page.text
    assert "probe.csv: 2 lines" in page.text
    images = [attributes["alt"] for tag, attributes in page.tags if tag == "img"]
    assert {"Patches with the maps of every head.", "The patches that show each part best."} <= set(images)
    dots = [attributes for tag, attributes in page.tags if tag == "circle" and "data-say" in attributes]
    table = samples.umap(run)
    assert len(dots) == len(table)
    assert {int(dot["data-say"].split()[1]) for dot in dots} == set(table["row"])
    assert all(len(dot["data-looks"].split()) == 4 for dot in dots)  # class, centre, role, ncount


def test_what_was_made_of_several_runs_is_found_beside_the_page(make_run, tmp_path):
    runs = [make_run("a"), make_run("b", seed=1)]
    samples.explain(runs[0])
    (tmp_path / "out").mkdir()
    (runs[0] / "explain").rename(tmp_path / "out" / "explain")
    text = read(report(runs, tmp_path / "out" / "report.html")).text
    assert "Not made yet" not in text
    assert "together" in text


def test_names_of_runs_neither_hide_results_nor_share_thumbnails(make_run, tmp_path):
    runs = [make_run(name, seed=number) for number, name in enumerate(("together", "fold-1", "fold1"))]
    for run in runs:
        samples.explain(run)
    shutil.copytree(runs[0] / "explain", tmp_path / "out" / "explain")
    page = read(report(runs, tmp_path / "out" / "report.html"))
    sheets = [attributes["id"] for tag, attributes in page.tags if "data-columns" in attributes]
    assert len(sheets) == len(set(sheets)) == 4
    assert [attributes["data-sheet"] for _, attributes in page.tags if "data-sheet" in attributes] == sheets


def test_without_the_store_points_have_names_alone(tmp_path):
    store = samples.store(tmp_path)
    run = samples.run(tmp_path / "run", store)
    samples.explain(run)
    store.unlink()
    page = read(report([run]))
    assert not [attributes for tag, attributes in page.tags if "data-columns" in attributes]
    assert [attributes for tag, attributes in page.tags if "data-say" in attributes]


def test_many_points_and_large_figures_make_no_large_page(tmp_path):
    run = samples.run(tmp_path / "run", samples.store(tmp_path))
    samples.explain(run)
    noise = np.random.default_rng(0).integers(0, 255, (2400, 3000, 3)).astype(np.uint8)
    for path in run.glob("explain/*/*.png"):
        cv2.imwrite(str(path), noise)
    few = samples.umap(run)
    many = pd.concat([few.assign(layer=f"layer {number}") for number in range(30)])
    many = pd.concat([many.assign(row=many["row"] + 1000 * number) for number in range(20)])
    many.to_csv(run / "explain" / "umap" / "umap.csv", index=False)
    (tmp_path / "store.h5").unlink()
    page = report([run])
    assert page.stat().st_size < LARGEST
    parsed = read(page)
    assert sum("data-say" in attributes for _, attributes in parsed.tags) == 4 * len(few) * 20
    assert "26 more are in umap.csv." in parsed.text


def spoil(name, text):
    def change(run):
        (run / "explain" / name).write_text(text)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (spoil("probe/probe.png", "no picture"), "probe.png: damaged"),
        (spoil("probe/probe.png", ""), "probe.png: damaged"),
        (spoil("probe/probe.csv", ""), "probe.csv: damaged"),
        (spoil("umap/umap.csv", "row,x\n1,2\n"), "umap.csv: damaged (no column run"),
        (spoil("umap/umap.csv", "run,layer,row,x,y,patient,slide,class,centre,role\n"), "umap.csv: damaged (no points"),
        (spoil("umap/umap.csv", "run,layer,row,x,y,patient,slide,class,centre,role\na,b,1,inf,1\n"), "nowhere"),
        (spoil("umap/umap.csv", "run,layer,row,x,y,patient,slide,class,centre,role\na,b,c,1,1\n"), "no numbers"),
        (spoil("umap/umap.csv", "run,layer,row,x,y,patient,slide,class,centre,role\na,b,999,1,1\n"), "no patch 999"),
    ],
)
def test_damage_is_one_line_and_nothing_is_written(make_run, capsys, change, message):
    run = make_run()
    samples.explain(run)
    change(run)
    samples.require_refused(run, message, capsys)
