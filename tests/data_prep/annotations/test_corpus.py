"""Nasty files, hand-made and found by mutation: each is read rightly or refused in one line.

A file's name says what becomes of it: the tumor's area in level-0 pixels, or `refused`.
"""

from pathlib import Path

import pytest

from data_prep.annotations import read_annotation
from data_prep.errors import InputError
from tests.data_prep.annotations.samples import a_slide

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_each_is_read_or_refused(path):
    outcome = path.name.partition("_")[0]
    if outcome != "refused":
        tumor = read_annotation(path, a_slide()).tumor
        assert tumor.is_valid
        assert tumor.area == pytest.approx(float(outcome), abs=1e-9)
        return
    with pytest.raises(InputError) as stop:
        read_annotation(path, a_slide())
    line = str(stop.value)
    assert line.startswith(f"{path}: ")
    assert "\n" not in line
    assert len(line) < 400 + len(str(path))
