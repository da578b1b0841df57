"""`python -m mta.explain parts` on a tiny run, and what is known of parts."""

import shutil

import keras
import numpy as np
import pandas as pd
import pytest

from mta.evaluation.scores import auc
from mta.explain.__main__ import main
from mta.explain.attribution import Heads
from mta.explain.nmf.fitting import unit_rows
from mta.explain.part_facts import deletion_effects, map_correlations, shares_inside, weight_maps
from mta.explain.part_label import grouped_logits, label_prediction
from mta.explain.part_measuring import PartSettings
from mta.explain.part_output import top_of_each
from mta.explain.parts import parts
from mta.train import train
from tests.builders import TINY, tiny_rows, tiny_store

FAST = PartSettings(counts=(2, 3), starts=2, patches=24, positions=4)


@pytest.fixture(scope="module")
def found(tiny_run, tmp_path_factory):
    out = tmp_path_factory.mktemp("parts") / "out"
    return out, parts(tiny_run, out, settings=FAST)


def test_files(found):
    out, table = found
    for name in ("exemplars.png", "maps.png", "stability.png"):
        assert (out / name).stat().st_size > 10_000
    pd.testing.assert_frame_equal(pd.read_csv(out / "parts.csv", dtype={"part": str}).iloc[:, 3:], table.iloc[:, 3:])
    with np.load(out / "parts.npz", allow_pickle=False) as file:
        components, layer = file["components"], str(file["layer"])
    assert layer == "block4_relu"
    assert (components >= 0).all()
    np.testing.assert_allclose(np.linalg.norm(components, axis=1), 1, rtol=1e-5)
    selection = pd.read_csv(out / "selection.csv")
    assert list(selection["parts"]) == [2, 3]
    assert selection.loc[selection["chosen"], "parts"].item() == len(components)
    assert not [path for path in out.iterdir() if path.suffix not in (".png", ".csv", ".npz") and path.name[0] != "."]


def test_facts_of_each_part(found):
    _, table = found
    count = table["part"].nunique() - table["part"].eq("all").any()
    assert table.loc[table["measure"] == "share", "value"].sum() == pytest.approx(1)
    importance = table[table["measure"] == "importance"]
    assert len(importance) == 4 * count
    assert set(importance["head"]) == {"tumor", "ncount", "narea", "domain"}
    assert ((importance["low"] <= importance["value"]) & (importance["value"] <= importance["high"])).all()


def test_deleting_the_part_that_feeds_the_logit():
    directions = unit_rows(np.array([[1, 1, 0, 0], [0, 0, 1, 1]], "float32"))
    weights = np.random.default_rng(0).random((3, 2, 2, 2)).astype("float32")
    source = keras.Input((2, 2, 4))
    pooled = keras.ops.mean(source, axis=(1, 2))
    network = keras.Model(source, {"tumor": pooled[:, :1] * 4, "other": pooled[:, 3:] * -2})
    activation = weights @ directions
    recovered = weight_maps(activation, directions)
    np.testing.assert_allclose(recovered, weights, atol=1e-4)
    heads = Heads(network, ["tumor", "other"])
    effects = deletion_effects(heads, [activation], recovered, directions, np.zeros(3, int))
    np.testing.assert_allclose(effects[:, 0, 0], heads.scores([activation], np.zeros(3, int))[0], rtol=1e-3)
    np.testing.assert_allclose(effects[:, 0, 1], 0, atol=1e-5)
    assert (effects[:, 1, 1] < 0).all()


def test_correlation_of_maps():
    generator = np.random.default_rng(0)
    cams = generator.random((2, 3, 4, 4))
    weights = np.stack([3 * cams[1] + 1, np.ones((3, 4, 4))], axis=-1)
    found = map_correlations(cams, weights)
    np.testing.assert_allclose(found[:, 1, 0], 1)
    assert np.isnan(found[:, :, 1]).all()
    expected = [np.corrcoef(cams[0, n].ravel(), weights[n, ..., 0].ravel())[0, 1] for n in range(3)]
    np.testing.assert_allclose(found[:, 0, 0], expected)


def test_shares_on_a_mask_and_of_its_area():
    weights = np.zeros((2, 2, 2, 1), "float32")
    weights[:, 0, 0] = 3
    weights[:, 1, 1] = 1
    masks = np.zeros((2, 8, 8), bool)
    masks[0, :4, :4] = True
    found = shares_inside(weights, masks)
    np.testing.assert_allclose(found[0], [0.75, 0.25])
    assert np.isnan(found[1]).all()


def test_the_label_is_predicted_for_patients_that_were_not_learned_from():
    generator = np.random.default_rng(0)
    patients = np.repeat(np.arange(20), 10)
    labels = np.tile([0, 1], 100)
    telling = np.stack([labels + generator.normal(0, 0.3, 200), generator.normal(size=200)], axis=1)
    # A feature that names the patient tells the label only where it was learned with that patient.
    naming = np.eye(20)[patients] + generator.normal(0, 0.01, (200, 20))
    found = label_prediction(telling, naming, labels, patients)
    assert found["label auc"][0] > 0.95
    assert abs(found["label auc, random directions"][0] - 0.5) < 0.2
    assert found["label auc, gain"][1] > 0
    assert np.isnan(grouped_logits(telling, labels, np.zeros(200))).all()
    assert label_prediction(telling, naming, np.ones(200, int), patients) == {}


def test_noise_tells_the_label_by_chance_where_patients_have_one_class():
    patients = np.repeat(np.arange(20), 10)
    # In this order, folds by patient alone have unequal shares of the classes.
    labels = (np.random.default_rng(1).permutation(20) < 10).astype(int)[patients]
    noise = [np.random.default_rng(seed).normal(size=(200, 3)) for seed in range(20)]
    found = [auc(labels, grouped_logits(one, labels, patients)) for one in noise]
    assert np.mean(found) == pytest.approx(0.5, abs=0.05)


def test_a_class_of_one_patient_cannot_be_learned():
    patients = np.repeat(np.arange(5), 4)
    assert np.isnan(grouped_logits(np.eye(20), (patients == 0).astype(int), patients)).all()


def test_exemplars_are_of_different_slides():
    values, slides = np.array([5.0, 4, 3, 2]), np.array(["a", "a", "b", "b"], object)
    assert list(top_of_each(values, slides, 2)) == [0, 2]
    assert list(top_of_each(values, slides, 3)) == [0, 1, 2]


def test_batches_without_a_resolution_are_left_out_of_nuclei_alone(tmp_path, monkeypatch):
    rows = tiny_rows()
    rows["mpp"] = np.where(rows["patient"] == "p7", 0.5, np.nan)
    run = train(tiny_store(tmp_path / "s.h5", rows), tmp_path / "run", preset="baseline", quiet=True, **TINY)
    monkeypatch.setattr("mta.explain.part_measuring.BATCH", 4)
    table = parts(run, settings=PartSettings((2,), 1, 24, 4))
    assert table.loc[table["measure"] == "share", "patches"].unique() == 12
    assert (table.loc[table["measure"] == "nuclei", "patches"] <= 6).all()


def refused(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        main(["parts", *map(str, arguments), "--quiet"])
    message = capsys.readouterr().err
    assert stop.value.code == 2
    assert message.count("\n") == 1
    return message


def test_bad_input_is_one_line(capsys, tiny_run, tmp_path):
    out = tmp_path / "out"
    few = ("--patches", 2, "--positions", 4, "--counts", 9)
    assert "9 parts from 8 activation vectors" in refused(capsys, tiny_run, "--out", out, *few)
    assert "negative activations" in refused(capsys, tiny_run, "--out", out, "--layer", "block4_norm")
    assert "no spatial extent" in refused(capsys, tiny_run, "--layer", "pool")
    assert "nearest are block4_" in refused(capsys, tiny_run, "--layer", "block4_reelu")
    assert "no head 'grade'" in refused(capsys, tiny_run, "--heads", "grade")
    assert "no such slide" in refused(capsys, tiny_run, "--slides", tmp_path / "a.tif")
    assert "of 1 or more" in refused(capsys, tiny_run, "--counts", 0)
    assert not list(out.glob("*.csv"))


def test_slides_are_looked_at_before_anything_is_written(capsys, tiny_run, scaled_run, slide_path, tmp_path):
    out, damaged = tmp_path / "out", tmp_path / "damaged.tif"
    damaged.write_bytes(slide_path.read_bytes()[:200])
    assert "mpp" in refused(capsys, tiny_run, "--out", out, "--slides", slide_path)
    assert "mpp" in refused(capsys, scaled_run, "--out", out, "--slides", slide_path, "--mpp", -1)
    assert "damaged.tif" in refused(capsys, scaled_run, "--out", out, "--slides", damaged)
    assert not out.exists()


def test_parts_of_a_slide_at_full_extent(scaled_run, slide_path, tmp_path):
    import tifffile

    parts(scaled_run, tmp_path, settings=PartSettings((2,), 1, 8, 4), slides=[str(slide_path)])
    maps = tifffile.imread(tmp_path / "a" / "parts.ome.tif")
    assert maps.shape[0] == 2
    assert np.isfinite(maps).any()
    assert np.nanmin(maps) >= 0
    assert (tmp_path / "a" / "part-02.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("command", "layer", "words"),
    [("parts", "block4_conv", "block4_relu is not finite for row"), ("gradcam", "tumor", "predicts NaN")],
)
def test_a_network_that_gives_nan_is_refused(capsys, tiny_run, tmp_path, command, layer, words):
    run = tmp_path / "run"
    shutil.copytree(tiny_run, run)
    model = keras.saving.load_model(run / "best.keras", compile=False)
    broken = model.get_layer(layer)
    broken.set_weights([np.full_like(values, np.nan) for values in broken.get_weights()])
    model.save(run / "best.keras")
    with pytest.raises(SystemExit) as stop:
        main([command, str(run), "--quiet"])
    assert stop.value.code == 2
    assert words in capsys.readouterr().err
    assert not list((run / "explain").rglob("*.csv"))
