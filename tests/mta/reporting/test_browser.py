import pytest

from mta.report import report
from tests.browser import asked, opened
from tests.mta.reporting import samples

_VISIBLE = """
const boxes = [...document.querySelectorAll("svg, figure img")].map((node) => node.getBoundingClientRect());
const sheets = [...document.querySelectorAll("img")].map((image) => image.naturalWidth);
return {count: boxes.length, smallest: Math.min(...boxes.map((box) => Math.min(box.width, box.height))),
        images: Math.min(...sheets), wide: document.documentElement.scrollWidth, room: window.innerWidth};
"""
_USED = """
const walk = document.querySelector(".walk"), svg = walk.querySelector("svg");
const dots = [...svg.querySelectorAll("circle")];
const said = () => walk.querySelector("output").textContent;
const shown = () => getComputedStyle(walk.querySelector(".shown")).backgroundImage.slice(0, 20);
const before = shown();
dots[5].dispatchEvent(new PointerEvent("pointerover", {bubbles: true}));
const hovered = said(), after = shown();
svg.focus();
const key = (name) => { svg.dispatchEvent(new KeyboardEvent("keydown", {key: name})); return said(); };
const keys = [key("ArrowRight"), key("End"), key("ArrowRight"), key("Home")];
const color = getComputedStyle(dots[5]).fill, choice = walk.querySelector("select");
choice.selectedIndex = 3;
choice.dispatchEvent(new Event("change"));
const legends = [...walk.querySelectorAll("ul.legend")].map((list) => list.hidden);
return {before, after, hovered, keys, focused: document.activeElement === svg, legends,
        changed: getComputedStyle(dots[5]).fill !== color, says: dots.map((dot) => dot.dataset.say)};
"""


@pytest.fixture(scope="module")
def page(report_store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    runs = [samples.run(folder / name, report_store, skill=skill) for name, skill in (("weak", 0.3), ("strong", 1.5))]
    for run in runs:
        samples.explain(run)
        samples.elsewhere(run, report_store)
    return report(runs, folder / "report.html")


@pytest.fixture(scope="module")
def crossed(report_store, tmp_path_factory):
    return report([samples.crossed(tmp_path_factory.mktemp("crossed") / "cv", report_store)])


@pytest.mark.parametrize("scheme", [(), ("--blink-settings=preferredColorScheme=0",)])
def test_the_browser_has_nothing_to_complain_of(page, tmp_path, scheme):
    document, complaints = opened(page, tmp_path / "profile", (1200, 900), *scheme)
    assert complaints == []
    assert "Checklist" in document


def test_a_complaint_would_be_found(page, tmp_path):
    spoiled = tmp_path / "spoiled.html"
    spoiled.write_text(
        page.read_text(encoding="utf-8").replace("for (const walk", "for (const  walk"), encoding="utf-8"
    )
    _, complaints = opened(spoiled, tmp_path / "profile")
    assert "Content Security Policy" in complaints[0]


@pytest.mark.parametrize("size", [(1200, 900), (500, 900)])
@pytest.mark.parametrize("name", ["page", "crossed"])
def test_figures_are_visible_and_nothing_sticks_out(request, tmp_path, name, size):
    seen = asked(request.getfixturevalue(name), _VISIBLE, tmp_path / "profile", size)
    assert seen["count"] > 20
    assert seen["smallest"] > 40
    assert seen["images"] > 40
    assert seen["wide"] <= seen["room"]


def test_points_show_their_patch_by_pointer_and_by_keys(page, tmp_path):
    used = asked(page, _USED, tmp_path / "profile")
    says = used["says"]
    assert used["before"] == "none"
    assert used["after"].startswith('url("data:image/jpeg')
    assert used["hovered"] == says[5]
    assert "patient p" in says[5]
    assert used["keys"] == [says[6], says[-1], says[0], says[0]]
    assert used["focused"]
    assert used["legends"] == [number != 3 for number in range(len(used["legends"]))]
    assert used["changed"]
