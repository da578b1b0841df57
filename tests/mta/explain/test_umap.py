"""Embeddings: one fit for all runs, a table, a figure, and a page that shows the patch under the pointer."""

import base64
import json
import re
import shutil
import sys

import cv2
import numpy as np
import pandas as pd
import pytest

from data_prep.errors import InputError
from mta.explain.embedding import joint_embedding
from mta.explain.thumbnails import SIDE, sheet
from mta.explain.umap import main, umap
from mta.explain.umap_output import concepts_of, umap_figure, umap_page
from mta.run_folder import RunFolder
from mta.train import train
from tests.browser import needs_chromium, opened
from tests.builders import TINY, tiny_pixels, tiny_rows
from tests.mta.embedded import SETTINGS, cohort

GENERATOR = np.random.default_rng(0)


def table(runs=("first", "second"), layers=("pool",), count=12):
    parts = []
    for layer in layers:
        for number, run in enumerate(runs):
            xy = GENERATOR.normal(10 * number, 1, (count, 2))
            part = pd.DataFrame({"run": run, "layer": layer, "row": np.arange(count), "x": xy[:, 0], "y": xy[:, 1]})
            parts.append(part)
    made = pd.concat(parts, ignore_index=True)
    even = made["row"] % 2 == 0
    names = {"patient": "p<1>", "slide": "</script><b>", "centre": np.where(even, "0", ""), "role": "internal_test"}
    return made.assign(
        **names, **{"class": np.where(even, "tumor", "normal"), "ncount": np.where(even, made["row"], np.nan)}
    )


def clouds(count=40, width=6):
    """Two groups of rows, far apart."""
    values = GENERATOR.normal(size=(count, width))
    values[: count // 2] += 20
    return values.astype("float32")


@pytest.mark.slow
def test_neighbors_stay_neighbors_and_runs_that_agree_lie_together():
    first = clouds()
    placed = joint_embedding({"a": first, "b": first * 3 + 100}, "pool", 5, 0.1, seed=0)
    for points in placed.values():
        middles = [points[:20].mean(axis=0), points[20:].mean(axis=0)]
        spread = max(points[:20].std(), points[20:].std())
        assert np.linalg.norm(middles[0] - middles[1]) > 2 * spread
    apart = np.linalg.norm(placed["a"] - placed["b"], axis=1)
    assert np.median(apart) < 0.2 * np.ptp(placed["a"])
    again = joint_embedding({"a": first, "b": first * 3 + 100}, "pool", 5, 0.1, seed=0)
    np.testing.assert_array_equal(placed["a"], again["a"])


def test_layers_that_cannot_be_laid_out_together():
    with pytest.raises(InputError, match=r"pool has not the same width in all runs \(6 in a, 4 in b\)"):
        joint_embedding({"a": clouds(), "b": clouds(width=4)}, "pool", 5, 0.1, 0)
    with pytest.raises(InputError, match="12 points are too few for 15 neighbors"):
        joint_embedding({"a": clouds(12)}, "pool", 15, 0.1, 0)
    with pytest.raises(InputError, match="a: layer pool is the same for every patch"):
        joint_embedding({"a": np.ones((40, 6), "float32")}, "pool", 5, 0.1, 0)


def test_without_umap_learn_there_is_one_line(tiny_run, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "umap", None)
    monkeypatch.setattr("mta.explain.embedding.find_spec", lambda name: None)
    with pytest.raises(SystemExit) as stop:
        main([str(tiny_run)])
    assert stop.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith("pip install umap-learn)")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"patches": 2}, "--patches takes 3 or more"),
        ({"neighbors": 1}, "--neighbors 2 or more"),
        ({"distance": 2.0}, "--distance 2.0"),
        ({"seed": -1}, "--seed -1"),
        ({"layers": ("pol",)}, "nearest are pool"),
        ({}, "12 points are too few for 15 neighbors"),
    ],
)
def test_bad_input_writes_nothing(tiny_run, flags, words):
    with pytest.raises(InputError, match=words):
        umap([tiny_run], quiet=True, **flags)
    assert not (tiny_run / "explain").exists()


def test_runs_without_tested_rows(tiny_run, tmp_path):
    shutil.copytree(tiny_run, tmp_path / "run")
    split = (tmp_path / "run" / "split.csv").read_text().replace("internal_test", "validation")
    (tmp_path / "run" / "split.csv").write_text(split)
    with pytest.raises(InputError, match="no row has a test role"):
        umap([tmp_path / "run"], quiet=True)


@pytest.mark.slow
def test_two_runs_side_by_side(tiny_h5, tiny_run, tmp_path):
    baseline = train(tiny_h5, tmp_path / "baseline", preset="baseline", quiet=True, **TINY)
    made = umap([baseline, tiny_run], tmp_path / "out", layers=("pool", "features_1"), neighbors=5, quiet=True)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["umap.csv", "umap.html", "umap.png"]
    written = pd.read_csv(tmp_path / "out" / "umap.csv")
    assert list(written) == list(made)
    assert set(concepts_of(written)) == {"ncount", "narea"}
    assert len(written) == 2 * 2 * 12
    assert set(written["run"]) == {"baseline", "mta"}
    np.testing.assert_array_equal(np.unique(written["row"]), np.flatnonzero(tiny_rows()["role"] == "internal_test"))
    RunFolder(baseline).clear()


@pytest.mark.slow
def test_embeddings_have_no_pictures(tmp_path):
    run = train(cohort(tmp_path / "cohort"), tmp_path / "run", quiet=True, **{**SETTINGS, "concepts": ("ncount",)})
    umap([run], neighbors=5, quiet=True)
    assert data_of((run / "explain" / "umap" / "umap.html").read_text())["sheet"] == ""
    assert (run / "explain" / "umap" / "umap.png").exists()


def data_of(page):
    return json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])


def test_the_page_asks_for_nothing_and_runs_its_own_script_alone():
    page = umap_page(table(), "", {"ncount": "nuclei"}, "best")
    assert not re.search(r"(https?:)?//(?!www\.w3\.org/2000/svg)\w", page)
    policy = re.search(r'Content-Security-Policy" content="(.*?)"', page)[1]
    assert policy.startswith("default-src 'none'")
    assert "script-src 'sha256-" in policy
    assert page.count("<script>") == 1
    assert "@@" not in page


def test_names_from_files_cannot_end_the_data():
    data = data_of(umap_page(table(), "", {}, "last"))
    assert data["patches"]["slide"][0] == "</script><b>"
    assert data["concepts"]["ncount"]["values"][:3] == [0.0, None, 2.0]


def test_all_runs_of_a_layer_share_one_frame():
    data = data_of(umap_page(table(layers=("pool", "features_1")), "", {}, "last"))
    assert [layer["name"] for layer in data["layers"]] == ["pool", "features_1"]
    points = np.array(data["layers"][0]["points"])
    assert points.shape == (2, 12, 2)
    assert points.min() == 0
    assert points.max() == data["grid"]
    assert points[0, :, 0].mean() < points[1, :, 0].mean()  # the second run lies to the right …
    assert points[0, :, 1].mean() > points[1, :, 1].mean()  # … and above, which is less down the page


def test_thumbnails_lie_in_lines_of_forty(tiny_h5):
    from data_prep.store import open_patches

    rows = np.arange(45)
    uri = sheet(open_patches(tiny_h5), rows)
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(uri.split(",")[1]), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert picture.shape == (2 * SIDE, 40 * SIDE, 3)
    cell = picture[SIDE : 2 * SIDE, 2 * SIDE : 3 * SIDE].astype(float)
    np.testing.assert_allclose(cell.mean(axis=(0, 1)), tiny_pixels(tiny_rows())[42].mean(axis=(0, 1)), atol=4)


def test_the_figure_shows_at_most_six_concepts_the_trained_ones_first(tmp_path):
    many = table()
    for number in range(8):
        many[f"c{number}"] = GENERATOR.normal(size=len(many))
    umap_figure(many, tmp_path / "many.png", ["c7"])
    umap_figure(table(), tmp_path / "few.png")
    heights = [cv2.imread(str(tmp_path / f"{name}.png")).shape[0] for name in ("many", "few")]
    assert heights[0] / heights[1] == pytest.approx(8 / 3, rel=0.01)


@needs_chromium
def test_the_page_in_a_browser(tiny_h5, tmp_path):
    from data_prep.store import open_patches

    page_file = tmp_path / "umap.html"
    made = table(layers=("pool", "features_1"))
    page_file.write_text(umap_page(made, sheet(open_patches(tiny_h5), np.arange(12)), {"ncount": "nuclei"}, "best"))
    with opened(page_file) as page:
        assert page.ask("document.querySelectorAll('#plots svg').length") == 2
        assert page.ask("document.querySelectorAll('#plots circle:not(.ring)').length") == 24
        _hover(page)
        _keys(page)
        _coloring(page)
        assert page.complaints == []


def _hover(page):
    assert page.ask("document.getElementById('thumb').hidden")
    page.point("document.querySelectorAll('#plots svg circle')[4]")
    detail = page.ask("document.getElementById('detail').textContent")
    assert detail.startswith("row4")
    assert "</script><b>" in detail
    assert "ncount4 nuclei" in detail
    assert page.ask("document.getElementById('thumb').style.backgroundPosition") == f"{-4 * 192}px 0px"
    assert page.ask("[...document.querySelectorAll('.ring')].every((r) => r.getAttribute('visibility') === 'visible')")


def _keys(page):
    page.ask("document.getElementById('plots').focus()")
    for key, row in (("ArrowRight", 5), ("Home", 0), ("ArrowLeft", 11), ("End", 11)):
        page.press(key)
        assert page.ask("document.querySelector('#detail dd').textContent") == str(row), key


def _coloring(page):
    fill = "document.querySelectorAll('#plots circle')[{}].getAttribute('fill')"
    change = "(() => {{ const s = document.getElementById('{}'); {}; s.dispatchEvent(new Event('change')); }})()"
    assert page.ask(fill.format(0)) != page.ask(fill.format(1))
    page.ask(change.format("coloring", "s.value = 'role'"))
    assert page.ask(fill.format(0)) == page.ask(fill.format(1))
    assert page.ask("document.getElementById('legend').textContent") == "internal_test (12)"
    page.ask(change.format("coloring", "s.value = 'ncount'"))
    assert page.ask(fill.format(1)) == "var(--missing)"
    assert page.ask(fill.format(0)).startswith("rgb(")
    place = "document.querySelectorAll('#plots circle')[0].getAttribute('cx')"
    before = page.ask(place)
    page.ask(change.format("layer", "s.value = 1"))
    assert page.ask(place) != before
    page.ask(change.format("same", "s.checked = true"))
    circles = "[...document.querySelectorAll('#plots section:first-child circle')]"
    assert (
        page.ask(f"Math.max(...{circles}.map((c) => +c.getAttribute('cx')))") < 700
    )  # the first run lies to the left of the second
