"""Two processes that train together, as two machines would."""

import time

import numpy as np
import pandas as pd
import pytest

from mta.run_folder import RunFolder
from tests.mta.devices.replicated_script import gappy_store
from tests.mta.devices.workers import finish, start
from tests.mta.training.comparing import MODELS, history, weights

pytestmark = pytest.mark.slow
# Epochs that the patience ends: whether to go on is decided alike by all.
SETTINGS = {"batch_size": 7, "dropout": 0.0, "learning_rate": 0.01, "missing_centre": "mask", "epochs": (4, 3)}
FEEDS = {
    "patches": {"patience": 2},
    "cache": {"trainable": "last:2"},
    "standardized": {"trainable": "none", "standardize": "on"},
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return gappy_store(tmp_path_factory.mktemp("gappy") / "gappy.h5")


def train(count, store, folder, name, **settings):
    return finish(start(count, store, folder / name, folder / f"{name}-cache", **{**SETTINGS, **settings}))


def assert_close(run, other):
    pd.testing.assert_frame_equal(history(run), history(other), check_exact=False, rtol=1e-5, atol=1e-5)
    for name in MODELS:
        for mine, theirs in zip(weights(run, name), weights(other, name), strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("feed", FEEDS)
def test_two_workers_end_as_one(store, tmp_path, feed):
    for count, name in ((1, "one"), (2, "two")):
        codes, out, errors = train(count, store, tmp_path, name, **FEEDS[feed])
        assert codes == [0] * count, errors
        assert len(out[0].splitlines()) < 12
    assert_close(tmp_path / "two", tmp_path / "one")
    assert history(tmp_path / "two")["loss"].nunique() > 3
    # Each worker has a cache of its own, and only one has a run folder.
    assert (tmp_path / "two-cache-1").exists() == (feed != "patches")
    assert {path.name for path in tmp_path.glob("two*")} <= {"two", "two-cache-0", "two-cache-1"}


@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_worker_ends_the_other_and_the_same_command_goes_on(store, tmp_path, victim):
    codes, _, errors = train(2, store, tmp_path, "undisturbed", epochs=(3, 3))
    assert codes == [0, 0], errors
    settings = {**SETTINGS, "epochs": (3, 3)}
    workers = start(2, store, tmp_path / "killed", tmp_path / "killed-cache", **settings)
    state = tmp_path / "killed" / "state" / "epoch-00002.npz"
    while not state.exists():
        assert workers[0].poll() is None, workers[0].stderr.read()
        time.sleep(0.01)
    workers[victim].kill()
    killed = time.monotonic()
    codes, _, errors = finish(workers, timeout=90)
    assert time.monotonic() - killed < 60
    assert (codes[victim], codes[1 - victim]) == (-9, 3), errors
    told = [line for line in errors[1 - victim].splitlines() if not line.startswith("warning: ")]
    assert len(told) == 1, told
    assert told[0].startswith(f"worker {victim} (127.0.0.1:")
    assert "has ended" in told[0]
    codes, _, errors = train(2, store, tmp_path, "killed", epochs=(3, 3))
    assert codes == [0, 0], errors
    assert RunFolder(tmp_path / "killed").standing() == "finished"
    assert_close(tmp_path / "killed", tmp_path / "undisturbed")


def test_bad_input_of_all_is_one_line_each(tmp_path):
    codes, _, errors = train(2, tmp_path / "absent.h5", tmp_path, "run")
    assert codes == [2, 2]
    assert all(len(text.splitlines()) == 1 and "absent.h5" in text for text in errors), errors
    assert not (tmp_path / "run").exists()


def test_what_worker_0_refuses_ends_the_others(store, tmp_path):
    (tmp_path / "run").write_text("no folder")
    codes, _, errors = train(2, store, tmp_path, "run")
    assert codes == [2, 3]
    assert "is no run folder" in errors[0]
    assert len(errors[1].splitlines()) == 1, errors[1]
