from pathlib import Path

import pytest

from tests.mta.reporting import samples


@pytest.fixture(scope="session")
def report_store(tmp_path_factory) -> Path:
    """A tiny store with four roles. Not to be changed."""
    return samples.store(tmp_path_factory.mktemp("report"))


@pytest.fixture
def make_run(report_store, tmp_path):
    """Makes a run folder of its own below `tmp_path`."""

    def make(name="mta", **settings) -> Path:
        return samples.run(tmp_path / name, settings.pop("store", report_store), **settings)

    return make
