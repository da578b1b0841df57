"""A patch store as embeddings, for studies of heads alone."""

import numpy as np
import pandas as pd
import pytest

from data_prep.embeddings import open_embeddings
from data_prep.errors import InputError
from data_prep.splits import patient_keys
from data_prep.store import align_concepts, open_concepts, open_patches
from mta import encoding
from mta.embed import embed, main
from tests.builders import tiny_store
from tests.mta.studies.builders import study_rows

TRUNK = {"backbone": "SmallCNN", "weights": "none", "cut": "block2_pool"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The tiny store, and its embeddings by an untrained network, with two varied copies."""
    folder = tmp_path_factory.mktemp("embed")
    store = tiny_store(folder / "tiny.h5", study_rows())
    assert (
        embed(str(store), folder / "out", names=("narea", "ncount"), varied=2, **TRUNK) == folder / "out/embeddings.csv"
    )
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


def test_rows_of_one_patient_with_two_roles_lie_apart_and_names_are_no_paths(tmp_path):
    rows = study_rows()
    rows["patient"] = "../up"
    store = tiny_store(tmp_path / "tiny.h5", rows)
    table = embed(str(store), tmp_path / "out" / "deep", quiet=True, **TRUNK)
    assert not (tmp_path / "out" / "up.h5").exists()
    embeddings = open_embeddings(str(table))
    columns = ["patient", "centre", "role", "label"]
    assert sorted(map(tuple, embeddings.rows[columns].values)) == sorted(map(tuple, rows[columns].values))
    embeddings.close()


def test_patients_are_those_of_the_store_where_only_slides_are_known(tmp_path):
    rows = study_rows().assign(patient="")
    store = tiny_store(tmp_path / "tiny.h5", rows)
    embeddings = open_embeddings(str(embed(str(store), tmp_path / "out", quiet=True, **TRUNK)))
    with open_patches(store) as patches:
        wanted = patient_keys(patches.rows)
    assert sorted(pd.Series(patient_keys(embeddings.rows)).value_counts()) == sorted(pd.Series(wanted).value_counts())
    embeddings.close()


def test_patches_that_name_nobody_are_refused(tmp_path):
    store = tiny_store(tmp_path / "tiny.h5", study_rows().assign(patient="", slide=""))
    with pytest.raises(InputError, match=r"patches name neither patient nor slide"):
        embed(str(store), tmp_path / "out", quiet=True, **TRUNK)
    assert not (tmp_path / "out").exists()


def test_blocks_change_nothing(made, monkeypatch):
    store, out = made
    monkeypatch.setattr(encoding, "BATCH", 5)
    again = open_embeddings(str(embed(str(store), out.parent / "again", names=("narea",), quiet=True, **TRUNK)))
    first = open_embeddings(str(out / "embeddings.csv"))
    np.testing.assert_allclose(again.read(0, len(again)), first.read(0, len(first)), rtol=1e-5, atol=1e-6)
    again.close()
    first.close()


def test_random_weights_are_those_of_the_seed(tmp_path):
    store = tiny_store(tmp_path / "tiny.h5", study_rows())
    first, again, other = (
        open_embeddings(str(embed(str(store), tmp_path / f"{number}", seed=seed, quiet=True, **TRUNK)))
        for number, seed in enumerate((0, 0, 1))
    )
    assert (first.read(0, 6) == again.read(0, 6)).all()
    assert (first.read(0, 6) != other.read(0, 6)).any()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--names", "nothing"], "no concept is called 'nothing'; there are"),
        (["--backbone", "Nobody"], "there is no backbone 'Nobody'"),
        (["--cut", "nowhere"], "has no layer 'nowhere'"),
        (["--varied", "-1"], "--varied -1 --sigma 0.2: give copies, 0 or more, and a strength"),
        (["--varied", "1", "--sigma", "nan"], "--sigma nan"),
        (["--seed", "-1"], "seed"),
    ],
)
def test_bad_input_is_one_line(flags, said, tmp_path, capsys):
    store = tiny_store(tmp_path / "tiny.h5", study_rows())
    with pytest.raises(SystemExit) as stop:
        main([str(store), "--out", str(tmp_path / "out"), "--backbone", "SmallCNN", "--weights", "none", *flags])
    assert stop.value.code
    error = capsys.readouterr().err.strip()
    assert said in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "out").exists()
