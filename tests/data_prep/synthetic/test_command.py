import inspect
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from data_prep.cli import synthesize as command
from data_prep.store import open_concepts, open_patches
from data_prep.synthetic import CONCEPTS, SyntheticSpec, plan_rows, synthesize

FLAGS = ["--patches", "40", "--patients", "15", "--size", "32", "--shortcut", "0.5", "--seed", "7", "--quiet"]
SPEC = SyntheticSpec(patches=40, patients=15, size=32, shortcut=0.5, seed=7)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "nodes.h5"


def test_the_store_holds_what_the_specification_gives(out, capsys) -> None:
    command.main([str(out), *FLAGS])
    expected = list(synthesize(SPEC))
    with open_patches(str(out)) as store:
        np.testing.assert_array_equal(store.read(0, 40), np.concatenate([block.patches for block in expected]))
        columns = ["patient", "slide", "centre", "role", "label", "mpp"]
        pd.testing.assert_frame_equal(store.rows[columns], plan_rows(SPEC)[columns])
    concepts = open_concepts(out)
    assert concepts.attrs["units"] == CONCEPTS
    pd.testing.assert_frame_equal(
        concepts[list(CONCEPTS)], pd.concat([block.concepts for block in expected]), check_names=False
    )
    printed = capsys.readouterr().out
    assert "external_test" in printed
    assert "40 patches of 32 x 32 px at 0.5 um/px" in printed


def test_defaults_are_those_of_the_specification() -> None:
    parameters = inspect.signature(command.synthesize).parameters
    for name, default in asdict(SyntheticSpec()).items():
        assert parameters[name].default == default


def test_a_store_that_is_there_is_kept(out, capsys) -> None:
    out.write_text("precious")
    with pytest.raises(SystemExit) as stop:
        command.main([str(out), *FLAGS])
    assert stop.value.code == 2
    assert out.read_text() == "precious"
    assert "add --overwrite" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        command.main([str(out.parent), *FLAGS, "--overwrite"])
    assert capsys.readouterr().err == f"python -m data_prep synthesize: {out.parent}: is a folder; name a file\n"
    command.main([str(out), *FLAGS, "--overwrite"])
    with open_patches(str(out)) as store:
        assert len(store) == 40


def test_a_value_out_of_range_is_one_line_and_no_file(out, capsys) -> None:
    with pytest.raises(SystemExit) as stop:
        command.main([str(out), "--shortcut", "2"])
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert error == "python -m data_prep synthesize: synthesize: shortcut is 2.0: give a value from 0 to 1\n"
    assert not list(out.parent.iterdir())


def test_the_contact_sheet_is_a_picture(out) -> None:
    picture = out.with_name("sheet.png")
    command.main([str(out), *FLAGS, "--contact-sheet", str(picture)])
    with Image.open(picture) as image:
        assert image.size == (8 * 36 + 8, 5 * 36)
