from dataclasses import replace
from pathlib import Path

import pytest

from data_prep.cohorts import ITC_POLICIES, apply_stages
from data_prep.cohorts.camelyon import camelyon_entry
from data_prep.cohorts.paths import plain_entry
from data_prep.errors import InputError

STAGES = """patient,stage
patient_000.zip,pN1
patient_000_node_0.tif,negative
patient_000_node_1.tif,itc
patient_000_node_2.tif,micro
patient_000_node_3.tif,macro
"""


def entries(*annotated):
    found = [camelyon_entry(Path(f"patient_000_node_{node}.tif")) for node in range(5)]
    return [replace(e, annotation=Path("a.xml")) if n in annotated else e for n, e in enumerate(found)]


@pytest.fixture
def stages(tmp_path):
    path = tmp_path / "stages.csv"
    path.write_text(STAGES)
    return path


def test_negative_nodes_are_normal_and_itc_ones_count_as_negative(stages):
    staged = apply_stages(entries(1, 2, 3, 4), stages)
    assert [entry.label for entry in staged] == ["normal", "normal", "tumor", "tumor", ""]
    assert [entry.annotation is not None for entry in staged] == [False, False, True, True, True]


def test_the_other_policies(stages):
    staged = apply_stages(entries(1), stages, "tumor")
    assert (staged[1].label, staged[1].annotation) == ("tumor", Path("a.xml"))
    assert [entry.slide[-1] for entry in apply_stages(entries(1), stages, "leave-out")] == ["0", "2", "3", "4"]
    assert set(ITC_POLICIES) == {"negative", "tumor", "leave-out"}
    assert "count as negative" in ITC_POLICIES["negative"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("slide,stage\n", "no column patient"),
        (STAGES.replace("micro", "huge"), "unknown stages 'huge'; nodes are negative, itc, micro, macro"),
        (STAGES.replace("patient_000_node_2", "x"), "not named as in Camelyon"),
    ],
)
def test_bad_tables_are_refused(stages, text, why):
    stages.write_text(text)
    with pytest.raises(InputError, match=why):
        apply_stages(entries(), stages)


def test_slides_that_are_named_otherwise_are_refused(stages):
    plain = [plain_entry(entry.path) for entry in entries()]
    with pytest.raises(InputError, match=r"none of these slides is in the table .*'patient_000_node_0'.* --cohort cam"):
        apply_stages(plain, stages)
    assert apply_stages([], stages) == []


def test_slides_without_a_stage_are_counted(stages, capsys):
    apply_stages(entries()[:4], stages)
    assert capsys.readouterr().err == ""
    plain = plain_entry(Path("patient_000_node_1.tif"))
    assert apply_stages([*entries(), plain], stages)[-1] == plain
    assert capsys.readouterr().err == (
        f"warning: {stages}: 2 slides without a stage there stay as they are ('camelyon17_patient000_node4', for one)\n"
    )


def test_contradictions_and_unknown_policies_are_refused(stages):
    with pytest.raises(
        InputError, match=r"a\.xml: camelyon17_patient000_node0 is negative by the table of stages, yet"
    ):
        apply_stages(entries(0), stages)
    with pytest.raises(InputError, match="no ITC policy 'maybe'; take one of negative, tumor, leave-out"):
        apply_stages(entries(), stages, "maybe")
