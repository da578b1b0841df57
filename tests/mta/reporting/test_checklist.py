import json
import re

from mta.report import report
from mta.reporting.answers import OPEN
from mta.reporting.checklist import filled
from mta.reporting.reading import read_runs
from tests.data_prep.report.test_report import Page
from tests.mta.reporting import samples
from tests.mta.reporting.samples import EVIL


def test_names_are_only_text_in_the_checklist(make_run, tmp_path):
    store = samples.store(tmp_path, centre=f"{EVIL}|\n| a | b |")
    run = make_run("<img src=x onerror=alert(1)>", store=store)
    report([run])
    text = (run / "tripod_claim.md").read_text(encoding="utf-8")
    assert "&lt;script&gt;" in text
    assert "<" not in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5}


def test_markdown_in_names_is_only_text_in_the_checklist(make_run, tmp_path):
    store = samples.store(tmp_path, centre="![x](https://evil.org/a.png) \\![y](z) `c` *b* _u_")
    run = make_run("![run](z)", store=store)
    report([run])
    text = (run / "tripod_claim.md").read_text(encoding="utf-8")
    assert r"\!\[x\](https://evil.org/a.png) \\\!\[y\](z) \`c\` \*b\* \_u\_" in text
    assert text.startswith(r"# TRIPOD+AI and CLAIM: \!\[run\](z)")


def test_the_checklist_lies_beside_it_filled_in_as_far_as_may_be(make_run):
    run = make_run()
    report([run])
    text = (run / "tripod_claim.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("| ") and "---" not in line]
    assert len(lines) > 50
    assert text.count(OPEN) > 15
    assert "4 patients, 4 slides, 48 patches" in text
    assert "SmallCNN" in text
    claimed = {number for line in lines for number in re.findall(r"\d+", line.split(" | ")[2])}
    assert {str(number) for number in range(1, 45)} - claimed == set()
    tripod = {int(number) for line in lines for number in re.findall(r"\d+", line.split(" | ")[1])}
    assert tripod == set(range(1, 28))


def test_pages_in_one_folder_have_each_their_checklist(make_run, tmp_path):
    run = make_run()
    for name in ("one", "two"):
        assert report([run], tmp_path / f"{name}.html") == tmp_path / f"{name}.html"
        assert "TRIPOD" in (tmp_path / f"{name}_tripod_claim.md").read_text()


def answers(*runs):
    """Item -> {whose answer, or "" where no run is named: answer}."""
    found = {}
    for lines in filled(read_runs(runs)).values():
        for topic, _, _, *whose, answer in lines:
            found.setdefault(topic, {})["".join(whose)] = answer
    return found


def test_scaling_says_what_was_standardized(make_run):
    scaling = "Handling of predictors: scaling, standardization"
    run = make_run()
    assert answers(run)[scaling][""].endswith("; pooled features taken as they are")
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps({**config, "weights": "imagenet"}))
    assert answers(run)[scaling][""].endswith("; pooled features standardized by training rows")


def test_several_runs_answer_together_where_they_agree_and_by_name_where_not(make_run):
    same, other = [make_run(name) for name in ("a", "b")], make_run("c", skill=0.2, seed=1, preset="baseline")
    alone, together = [answers(run) for run in (same[0], other)], answers(*same, other)
    assert list(together) == list(alone[0])
    differing = {topic for topic in together if alone[0][topic] != alone[1][topic]}
    for topic, given in together.items():
        one, two = alone[0][topic][""], alone[1][topic][""]
        assert given == ({"a, b": one, "c": two} if topic in differing else {"all runs": one})
    assert "Performance with intervals, internal test" in differing
    assert "Flow of patients and slides; numbers in each partition" not in differing
    assert len(differing) < len(together) / 2


def test_page_and_markdown_say_the_same_of_several_runs(make_run, tmp_path):
    runs = [make_run("a"), make_run("b", seed=1)]
    page = report(runs, tmp_path / "r.html")
    checklist = Page(page.read_text(encoding="utf-8")).text.partition("Also as Markdown")[2]
    text = (tmp_path / "r_tripod_claim.md").read_text(encoding="utf-8")
    assert text.startswith("# TRIPOD+AI and CLAIM: a, b\n")
    assert "| item | TRIPOD+AI | CLAIM | run | what the run says |" in text
    for lines in filled(read_runs(runs)).values():
        for *_, whose, answer in lines:
            assert answer in checklist
            assert f"| {whose} | " in text
    assert "Filled in for" not in checklist + text
