"""`python -m mta.explain gradcam` on a tiny run."""

from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest

from data_prep.errors import InputError
from mta.explain.__main__ import main
from mta.explain.gradcam import gradcam
from mta.explain.mapping import METHODS, Mapper, MapSettings, last_map
from mta.explain.nuclei_masks import nuclei_masks
from mta.model import ModelSpec, build_model
from mta.train import train
from tests.builders import TINY, tiny_concepts, tiny_pixels, tiny_rows

FAST = MapSettings(steps=3, samples=2)
ROWS = tiny_rows()


@pytest.fixture(scope="module")
def baseline(tiny_h5, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "baseline"
    return train(tiny_h5, out, preset="baseline", quiet=True, **TINY)


@pytest.fixture(scope="module")
def tables(tiny_run, baseline, tmp_path_factory):
    out = tmp_path_factory.mktemp("maps") / "both"
    return out, gradcam([tiny_run, baseline], out, settings=FAST, n=6, shown=3)


def test_files_and_tables_of_two_runs(tables):
    out, found = tables
    names = {path.name for path in out.iterdir()} - {".lock"}
    assert {"gallery.png", "deletion.png", "agreement.csv", "deletion.csv", "deletion_curves.csv"} < names
    assert {"sharpness.csv", "comparison.csv"} < names
    deletion = pd.read_csv(out / "deletion.csv")
    assert set(deletion["head"]) == {"tumor", "ncount", "narea", "domain"}
    assert set(deletion["method"]) == set(METHODS)
    assert set(deletion.loc[deletion["run"] == "baseline", "head"]) == {"tumor"}
    assert (deletion["patches"] == 6).all()
    np.testing.assert_allclose(deletion["gain"], deletion["value"] - deletion["chance"], atol=1e-9)
    assert list(found["comparison"]["run"].unique()) == ["mta"]
    assert set(found["comparison"]["head"]) == {"tumor"}


def test_curves_begin_with_the_prediction(tables):
    _, found = tables
    curves = found["curves"]
    ours = curves[(curves["run"] == "mta") & (curves["head"] == "tumor")]
    starts = ours[(ours["curve"] == "deletion") & (ours["fraction"] == 0)]["value"]
    ends = ours[(ours["curve"] == "insertion") & (ours["fraction"] == 1)]["value"]
    np.testing.assert_allclose(starts, starts.iloc[0], rtol=1e-6)
    np.testing.assert_allclose(ends, starts.iloc[0], rtol=1e-5)


def test_without_nuclei_there_is_no_agreement(tables):
    assert len(tables[1]["agreement"]) == 0


def test_nuclei_of_the_store(tmp_path):
    from data_prep.store import StoreWriter

    store, masks = tmp_path / "masks.h5", np.zeros((len(ROWS), 32, 32), np.uint16)
    masks[:, 8:24, 8:24] = 1
    with StoreWriter(store, (32, 32), concepts=tiny_concepts(ROWS).attrs["units"], mask_shape=(32, 32)) as writer:
        writer.append(tiny_pixels(ROWS), ROWS, tiny_concepts(ROWS), masks)
    run = train(store, tmp_path / "run", preset="baseline", quiet=True, **TINY)
    found = gradcam([run], settings=MapSettings(("smoothgrad-squared",), samples=2), n=6, shown=2)["agreement"]
    assert set(found["measure"]) == {"pointing game", "energy inside"}
    np.testing.assert_allclose(found["chance"], 0.25)
    assert (run / "explain" / "gradcam" / "gallery.png").stat().st_size > 10_000


def test_empty_masks_agree_with_nothing_and_are_no_sharpness(tmp_path, capsys):
    from data_prep.store import StoreWriter

    store = tmp_path / "masks.h5"
    with StoreWriter(store, (32, 32), concepts=tiny_concepts(ROWS).attrs["units"], mask_shape=(32, 32)) as writer:
        writer.append(tiny_pixels(ROWS), ROWS, tiny_concepts(ROWS), np.zeros((len(ROWS), 32, 32), np.uint16))
    run = train(store, tmp_path / "run", preset="baseline", quiet=True, **TINY)
    found = gradcam([run], settings=MapSettings(("smoothgrad-squared",), samples=2), n=6, shown=2)
    assert set(found["sharpness"]["measure"]) == {"L1", "L2"}
    assert "no nuclei to agree with" in capsys.readouterr().err


def test_rows_of_unknown_resolution_have_no_nuclei_and_keep_their_place():
    rows = ROWS.assign(mpp=np.where(np.arange(len(ROWS)) % 2, 0.5, np.nan))
    images = np.full((4, 32, 32, 3), 230, np.uint8)
    images[:, 8:24, 8:24] = (90, 40, 120)
    data = SimpleNamespace(patches=SimpleNamespace(mask_shape=()), rows=rows)
    found = nuclei_masks(data, np.arange(4), images)
    assert found.shape == (4, 32, 32)
    assert list(found.any(axis=(1, 2))) == [False, True, False, True]
    assert not nuclei_masks(data, np.array([0, 2]), images[:2]).any()
    data.rows = rows.assign(mpp=np.nan)
    assert nuclei_masks(data, np.arange(4), images) is None


def refused(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        main(["gradcam", *map(str, arguments), "--quiet"])
    message = capsys.readouterr().err
    assert stop.value.code == 2
    assert message.count("\n") == 1
    return message


def test_bad_input_is_one_line(capsys, tiny_run, baseline, tmp_path):
    assert "nearest are block4_relu" in refused(capsys, tiny_run, "--layer", "block4_rellu")
    assert "no spatial extent" in refused(capsys, tiny_run, "--layer", "features_1")
    assert "no head 'grade'" in refused(capsys, tiny_run, "--heads", "grade")
    assert "--out" in refused(capsys, tiny_run, baseline)
    lacking = (tiny_run, baseline, "--heads", "ncount", "--out", tmp_path / "out")
    assert "baseline: the run has none of the heads ncount" in refused(capsys, *lacking)
    assert "--n and --shown" in refused(capsys, tiny_run, "--n", "0")
    assert "--steps of 2" in refused(capsys, tiny_run, "--steps", "1")
    assert "not found" in refused(capsys, tmp_path / "nowhere")
    assert not (tiny_run / "explain").exists()


def test_embeddings_have_no_places():
    spec = ModelSpec(concepts=(), domains=0, embedding=8)
    with pytest.raises(InputError, match="on embeddings"):
        Mapper(build_model(spec), (), "")


def test_the_last_map_is_not_a_pooled_one():
    spec = ModelSpec(concepts=(), domains=0, backbone="SmallCNN", weights=None, trainable="all", size=32)
    assert last_map(build_model(spec)) == "block4_relu"
    source = keras.Input((8,))
    with pytest.raises(InputError, match="no layer of the model has a map"):
        last_map(keras.Model(source, {"tumor": keras.layers.Dense(1)(source)}))
