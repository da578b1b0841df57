"""What a run was made with."""

import hashlib
import json

import pytest

import mta
from mta.provenance import fingerprint, provenance, store_fingerprints
from tests.data_prep.embeddings.samples import numbers, table, trident


def test_a_fingerprint_tells_size_beginning_and_end(tmp_path):
    path, edge = tmp_path / "a", 2**20
    content = bytes(range(256)) * (3 * edge // 256)
    path.write_bytes(content)
    whole = fingerprint(path)
    assert whole == hashlib.sha256(str(len(content)).encode() + content[:edge] + content[-edge:]).hexdigest()
    for changed in (b"x" + content[1:], content[:-1] + b"x", content + b"x"):
        path.write_bytes(changed)
        assert fingerprint(path) != whole


@pytest.mark.parametrize("content", [b"", b"short"])
def test_small_files_have_one_too(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    assert len(fingerprint(tmp_path / "a")) == 64


def test_files_of_a_store(tmp_path):
    odd = tmp_path / "seed=1,b" / "a.h5"
    odd.parent.mkdir()
    odd.write_bytes(b"x")
    assert store_fingerprints(str(odd)) == [fingerprint(odd)]
    other = tmp_path / "b.h5"
    other.write_bytes(b"y")
    assert store_fingerprints(f"one={other},two={tmp_path / 'absent.h5'}") == [fingerprint(other)]


def test_embeddings_have_a_fingerprint_over_all_files_of_their_table(tmp_path):
    for name in ("a", "b"):
        trident(tmp_path / f"{name}.h5", numbers(4))
    table(tmp_path / "b.csv", [{"x": 0, "y": 0, "label": 1}])
    slides = table(tmp_path / "slides.csv", [{"features": "a.h5"}, {"features": "b.h5", "patches": "b.csv"}])
    before = store_fingerprints(str(slides))
    assert before[0] == fingerprint(slides)
    assert len(before) == 2
    for change in (
        lambda: trident(tmp_path / "b.h5", numbers(4, seed=5)),
        lambda: table(tmp_path / "b.csv", [{"x": 0, "y": 0, "label": 0}]),
    ):
        change()
        now = store_fingerprints(str(slides))
        assert (now[0], now[1] != before[1]) == (before[0], True)
        before = now


def test_versions_and_command():
    record = json.loads(json.dumps(provenance()))
    assert record["packages"]["mta"] == mta.__version__
    assert record["packages"]["keras"].startswith("3.")
    assert record["backend"] in ("tensorflow", "jax")
    assert record["command"]
    assert record["git"] is None or len(record["git"]["commit"]) == 40


def test_load_gives_the_best_model(tiny_run):
    import numpy as np

    from mta.run_folder import RunFolder

    model, best = mta.load(tiny_run), RunFolder(tiny_run).load_model("best")
    assert set(model.output) == {"tumor", "domain", "ncount", "narea"}
    for mine, theirs in zip(model.get_weights(), best.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
