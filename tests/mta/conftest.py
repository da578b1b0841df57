"""One tiny store, one tiny finished run and one small slide for all tests of the trainer and the predictions."""

import json
import shutil
from pathlib import Path

import pytest

from tests.builders import TINY, tiny_store
from tests.data_prep.slides.samples import write_tiff
from tests.mta.slides.samples import section


@pytest.fixture(scope="session")
def tiny_h5(tmp_path_factory) -> Path:
    """A store of 48 patches of 32 x 32 pixels, eight patients, two centres, three roles. Not to be changed."""
    return tiny_store(tmp_path_factory.mktemp("tiny") / "tiny.h5")


@pytest.fixture(scope="session")
def tiny_run(tiny_h5, tmp_path_factory) -> Path:
    """A finished MTA run of two epochs a phase on `tiny_h5`. Not to be changed."""
    from mta.train import train

    return train(tiny_h5, tmp_path_factory.mktemp("runs") / "mta", quiet=True, **{**TINY, "epochs": (2, 2)})


@pytest.fixture(scope="session")
def scaled_run(tiny_run, tmp_path_factory) -> Path:
    """`tiny_run` (patches of 32 pixels, ncount and narea), trained at 0.5 um/px by its word. Not to be changed."""
    run = tmp_path_factory.mktemp("scaled") / "run"
    shutil.copytree(tiny_run, run)
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**record, "mpp": 0.5}))
    return run


@pytest.fixture(scope="session")
def slide_path(tmp_path_factory) -> Path:
    """A pyramid of 500 x 400 pixels at 0.5 um/px. Not to be changed."""
    return write_tiff(tmp_path_factory.mktemp("slide") / "a.tif", section(), levels=3)
