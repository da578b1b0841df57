"""What a run was made with."""

import hashlib
import json
from pathlib import Path

import pytest

import mta
from mta.provenance import fingerprint, provenance, store_files, store_fingerprints


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
    assert store_files("a.h5") == [Path("a.h5")]
    assert store_files("cam16=x/a.h5,all500=b.h5") == [Path("x/a.h5"), Path("b.h5")]
    odd = tmp_path / "seed=1,b" / "a.h5"
    odd.parent.mkdir()
    odd.write_bytes(b"x")
    assert store_files(str(odd)) == [odd]
    assert store_fingerprints(str(odd)) == [fingerprint(odd)]


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
