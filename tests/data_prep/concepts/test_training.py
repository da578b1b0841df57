"""A concept table trains a network (`mta.train --concept-file`)."""

import json

import numpy as np
import pytest

from data_prep.cli.concepts import main as measure_concepts
from data_prep.cli.synthesize import main as make_store
from data_prep.store import open_concepts

PLUGIN = """
from data_prep.concepts import register


@register("largest", "px", "area of the largest nucleus")
def largest(image, labels, mpp):
    return max((int((labels == number).sum()) for number in range(1, labels.max() + 1)), default=float("nan"))
"""


def test_from_a_store_to_a_trained_concept(tmp_path, capsys):
    pytest.importorskip("tensorflow")
    from mta.train import main as train

    store, table, run = (str(tmp_path / name) for name in ("s.h5", "c.h5", "run"))
    (tmp_path / "mine.py").write_text(PLUGIN)
    make_store([store, "--patches", "60", "--patients", "15", "--size", "48", "--quiet"])
    measure_concepts([store, "--out", table, "--plugin", str(tmp_path / "mine.py"), "--seed", "1", "--quiet"])
    names = ["nsolidity", "full_contrast", "largest", "random"]
    network = ["--backbone", "SmallCNN", "--weights", "none", "--trainable", "all", "--epochs", "1", "0"]
    train([store, "--out", run, "--concept-file", table, "--concepts", *names, *network])
    scales = json.loads((tmp_path / "run" / "labels.json").read_text())["concepts"]
    assert [scales[name]["unit"] for name in names] == ["1", "gray levels2", "px", "1"]
    values = open_concepts(table)
    for name in names:
        assert np.nanmin(values[name]) < scales[name]["mean"] < np.nanmax(values[name])
