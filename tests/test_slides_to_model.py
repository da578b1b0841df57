"""The example that goes all the way from slides to a model, step by step and as a whole."""

import shlex
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from data_prep.store import open_concepts, open_patches

sys.path.append(str(Path(__file__).resolve().parents[1] / "examples"))
import slides_to_model as example

STUDY = example.Study(Path("study"), (), None, "", "", 0.5, 128, 40, (), None, (4, 2), "mta", 7)


def lines(study: example.Study) -> list[str]:
    return [shlex.join(command) for command in example.commands(study)]


def test_the_steps_come_in_order():
    assert [" ".join(command[:2]) for command in example.commands(STUDY)] == [
        "data_prep synthesize-slides",
        "data_prep extract",
        "data_prep normalize",
        "data_prep nuclei",
        "data_prep concepts",
        "data_prep split",
        "data_prep report",
        "mta.train study/nuclei.h5",
        "mta.evaluate study/run",
    ]


def test_every_file_that_a_step_reads_was_written_before():
    written: set[str] = set()
    for command in example.commands(STUDY):
        wanted = {word for word in command if word.startswith("study/") and word.endswith((".h5", "split.csv"))}
        outputs = {command[command.index("--out") + 1]} if "--out" in command else {"study/slides"}
        assert wanted - outputs <= written
        written |= outputs


def test_a_seed_reaches_every_step_that_draws():
    assert sum("--seed 7" in line for line in lines(STUDY)) == 5


def test_a_synthetic_cohort_keeps_a_centre_for_the_external_test():
    extract, split = (line for line in lines(STUDY) if line.startswith(("data_prep extract", "data_prep split")))
    assert "--cohort study/slides/slides.csv --mpp 0.5" in extract
    assert "--external-centres 4" in split


def test_slides_of_ones_own_take_the_place_of_the_synthetic_ones():
    own = replace(
        STUDY,
        slides=(Path("a b.svs"), Path("c.svs")),
        annotations=Path("xml"),
        cohort="camelyon",
        extraction="--tissue saturation",
        split_from=Path("roles.csv"),
    )
    assert lines(own)[0].startswith(
        "data_prep extract 'a b.svs' c.svs --annotations xml --cohort camelyon --tissue saturation --mpp 0.5"
    )
    assert "--from roles.csv" in lines(own)[4]
    assert not any("--external-centres" in line or "synthesize" in line for line in lines(own))
    assert lines(replace(STUDY, cohort="slides.csv"))[0].startswith("data_prep extract --cohort slides.csv --mpp")


def test_a_step_that_fails_ends_it_with_its_status(capfd):
    with pytest.raises(SystemExit) as stop:
        example.call(["data_prep", "nuclei", "absent.h5", "--out", "out.h5"])
    assert stop.value.code == 2
    assert capfd.readouterr().out == "\n$ python -m data_prep nuclei absent.h5 --out out.h5\n"


@pytest.mark.slow
def test_the_example_goes_all_the_way(tmp_path, capfd):
    out = tmp_path / "study"
    example.slides_to_model(out, n=12, size=64, epochs=(1, 1))
    figures = {str(path.relative_to(out / "figures")) for path in (out / "figures").rglob("*.*")}
    assert {"stain.png", "nuclei.png", "report.html", "roc.png", "history.png"} < figures
    assert sum(name.startswith("slides/") for name in figures) == 11
    with open_patches(out / "nuclei.h5") as patches:
        assert patches.rows["patient"].nunique() == 10
        assert set(patches.rows["label"]) == {0, 1}
        table, rows = open_concepts(out / "concepts.h5"), patches.rows
    assert len(table) == len(rows)
    assert table["ncount"].to_numpy().min() > 0
    predictions = pd.read_csv(out / "run" / "predictions.csv")
    assert set(predictions["role"]) == {"validation", "internal_test", "external_test"}
    assert "$ python -m mta.train" in capfd.readouterr().out


@pytest.mark.slow
def test_real_slides_go_all_the_way(shared, tmp_path):
    """Three annotated breast regions, a patient each, and a slide that nobody annotated, of another scanner."""
    data, out = shared / "data", tmp_path / "study"
    cohort, roles = tmp_path / "slides.csv", tmp_path / "roles.csv"
    cohort.write_text(
        "slide,patient,centre,annotation,mpp\n"
        f"{data}/slides/bcss_1019_pyramid.tif,1019,c,{data}/slides/bcss_1019_pyramid.xml,\n"
        f"{data}/bcss/1008.jpg,1008,a,{data}/bcss/1008_tumour_mask.png,0.25\n"
        f"{data}/bcss/1015.jpg,1015,b,{data}/bcss/1015_tumour_mask.png,0.25\n"
        f"{data}/slides/CMU-1-Small-Region.svs,CMU-1,d,,\n"
    )
    roles.write_text("slide,role\n1008,train\n1015,validation\nbcss_1019_pyramid,internal_test\n")
    whole = "--tissue saturation"  # the regions hold no glass, on which Otsu's threshold rests
    example.slides_to_model(
        out, cohort=str(cohort), split_from=roles, preset="multitask", extraction=whole, epochs=(1, 1)
    )
    assert len(list((out / "figures" / "slides").glob("*.png"))) == 4
    with open_patches(out / "nuclei.h5") as patches:
        counts = patches.rows.groupby("slide")["label"].value_counts().unstack(fill_value=0)
    assert (counts.loc[["1008", "1015", "bcss_1019_pyramid"], [0, 1]] >= 9).all(axis=None)
    assert counts.loc["CMU-1-Small-Region"].tolist() == [40, 0, 0]
    predictions = pd.read_csv(out / "run" / "predictions.csv", dtype={"patient": str})
    assert predictions.groupby("role")["patient"].unique().explode().to_dict() == {
        "validation": "1015",
        "internal_test": "1019",
    }
