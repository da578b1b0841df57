from concurrent.futures import Future
from contextlib import contextmanager

import pytest

from data_prep.errors import InputError
from data_prep.files import write_json
from mta.run_folder import RunFolder
from mta.studies import networks
from mta.studies.job import jobs_of
from mta.studies.plan import read_plan
from tests.mta.studies.builders import ROWS, SETTINGS, write_plan

SHAPES = dict.fromkeys((*ROWS, "x"), (32, 32, 3))


class Here:
    """In place of a pool: work is done in this process, at once."""

    def submit(self, work, *arguments):
        done = Future()
        try:
            done.set_result(work(*arguments))
        except InputError as error:
            done.set_exception(error)
        return done


@pytest.fixture
def here(monkeypatch):
    @contextmanager
    def pool(*arguments):
        yield Here()

    monkeypatch.setattr(networks, "worker_pool", pool)


@pytest.fixture
def built(here, monkeypatch):
    """The networks that were built, without building any."""
    specs = []
    monkeypatch.setattr(networks, "build", specs.append)
    return specs


def jobs(folder, **changed):
    return jobs_of(read_plan(write_plan(folder, **changed)), folder / "out")


def finish(job):
    folder = RunFolder(job.folder)
    folder.path.mkdir(parents=True)
    folder.write_config(job.config)
    write_json(folder.file("run.json"), {"finished": "now"})


@pytest.mark.parametrize(
    ("settings", "shape", "said"),
    [
        ({"weights": "none.h5"}, (32, 32, 3), "none.h5: there is no such weights file"),
        ({"weights": "imagenet"}, (32, 32, 3), "SmallCNN has no ImageNet weights"),
        ({"backbone": "SmalCNN"}, (32, 32, 3), "there is no backbone 'SmalCNN'; choose one of SmallCNN"),
        ({"cut": "block9"}, (32, 32, 3), "backbone SmallCNN has no layer 'block9'"),
        ({"trainable": "last:9"}, (32, 32, 3), "trainable last:9: the trunk has 4 layers with a kernel"),
        ({"trainable": "paper"}, (32, 32, 3), "five convolutions of InceptionV3"),
        ({}, (8, 8, 3), "SmallCNN cannot be built for images of 8 pixels"),
        ({"concepts": ["pool"]}, (32, 32, 3), "concept 'pool' is also the name of a layer"),
        ({"concepts": ["features_1"]}, (12,), "concept 'features_1' is also the name of a layer"),
    ],
)
def test_a_network_that_cannot_be_built_is_refused_by_row(tmp_path, here, settings, shape, said):
    waiting = jobs(tmp_path, rows={**ROWS, "x": settings})
    with pytest.raises(InputError, match=r"^row x: ") as caught:
        networks.require_networks(waiting, {**SHAPES, "x": shape}, quiet=True)
    assert said in str(caught.value)


def test_settings_of_no_network_are_refused_without_a_process(tmp_path, monkeypatch):
    monkeypatch.setattr(networks, "worker_pool", None)
    waiting = jobs(tmp_path, rows={**ROWS, "x": {"trainable": "some"}})
    with pytest.raises(InputError, match=r"^row x: trainable is 'some'"):
        networks.require_networks(waiting, SHAPES, quiet=True)


def test_rows_that_differ_in_other_settings_share_a_network(tmp_path, built):
    rows = {**ROWS, "x": {"preset": "mta", "batch_size": 4, "strength": 0.5}}
    networks.require_networks(jobs(tmp_path, rows=rows), SHAPES, quiet=True)
    assert [(spec.concepts, spec.domains > 0) for spec in built] == [
        ((), False),
        (("ncount", "narea"), True),
        (("random",), False),
    ]
    assert {(spec.size, spec.backbone, spec.dense) for spec in built} == {(32, "SmallCNN", (16,))}


def test_only_what_is_still_to_be_trained_is_built(tmp_path, built):
    waiting = jobs(tmp_path)
    for job in waiting:
        if job.row == "mta" or (job.row, job.seed) == ("noise", 1):
            finish(job)
    networks.require_networks(waiting, SHAPES, quiet=True)
    assert [spec.concepts for spec in built] == [(), ("random",)]


def test_trained_runs_need_no_network_and_no_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(networks, "worker_pool", None)
    waiting = jobs(tmp_path, settings={**SETTINGS, "weights": "none.h5"})
    for job in waiting:
        finish(job)
    networks.require_networks(waiting, SHAPES, quiet=True)
