import pytest

from mta.report import report
from tests.browser import needs_chromium, opened
from tests.mta.reporting import samples

pytestmark = needs_chromium

_VISIBLE = """(() => {
const boxes = [...document.querySelectorAll("svg, figure img")].map((node) => node.getBoundingClientRect());
const sheets = [...document.querySelectorAll("img")].map((image) => image.naturalWidth);
return {count: boxes.length, smallest: Math.min(...boxes.map((box) => Math.min(box.width, box.height))),
        images: Math.min(...sheets), wide: document.documentElement.scrollWidth, room: window.innerWidth};
})()"""
_WALK = "document.querySelector('.walk')"
_DOT = f"{_WALK}.querySelectorAll('svg circle')[5]"


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


@pytest.mark.parametrize("name", ["page", "crossed"])
@pytest.mark.parametrize("dark", [False, True])
def test_the_browser_has_nothing_to_complain_of(request, name, dark):
    with opened(request.getfixturevalue(name), dark=dark) as shown:
        assert shown.ask("matchMedia('(prefers-color-scheme: dark)').matches") == dark
        assert "Checklist" in shown.ask("document.body.textContent")
        assert shown.complaints == []


def test_a_complaint_would_be_found(page, tmp_path):
    spoiled = tmp_path / "spoiled.html"
    spoiled.write_text(
        page.read_text(encoding="utf-8").replace("for (const walk", "for (const  walk"), encoding="utf-8"
    )
    with opened(spoiled) as shown:
        shown.ask("console.info('said')")
        shown.ask("void setTimeout(() => { throw Error('thrown'); })")
        shown.ask("new Promise((ok) => setTimeout(ok, 100))")
    blocked, said, thrown = shown.complaints
    assert "Content Security Policy" in blocked
    assert "said" in said
    assert "thrown" in thrown


@pytest.mark.parametrize("size", [(1200, 900), (500, 900)])
@pytest.mark.parametrize("name", ["page", "crossed"])
def test_figures_are_visible_and_nothing_sticks_out(request, name, size):
    with opened(request.getfixturevalue(name), size) as shown:
        seen = shown.ask(_VISIBLE)
    assert seen["count"] > 20
    assert seen["smallest"] > 40
    assert seen["images"] > 40
    assert seen["wide"] <= seen["room"] == size[0]


def test_points_show_their_patch_by_pointer_and_by_keys(page):
    with opened(page) as shown:
        says = shown.ask(f"[...{_WALK}.querySelectorAll('svg circle')].map((dot) => dot.dataset.say)")
        assert "patient p" in says[5]
        assert _picture(shown) == "none"
        shown.point(_DOT)
        assert _said(shown) == says[5]
        assert _picture(shown).startswith('url("data:image/jpeg')
        shown.ask(f"{_WALK}.querySelector('svg').focus()")
        assert shown.ask(f"document.activeElement === {_WALK}.querySelector('svg')")
        for key, number in (("ArrowRight", 6), ("End", -1), ("ArrowRight", 0), ("Home", 0)):
            shown.press(key)
            assert _said(shown) == says[number], key


def _picture(shown):
    return shown.ask(f"getComputedStyle({_WALK}.querySelector('.shown')).backgroundImage.slice(0, 20)")


def _said(shown):
    return shown.ask(f"{_WALK}.querySelector('output').textContent")


def test_points_are_colored_by_choice(page):
    with opened(page) as shown:
        before = shown.ask(f"getComputedStyle({_DOT}).fill")
        shown.choose(f"{_WALK}.querySelector('select')", 3)
        legends = shown.ask(f"[...{_WALK}.querySelectorAll('ul.legend')].map((list) => list.hidden)")
        assert legends == [number != 3 for number in range(len(legends))]
        assert shown.ask(f"getComputedStyle({_DOT}).fill") != before
