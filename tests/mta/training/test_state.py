"""The state file of an epoch."""

import random
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from mta.training.state import Progress, load_progress, restore, save_state


def network(value=0.0):
    variables = [keras.Variable(np.full(shape, value, "float32")) for shape in ((), (3,), (2, 2))]
    seed = keras.random.SeedGenerator(7).state
    training = SimpleNamespace(optimizer=SimpleNamespace(variables=[keras.Variable(np.full((3,), value))]))
    return SimpleNamespace(changing=[*variables, seed], training=training, standardization=None)


def values(net):
    return [np.asarray(keras.ops.convert_to_numpy(v)) for v in (*net.changing, *net.training.optimizer.variables)]


def at(epoch):
    return Progress(phase=1, best=0.25, phase_best=0.5, wait=2, history=[{"epoch": e + 1} for e in range(epoch)])


def test_there_and_back_with_the_random_generators(tmp_path):
    saved, progress = network(1.5), at(3)
    save_state(tmp_path, progress, saved)
    expected = random.random(), np.random.rand(), values(saved)
    found, arrays = load_progress(tmp_path)
    fresh = network()
    restore(fresh, arrays)
    assert found == progress
    assert (random.random(), np.random.rand()) == expected[:2]
    for mine, theirs in zip(values(fresh), expected[2], strict=True):
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)


def test_two_states_are_kept(tmp_path):
    for epoch in range(1, 5):
        save_state(tmp_path, at(epoch), network())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["epoch-00003.npz", "epoch-00004.npz"]
    assert load_progress(tmp_path)[0].epoch == 4


def test_no_state_is_a_new_run(tmp_path):
    assert load_progress(tmp_path) is None
    assert load_progress(tmp_path / "absent") is None


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.9, 0.999])
def test_a_truncated_state_gives_way_to_the_one_before(tmp_path, capsys, share):
    for epoch in (1, 2):
        save_state(tmp_path, at(epoch), network())
    newest = tmp_path / "epoch-00002.npz"
    newest.write_bytes(newest.read_bytes()[: int(share * newest.stat().st_size)])
    assert load_progress(tmp_path)[0].epoch == 1
    assert f"{newest}: damaged" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"PK", b"text", b"\x93NUMPY\x01\x00"])
def test_foreign_bytes_are_no_state(tmp_path, content, capsys):
    (tmp_path / "epoch-00001.npz").write_bytes(content)
    assert load_progress(tmp_path) is None
    assert "going back to the one before it" in capsys.readouterr().err


def test_a_state_of_other_contents_is_no_state(tmp_path, capsys):
    np.savez(tmp_path / "epoch-00001.npz", variable_0=np.zeros(3))
    np.savez(tmp_path / "epoch-00002.npz", meta=np.frombuffer(b'{"progress": {"pace": 1}}', "uint8"))
    assert load_progress(tmp_path) is None
    assert capsys.readouterr().err.count("damaged") == 2


@pytest.mark.parametrize("keep_best", [True, False])
def test_the_next_phase_starts_its_own_count(keep_best):
    progress = at(3)
    progress.next_phase(keep_best)
    assert (progress.phase, progress.phase_epochs, progress.wait) == (2, 0, 0)
    assert progress.phase_best == float("inf")
    assert progress.best == (0.25 if keep_best else float("inf"))
    assert progress.epoch == 3
