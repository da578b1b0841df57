"""The example that embeds a patch store for studies of heads alone."""

import sys
from pathlib import Path

import numpy as np
import pytest

from data_prep.embeddings import open_embeddings
from data_prep.store import align_concepts, open_concepts, open_patches
from tests.builders import tiny_store
from tests.mta.studies.builders import study_rows

sys.path.append(str(Path(__file__).resolve().parents[1] / "examples"))
import embed as example


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The tiny store, and its embeddings by an untrained network, with two varied copies."""
    folder = tmp_path_factory.mktemp("embed")
    store = tiny_store(folder / "tiny.h5", study_rows())
    trunk = {"backbone": "SmallCNN", "weights": "none", "cut": "block2_pool"}
    example.embed(store, folder / "out", names=("narea", "ncount"), varied=2, **trunk)
    return store, folder / "out"


def test_rows_labels_and_concepts_are_those_of_the_store(made):
    store, out = made
    embeddings = open_embeddings(str(out / "embeddings.csv"))
    with open_patches(store) as patches:
        for name in ("patient", "centre", "role", "label"):
            assert list(embeddings.rows[name]) == list(patches.rows[name])
        wanted = align_concepts(open_concepts(store), patches.rows)
    for name in ("ncount", "narea"):
        np.testing.assert_allclose(embeddings.concepts[name], wanted[name], rtol=1e-6)
    assert embeddings.concepts.attrs["units"]["narea"] == "px"
    embeddings.close()


def test_copies_come_after_the_rest_and_train_alone(made):
    _, out = made
    plain, varied = (open_embeddings(str(out / name)) for name in ("embeddings.csv", "varied.csv"))
    training = int((plain.rows["role"] == "train").sum())
    assert len(varied) == len(plain) + 2 * training
    assert list(varied.rows["patient"][: len(plain)]) == list(plain.rows["patient"])
    assert set(varied.rows["role"][len(plain) :]) == {"train"}
    first = np.array([plain.read(0, 6), varied.read(len(plain), len(plain) + 6)])
    assert np.abs(first[0] - first[1]).max() > 1e-3
    for one in (plain, varied):
        one.close()
