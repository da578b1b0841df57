import base64
import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from data_prep.cli.report import main
from data_prep.page import said
from data_prep.report import write_report
from data_prep.report.extraction import read_extraction
from data_prep.report.figures import boxes_chart
from data_prep.report.findings import find
from data_prep.report.sample import look_at
from data_prep.report.summaries import QUANTILES, centre_and_class, concept_table
from data_prep.stain.lab import OFFSET, SCALE
from data_prep.store import StoreWriter, make_rows, open_patches, write_store
from tests.data_prep.splits.test_near import textures

EVIL = "<script>alert('x')</script>$\\frac$\x00"
COUNT = 80
VOID = {"meta", "img"}


class Page(HTMLParser):
    """What a browser would see: tags with their attributes, and the text outside style."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """16 patients of 5 patches in 4 centres; names that would like to be code; centres that tell the class."""
    number = np.arange(COUNT)
    patient = number // 5
    centre = np.array(["a", "b", "c", EVIL.replace("\x00", "")])[patient % 4]
    values = {
        "patient": [f"<script>p{p}" for p in patient],
        "slide": [f"s{p}" for p in patient],
        "centre": centre,
        "label": np.isin(centre, ["a", "b"]).astype(int),
        "mpp": np.where(number < 40, 0.25, 0.5),
        "role": np.array(["train", "train", "validation", "internal_test"])[patient // 4],
    }
    concepts = pd.DataFrame(
        {
            "ncount": number.astype(float),
            "fixed": np.full(COUNT, 3.0),
            "<b>rare": np.where(number < 20, number, np.nan),
        }
    )
    concepts.attrs["units"] = {"ncount": "nuclei", "fixed": "", "<b>rare": "<i>"}
    path = tmp_path_factory.mktemp("report") / "<img src=x>.h5"
    write_store(path, textures(COUNT, 32), make_rows(COUNT, values), concepts)
    return path


@pytest.fixture(scope="module")
def page(store, tmp_path_factory):
    out = tmp_path_factory.mktemp("page") / "report.html"
    write_report(out, str(store))
    return out.read_text(encoding="utf-8")


def test_the_page_is_whole_and_names_are_only_text(page):
    parsed = Page(page)
    assert parsed.open == []
    tags = {tag for tag, _ in parsed.tags}
    assert not tags & {"script", "b", "i", "iframe", "link", "object", "form"}
    assert "<script>alert('x')</script>" in parsed.text
    assert parsed.text.count("Patches of <img src=x>.h5") == 2  # title and heading
    assert not [name for _, attributes in parsed.tags for name in attributes if name.startswith("on")]


def test_cells_are_said_plainly():
    values = [float("nan"), 0.123456, 12345.6, 2e12, 12345, "a,b", -30000.2]
    assert [said(value) for value in values] == ["–", "0.1235", "12,346", "2e+12", "12,345", "a,b", "-30,000"]


def test_nothing_is_fetched(page):
    sources = [attributes.get("src", "data:") for tag, attributes in Page(page).tags if tag == "img"]
    assert len(sources) > 8
    assert all(source.startswith(("data:image/svg+xml;base64,", "data:image/jpeg;base64,")) for source in sources)
    assert not re.search(r"https?://", page)
    assert "url(" not in page
    assert "default-src 'none'" in page
    drawings = [base64.b64decode(source.partition(",")[2]) for source in sources if "svg" in source]
    assert all(b"<script" not in drawing and b"<image" not in drawing for drawing in drawings)


def test_it_can_be_read_without_seeing_and_on_paper(page):
    tags = Page(page).tags
    assert all(attributes.get("alt") for tag, attributes in tags if tag == "img")
    assert all(attributes.get("scope") in ("row", "col") for tag, attributes in tags if tag == "th")
    assert sum(tag == "caption" for tag, _ in tags) == sum(tag == "table" for tag, _ in tags)
    assert ("html", {"lang": "en"}) in tags
    assert "@media print" in page
    assert "prefers-color-scheme: dark" in page


def test_the_same_store_gives_the_same_page(store, page, tmp_path):
    write_report(tmp_path / "again.html", str(store))
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == page


def test_findings(page):
    text = Page(page).text
    for finding in [
        "Problem The concept fixed is constant",
        "Warning The concept <b>rare is absent in 75% of the patches.",
        "Warning The centre predicts the class in train (1.00, 1.00), validation (1.00, 1.00), internal",
        "Warning The role validation has only 4 patients",
        "Warning Resolutions are mixed: 0.25 to 0.5 um/px",
        "Warning Near-duplicates across roles were not looked for",
    ]:
        assert finding in text
    assert "in one role" not in text


def _texts(rows, roles=None, concepts=None):
    empty = pd.DataFrame(index=rows.index)
    roles = np.full(len(rows), "") if roles is None else np.array(roles)
    return [remark.text for remark in find(rows, roles, empty if concepts is None else concepts)]


def test_findings_about_rows():
    rows = make_rows(4, {"patient": ["p", "p", "q", ""], "slide": list("abcd"), "centre": list("0011"), "mpp": 0.25})
    rows["label"] = [0, 1, 0, -1]
    texts = _texts(rows, ["train", "validation", "train", "external_test"])
    assert "The split leaks: 1 patient in more than one role: p (train, validation)." in texts
    assert "The role external test has no normal and no tumor patch: its AUC is undefined." in texts
    assert "The role train has no tumor patch: its AUC is undefined." in texts
    assert any(text.startswith("No patient is known for 1 of 4 patches (25%): ") for text in texts)
    assert "1 of 4 patches have no label: they teach nothing of the class." in texts
    alone = _texts(rows, ["train", "train", "external_test", "external_test"])
    assert "1 centre in train alone: 0." in alone
    assert not any("1 centre in external" in text for text in alone)
    concepts = pd.DataFrame({"c": [np.nan, np.nan, 1, 2.0], "d": np.full(4, np.nan)})
    texts = _texts(rows, concepts=concepts)
    assert "The concept c is absent throughout centre 0." in texts
    assert "The concept d has no value at all." in texts
    assert not any("constant" in text for text in texts)


def test_a_balanced_store_gives_nothing_to_warn_of(tmp_path):
    patient = np.arange(120) // 4
    values = {
        "patient": [f"p{p}" for p in patient],
        "slide": [f"s{p}" for p in patient],
        "centre": (patient % 2).astype(str),
        "label": np.arange(120) % 2,
        "mpp": 0.5,
        "role": np.array(["train", "validation", "internal_test"])[patient // 10],
    }
    write_store(tmp_path / "a.h5", textures(120, 32), make_rows(120, values))
    lines = "".join(f"{row},{role}\n" for row, role in enumerate(values["role"]))
    (tmp_path / "s.csv").write_text("row,role\n" + lines)
    made = {"leaks_allowed": [], "near_duplicates": {"compared": 90}}
    (tmp_path / "s.json").write_text(json.dumps(made))
    assert write_report(tmp_path / "r.html", str(tmp_path / "a.h5"), str(tmp_path / "s.csv")) == []
    assert "Nothing to warn of." in Page((tmp_path / "r.html").read_text()).text
    made["leaks_allowed"] = ["2 pairs of near-duplicate patches in two roles: x"]
    (tmp_path / "s.json").write_text(json.dumps(made))
    remarks = write_report(tmp_path / "r.html", str(tmp_path / "a.h5"), str(tmp_path / "s.csv"))
    assert [remark.problem for remark in remarks] == [True]


def test_how_far_a_centre_tells_the_class():
    generator = np.random.default_rng(0)
    centre = generator.integers(0, 3, 600)
    label = (generator.random(600) < np.array([0.2, 0.5, 0.7])[centre]).astype(int)
    rows = make_rows(600, {"centre": centre.astype(str), "label": label})
    strength, area = centre_and_class(rows)
    shares = rows.groupby("centre")["label"].mean()
    assert area == pytest.approx(roc_auc_score(label, shares[centre.astype(str)].to_numpy()))
    table = pd.crosstab(centre, label).to_numpy()
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / 600
    assert strength == pytest.approx(np.sqrt(((table - expected) ** 2 / expected).sum() / 600))
    assert np.isnan(centre_and_class(rows.assign(centre="0"))).all()


def test_quantiles_by_centre_and_class():
    rows = make_rows(6, {"centre": ["0"] * 4 + [""] * 2, "label": [0, 0, 0, 1, 1, 1]})
    table = concept_table(pd.Series([1.0, 2.0, 3.0, np.nan, np.inf, 7.0]), rows)
    assert table["centre"].tolist() == ["0", "0", "unknown"]
    assert table["n"].tolist() == [3, 1, 2]
    assert table["absent"].tolist() == [0, 1, 1]
    np.testing.assert_array_equal(table["median"], [2.0, np.nan, 7.0])
    assert table["25 %"][0] == 1.5


def test_the_sample_is_seeded_bounded_and_measured_in_lab(store, monkeypatch):
    cv2 = pytest.importorskip("cv2")
    with open_patches(store) as patches:
        looks, again, other = look_at(patches, 0), look_at(patches, 0), look_at(patches, 1)
        lab = [cv2.cvtColor(patch, cv2.COLOR_RGB2LAB) for patch in patches.read(0, COUNT)]
    assert sorted(looks) == sorted(["a", "b", "c", EVIL.replace("\x00", "")])
    assert [len(look.means) for look in looks.values()] == [20] * 4
    sheet = looks["a"].sheets["tumor"]
    assert sheet.shape == (8, 112, 112, 3)
    np.testing.assert_array_equal(sheet, again["a"].sheets["tumor"])
    assert (sheet != other["a"].sheets["tumor"]).any()
    everything = np.array([(image.reshape(-1, 3).mean(axis=0) - OFFSET) / SCALE for image in lab])
    mine = np.concatenate([look.means for look in looks.values()])
    np.testing.assert_allclose(mine.mean(axis=0), everything.mean(axis=0), atol=1e-6)


SLIDES = [
    {
        "slide": "good",
        "status": "done",
        "level0_mpp": 0.25,
        "patches": {"normal": 7, "tumor": 2},
        "refused": {"normal": {"white": 3, "black": 1}, "tumor": {"white": 2}},
        "reason": "",
    },
    {"slide": "bad<i>", "status": "failed", "level0_mpp": None, "patches": {}, "refused": {}, "reason": "not a TIFF"},
]


def with_extraction(path, store, text):
    patches = open_patches(store)
    with StoreWriter(path, patches.size, attributes={"extraction": text}) as writer:
        writer.append(patches.read(0, 4), patches.rows.iloc[:4])


def test_what_the_store_says_of_its_extraction(store, tmp_path):
    assert read_extraction(store) is None
    path = tmp_path / "s.h5"
    with_extraction(path, store, json.dumps({"slides": SLIDES}))
    found = read_extraction(path)
    assert found.rejected == [("bad<i>", "failed", "not a TIFF")]
    assert found.heads == ["slide", "status", "um/px", "normal", "tumor", "refused white", "refused black"]
    assert found.refused == [["good", "done", "0.25", "7", "2", "5", "1"], ["bad<i>", "failed", "", "0", "0", "0", "0"]]
    write_report(tmp_path / "r.html", str(path))
    text = Page((tmp_path / "r.html").read_text(encoding="utf-8")).text
    assert "1 of 2 slides gave no patch" in text
    assert "not a TIFF" in text


@pytest.mark.parametrize(
    "value",
    [3, [], {"slides": 3}, {"slides": [3]}, {"slides": [{"slide": "a"}]}, {"slides": [{**SLIDES[0], "refused": 3}]}],
)
def test_whatever_the_extraction_says_the_page_is_made(store, tmp_path, value):
    with_extraction(tmp_path / "s.h5", store, json.dumps(value))
    assert read_extraction(tmp_path / "s.h5") is None


def test_the_command(store, tmp_path, capsys):
    out = tmp_path / "r.html"
    main([str(store), "--out", str(out), "--seed", "3"])
    assert capsys.readouterr().out.splitlines()[-1] == f"{out}: 1 problem, 6 warnings"
    for arguments, message in [
        ([str(store), "--out", str(out)], "exists already"),
        ([str(store), "--out", str(tmp_path / "x.html"), "--split", "no.csv"], "no.csv: no such split file"),
        ([str(store), "--out", str(tmp_path / "x.html"), "--concepts", "no.csv"], "no.csv: there is no such file"),
        (["no.h5", "--out", str(tmp_path / "x.html")], "no.h5"),
    ]:
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "x.html").exists()


def test_real_camelyon_patches_in_the_original_layout(shared, tmp_path):
    store = shared / "data" / "camelyon" / "cam17_patches.hdf5"
    remarks = write_report(tmp_path / "r.html", str(store))
    assert [remark.text for remark in remarks] == [
        "No resolution (mpp) is known for 20 of 20 patches: areas stay in pixels."
    ]
    assert "Centre 1" in Page((tmp_path / "r.html").read_text(encoding="utf-8")).text


def test_values_that_no_axis_can_hold_are_left_to_the_table():
    points = dict(zip(QUANTILES, [-1e308, -1.0, 0.0, 1.0, 1e308], strict=True))
    lines = [
        {"centre": "0", "class": "normal", **points},
        {"centre": "1", "class": "normal", **dict.fromkeys(QUANTILES, 1.0)},
    ]
    assert boxes_chart(pd.DataFrame(lines), "wide").startswith("data:image/svg+xml")
