"""Activations of a run are those of its network on its normalized patches, however they are batched and pooled."""

import json
import shutil

import keras
import numpy as np
import pytest

from data_prep.errors import InputError
from mta.explain.activations import activation_batches, activation_model, activations
from mta.explain.opening import open_subjects, results_folder
from mta.train import train
from tests.builders import TINY, tiny_pixels, tiny_rows, tiny_store
from tests.mta.embedded import SETTINGS, cohort

NAMES = ["block2_relu", "pool", "features_1"]


@pytest.fixture(scope="module")
def subject(tiny_run):
    return open_subjects([tiny_run])[0]


def test_activations_are_those_of_the_network_on_normalized_patches(subject):
    rows = np.array([40, 3, 17])
    found = activations(subject, rows, NAMES)
    images = subject.trained.normalizer.transform(tiny_pixels(tiny_rows())[rows])
    model = subject.trained.model
    tensors = [model.get_layer(name).output for name in NAMES]
    maps, pool, features = keras.Model(model.input, tensors).predict_on_batch(images)
    np.testing.assert_allclose(found["block2_relu"], maps.mean(axis=(1, 2)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found["pool"], pool, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found["features_1"], features, rtol=1e-4, atol=1e-5)
    whole = activations(subject, rows, ["block2_relu"], pooled=False)["block2_relu"]
    np.testing.assert_allclose(whole, maps, rtol=1e-4, atol=1e-5)


def test_many_rows_come_in_batches_and_in_their_order(subject):
    rows = np.tile(np.arange(48), 3)[::-1]
    batches = list(activation_batches(subject.trained.model, subject.inputs(), rows, ["pool"]))
    assert [len(batch) for batch, _ in batches] == [64, 64, 16]
    np.testing.assert_array_equal(np.concatenate([batch for batch, _ in batches]), rows)
    joined = np.concatenate([values["pool"] for _, values in batches])
    np.testing.assert_allclose(joined[:48], joined[48:96], rtol=1e-5)
    assert activations(subject, rows[:0], ["pool", "block1_relu"])["block1_relu"].shape == (0, 16)


def test_the_last_dense_layer_explains_the_logit(subject):
    rows = np.arange(10)
    features = activations(subject, rows, ["features_1"])["features_1"]
    kernel, bias = subject.trained.model.get_layer("tumor").get_weights()
    logit = subject.trained.predict(subject.data.patches, rows)["logit"]
    np.testing.assert_allclose(features @ kernel[:, 0] + bias[0], logit, rtol=1e-4, atol=1e-5)


def test_sums_are_not_taken_in_16_bits():
    image = keras.Input((64, 64, 1))
    half = keras.Model(image, keras.layers.Identity(dtype="float16", name="half")(image))
    pixels = np.full((1, 64, 64, 1), 1000, "float32")
    assert activation_model(half, ["half"]).predict_on_batch(pixels)["half"] == pytest.approx(1000)


def test_runs_on_embeddings(tmp_path):
    run = train(cohort(tmp_path / "cohort"), tmp_path / "run", quiet=True, **{**SETTINGS, "concepts": ("ncount",)})
    subject = open_subjects([run])[0]
    found = activations(subject, np.arange(96), ["standardization", "features_1"])
    training = subject.data.of("train")
    np.testing.assert_allclose(found["standardization"][training].mean(axis=0), 0, atol=1e-4)
    assert found["features_1"].shape == (96, 16)


def test_activations_that_are_not_finite_are_refused(tiny_run, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(tiny_run, broken)
    subject = open_subjects([broken])[0]
    layer = subject.trained.model.get_layer("features_1")
    layer.set_weights([np.full_like(weight, np.nan) for weight in layer.get_weights()])
    with pytest.raises(InputError, match=r"broken: layer features_1 is not finite for row 5: .*--model"):
        activations(subject, np.array([5, 6]), ["pool", "features_1"])


def test_all_concepts_are_there_also_for_a_run_without(tiny_h5, tmp_path):
    run = train(tiny_h5, tmp_path / "baseline", preset="baseline", quiet=True, **TINY)
    assert set(open_subjects([run])[0].data.concepts) == {"ncount", "narea"}
    assert list(open_subjects([run], concepts=("narea",))[0].data.concepts) == ["narea"]


def test_compared_runs_have_different_names_and_the_same_rows(tiny_run, tmp_path):
    for place in ("a", "b"):
        shutil.copytree(tiny_run, tmp_path / place / "mta")
    runs = [tmp_path / place / "mta" for place in ("a", "b")]
    assert [subject.name for subject in open_subjects(runs)] == ["a/mta", "b/mta"]
    with pytest.raises(InputError, match="the same run is named twice"):
        open_subjects([runs[0], runs[0]])
    split = (runs[1] / "split.csv").read_text().replace("internal_test", "external_test", 3)
    (runs[1] / "split.csv").write_text(split)
    with pytest.raises(InputError, match=r"b/mta: 3 rows differ from .*a/mta \(rows 36, 37, 38; 48 against 48"):
        open_subjects(runs)


def test_runs_of_different_stores_are_not_compared(tiny_run, tmp_path):
    rows = tiny_rows(patches=4)
    other = train(tiny_store(tmp_path / "other.h5", rows), tmp_path / "other", quiet=True, **TINY)
    with pytest.raises(InputError, match=r"other: \d+ rows differ .*; 32 against 48 in all"):
        open_subjects([tiny_run, other])


def test_unfinished_and_damaged_runs_are_refused(tiny_run, tmp_path):
    shutil.copytree(tiny_run, tmp_path / "run")
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    (tmp_path / "run" / "run.json").write_text(json.dumps({**record, "finished": None}))
    with pytest.raises(InputError, match="not finished"):
        open_subjects([tmp_path / "run"])


def test_a_comparison_says_where_it_goes(tmp_path):
    assert results_folder([tmp_path], "", "probe") == tmp_path / "explain" / "probe"
    assert results_folder([tmp_path], str(tmp_path / "x"), "probe") == tmp_path / "x"
    with pytest.raises(InputError, match="--out"):
        results_folder([tmp_path, tmp_path / "b"], "", "probe")
    with pytest.raises(InputError, match="no run given"):
        results_folder([], "", "probe")
