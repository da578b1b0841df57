"""One tiny store and one tiny finished run for all tests of the trainer."""

from pathlib import Path

import pytest

from tests.builders import TINY, tiny_store


@pytest.fixture(scope="session")
def tiny_h5(tmp_path_factory) -> Path:
    """A store of 48 patches of 32 x 32 pixels, eight patients, two centres, three roles. Not to be changed."""
    return tiny_store(tmp_path_factory.mktemp("tiny") / "tiny.h5")


@pytest.fixture(scope="session")
def tiny_run(tiny_h5, tmp_path_factory) -> Path:
    """A finished MTA run of two epochs a phase on `tiny_h5`. Not to be changed."""
    from mta.train import train

    return train(tiny_h5, tmp_path_factory.mktemp("runs") / "mta", quiet=True, **{**TINY, "epochs": (2, 2)})
