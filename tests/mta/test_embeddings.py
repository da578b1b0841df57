"""Runs on precomputed embeddings: the same commands, from table to export."""

import shutil
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from data_prep.embeddings import open_embeddings
from data_prep.errors import InputError
from data_prep.store import complete_rows
from mta.data import inputs as inputs_module
from mta.data.balance import Balance, make_balance
from mta.data.inputs import EmbeddingInputs
from mta.data.reader import BatchReader, epoch_order
from mta.evaluate import evaluate
from mta.export import export
from mta.exporting.formats import answers
from mta.predict import main as predict_main
from mta.predict import predict
from mta.run_folder import RunFolder
from mta.train import main as train_main
from mta.train import train
from mta.trained import load_run
from tests.data_prep.embeddings.samples import numbers, table, trident
from tests.mta.embedded import PATCHES, SETTINGS, WIDTH, cohort, slide
from tests.mta.training.comparing import assert_same_run
from tests.mta.training.killing import Killed, kill_in_batch

LEARNING = {**SETTINGS, "epochs": (6, 2), "learning_rate": 0.02, "dropout": 0.0, "l2": 0.0, "quiet": True}


@pytest.fixture(scope="module")
def slides(tmp_path_factory):
    return cohort(tmp_path_factory.mktemp("embedded"), scale=40.0)


@pytest.fixture(scope="module")
def run(slides, tmp_path_factory):
    return train(slides, tmp_path_factory.mktemp("runs") / "embedded", **LEARNING)


def test_a_run_learns_classes_and_concepts_from_embeddings_of_any_scale(run, tmp_path):
    run = Path(shutil.copytree(run, tmp_path / "run"))
    metrics = evaluate(run, quiet=True)
    assert set(metrics) == {"validation", "internal_test"}
    assert metrics["internal_test"]["tumor"]["auc"] > 0.9
    assert metrics["internal_test"]["concepts"]["ncount"]["r2"] > 0.3
    for name in ("predictions.csv", "metrics.json", "roc.png", "history.png", "evaluation.json"):
        assert (run / name).is_file()
    record = RunFolder(run).record()
    assert (record["encoder"], len(record["inputs"]["store"])) == ("uni_v1", 2)
    assert not (run / "stain.json").exists()


def test_the_network_is_the_heads_on_standardized_embeddings(run):
    trained = load_run(run)
    names = [layer.name for layer in trained.model.layers]
    assert names[:3] == ["embedding", "standardization", "features_1"]
    assert (trained.shape, trained.embedded, trained.normalizer) == ((WIDTH,), True, None)
    training = np.concatenate([slide(patient, scale=40.0)[0] for patient in range(4)])
    standard = np.asarray(trained.model.get_layer("standardization")(training.astype("float32")))
    np.testing.assert_allclose(standard.mean(axis=0), 0, atol=0.01)
    np.testing.assert_allclose(standard.std(axis=0), 1, atol=0.01)


def test_predictions_for_a_table_a_file_and_a_folder_are_one(run, slides, tmp_path):
    whole = predict(run, slides, quiet=True)
    assert list(whole)[:9] == ["row", "patient", "slide", "centre", "path", "x", "y", "logit", "probability"]
    assert list(whole["slide"].unique()) == [f"s{n}" for n in range(8)]
    folder = predict(run, slides.parent / "features", quiet=True)
    np.testing.assert_allclose(folder["logit"], whole["logit"], atol=1e-5)
    out = tmp_path / "one.csv"
    predict_main([str(run), str(slides.parent / "features" / "s2.h5"), "--out", str(out), "--quiet"])
    one = pd.read_csv(out)
    own = whole[whole["slide"] == "s2"].reset_index(drop=True)
    np.testing.assert_allclose(one["logit"], own["logit"], atol=1e-5)
    pd.testing.assert_frame_equal(one[["slide", "x", "y"]], own[["slide", "x", "y"]], check_dtype=False)


def test_evaluation_on_other_embeddings(run, tmp_path):
    other = cohort(tmp_path, seed=1, scale=40.0, roles=False)
    metrics = evaluate(run, other, tmp_path / "out", quiet=True)
    assert metrics["external_test"]["tumor"]["n"] == 8 * PATCHES
    assert metrics["external_test"]["tumor"]["auc"] > 0.9
    assert metrics["external_test"]["concepts"]["narea"]["n"] == 8 * PATCHES


@pytest.mark.parametrize("kind", ["keras", "saved_model", "onnx"])
def test_an_export_takes_embeddings_as_they_are(run, slides, tmp_path, kind):
    if kind == "onnx":
        pytest.importorskip("onnxruntime")
        pytest.importorskip("tf2onnx")
    out = tmp_path / {"saved_model": "net"}.get(kind, f"net.{kind}")
    export(run, kind, out, quiet=True)
    with h5py.File(slides.parent / "features" / "s4.h5") as file:
        features = file["features"][()].astype("float32")
    table = predict(run, slides.parent / "features" / "s4.h5", quiet=True)
    found = answers(kind, out, features)
    np.testing.assert_allclose(found["tumor"][:, 0], table["logit"], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(found["ncount"][:, 0], table["ncount"], rtol=1e-3)
    served = predict(out, slides.parent / "features" / "s4.h5", quiet=True)
    np.testing.assert_allclose(served["logit"], table["logit"], rtol=1e-3, atol=1e-4)
    with pytest.raises(InputError, match="their numbers have nothing in common"):
        predict(out, trident(tmp_path / "other.h5", numbers(4, WIDTH), encoder="conch_v1"), quiet=True)
    card = (out / "MODEL_CARD.md" if kind == "saved_model" else out.with_name(f"{out.name}.md")).read_text()
    assert f"`embedding`: (n, {WIDTH}) `float32`, one patch of tissue each, as uni_v1 gives it" in card
    assert "as embedded" in card
    assert "image" not in card.replace("ImageNet", "")
    assert not list(tmp_path.rglob("*stain.json"))


def test_a_run_that_was_killed_ends_as_an_undisturbed_one(slides, run, tmp_path):
    out = tmp_path / "run"
    for epoch, batch in ((1, 2), (6, 1)):
        with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
            kill_in_batch(patch, epoch, batch)
            train(slides, out, **LEARNING)
    train(slides, out, resume=True, **LEARNING)
    assert_same_run(out, run)


def test_embeddings_that_changed_under_a_run_are_refused(tmp_path):
    slides, out = cohort(tmp_path), tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        kill_in_batch(patch, 1, 0)
        train(slides, out, quiet=True, **{**SETTINGS, "epochs": (2, 0)})
    (tmp_path / "features" / "s1.h5").unlink()  # the killed run still has it open
    trident(tmp_path / "features" / "s1.h5", slide(1, seed=9)[0])
    with pytest.raises(InputError, match="changed since the run began"):
        train(slides, out, quiet=True, **{**SETTINGS, "epochs": (2, 0)})


def test_batches_come_in_the_order_of_every_other_run(slides, monkeypatch):
    monkeypatch.setattr(inputs_module, "EMBEDDING_BYTES", 40 * WIDTH * 4)  # windows of fewer rows than there are
    embeddings = open_embeddings(slides)
    inputs = EmbeddingInputs(embeddings)
    rows = np.arange(3, 90)
    targets = {"tumor": embeddings.rows["label"].to_numpy("float32")[:, None]}
    reader = BatchReader(inputs, Balance(rows, []), targets, batch_size=8, seed=5)
    for epoch in (0, 1):
        reader.set_epoch(epoch)
        order = epoch_order(rows, 5, epoch, 40)
        batches = [reader[number][0] for number in range(len(reader))]
        read = np.concatenate([batch["embedding"] for batch in batches])
        np.testing.assert_array_equal(read, embeddings.take(order))
        np.testing.assert_array_equal(np.concatenate([batch["y_tumor"] for batch in batches]), targets["tumor"][order])
    embeddings.close()


@pytest.mark.parametrize("kind", ["class", "centre", "class-centre"])
def test_rows_are_balanced_as_those_of_a_store(slides, kind):
    with open_embeddings(slides) as embeddings:
        rows, training = embeddings.rows, np.arange(5, 80)
        plain = complete_rows(rows.astype({name: "str" for name in ("source", "entry", "patient", "slide", "centre")}))
        mine, theirs = (make_balance(table, training, kind) for table in (rows, plain))
        np.testing.assert_array_equal(mine.draw(3, 1), theirs.draw(3, 1))
        assert len(mine.groups) == (4 if kind == "class-centre" else 2)


def refused(*arguments, **settings):
    with pytest.raises(InputError) as caught:
        train(*arguments, quiet=True, **{**SETTINGS, **settings})
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("setting", "flag"),
    [
        ({"backbone": "SmallCNN"}, "--backbone"),
        ({"weights": "none"}, "--weights"),
        ({"trainable": "all"}, "--trainable"),
        ({"cut": "mixed7"}, "--cut"),
        ({"stain": "macenko"}, "--stain"),
        ({"stain_reference": "first"}, "--stain-reference"),
        ({"profile": "original"}, "--profile"),
        ({"augment": ("flips",)}, "--augment"),
    ],
)
def test_what_only_images_have_is_refused(slides, tmp_path, setting, flag):
    said = refused(slides, tmp_path / "run", **setting)
    assert f"holds embeddings, for which {flag} means nothing; leave it out" in said
    assert not (tmp_path / "run").exists()


def test_a_leak_is_found_and_patients_are_split(tmp_path, capsys):
    slides = cohort(tmp_path)
    frame = pd.read_csv(slides)
    frame.loc[7, "patient"] = "p0"
    frame.to_csv(slides, index=False)
    assert "1 patient in more than one role: p0 (train, internal_test)" in refused(slides, tmp_path / "run")
    train(slides, tmp_path / "split", split="patient", quiet=True, **{**SETTINGS, "epochs": (1, 0)})
    roles = pd.read_csv(tmp_path / "split" / "split.csv").groupby("patient")["role"].nunique()
    assert list(roles) == [1] * 7


def test_labels_and_concepts_must_be_there(tmp_path):
    slides = cohort(tmp_path)
    frame = pd.read_csv(slides)
    frame.drop(columns="patches").assign(label="tumor").to_csv(slides, index=False)
    assert "has no concept ncount, narea" in refused(slides, tmp_path / "run")
    assert "has no normal patch" in refused(slides, tmp_path / "run", preset="baseline")


def test_concepts_come_from_a_table_as_well(tmp_path):
    slides = cohort(tmp_path)
    values = np.concatenate([slide(patient)[1]["ncount [nuclei]"] for patient in range(8)])
    pd.DataFrame({"row": np.arange(8 * PATCHES), "mitoses": values}).to_csv(tmp_path / "concepts.csv", index=False)
    settings = {**SETTINGS, "epochs": (1, 0), "concepts": ("mitoses",), "concept_file": str(tmp_path / "concepts.csv")}
    assert list(load_run(train(slides, tmp_path / "run", quiet=True, **settings)).coding.scales) == ["mitoses"]


def test_images_and_embeddings_are_not_taken_for_each_other(run, slides, tiny_run, tiny_h5, tmp_path):
    features = slides.parent / "features"
    for model, source, said in (
        (run, tiny_h5, "holds images, the run was trained on embeddings of 12 numbers"),
        (tiny_run, features / "s0.h5", "holds embeddings, the run was trained on images"),
        (tiny_run, slides, "holds embeddings, the run was trained on images"),
        (run, trident(tmp_path / "a.h5", numbers(4, 6)), "embeddings of 6 numbers, the run was trained on 12"),
        (run, trident(tmp_path / "b.h5", numbers(4, 12), encoder="conch_v1"), "trained on those of uni_v1"),
    ):
        with pytest.raises(InputError, match=said):
            predict(model, source, quiet=True)
    with pytest.raises(InputError, match="holds images, the run was trained on embeddings"):
        evaluate(run, tiny_h5, tmp_path / "out", quiet=True)
    assert not (tmp_path / "out").exists()
    (tmp_path / "images").mkdir()
    with pytest.raises(InputError, match="no features file in this folder"):
        predict(run, tmp_path / "images", quiet=True)


def test_a_bad_number_met_in_training_is_one_line(tmp_path, capsys):
    slides = cohort(tmp_path)
    shutil.copy(tmp_path / "features" / "s0.h5", tmp_path / "features" / "whole.h5")
    with h5py.File(tmp_path / "features" / "s5.h5", "a") as file:  # of the validation: read after an epoch
        file["features"][3, 2] = np.nan
    with pytest.raises(SystemExit) as end:
        flags = [f"--{name.replace('_', '-')}" for name in ("epochs", "dense")]
        train_main([str(slides), "--out", str(tmp_path / "run"), flags[0], "1", "0", flags[1], "4", "--quiet"])
    assert end.value.code == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "s5.h5" in line]
    assert "the features of patch 3 (from 0) are not all finite" in line


def test_overwrite_keeps_the_run_where_a_training_row_cannot_be_read(tmp_path):
    slides, out = cohort(tmp_path), tmp_path / "run"
    settings = {"epochs": (1, 0), "dense": (4,), "quiet": True}
    train(slides, out, **settings)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    with h5py.File(tmp_path / "features" / "s0.h5", "a") as file:
        file["features"][3, 2] = np.nan
    with pytest.raises(InputError, match="not all finite"):
        train(slides, out, overwrite=True, **settings)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


@pytest.mark.slow
def test_folds_over_embeddings(tmp_path):
    slides = cohort(tmp_path, roles=False)
    out = train(
        slides, tmp_path / "folds", folds=2, quiet=True, **{**SETTINGS, "epochs": (1, 0), "preset": "multitask"}
    )
    pooled = pd.read_csv(out / "predictions.csv")
    np.testing.assert_array_equal(pooled["row"], np.arange(8 * PATCHES))


def test_the_table_of_slides_may_say_the_label(tmp_path):
    for patient in range(8):
        trident(tmp_path / f"s{patient}.h5", slide(patient)[0])
    roles = ["train"] * 4 + ["validation"] * 2 + ["internal_test"] * 2
    lines = [
        {"features": f"s{n}.h5", "patient": n, "centre": n // 2 % 2, "role": role, "label": n % 2}
        for n, role in enumerate(roles)
    ]
    slides = table(tmp_path / "slides.csv", lines)
    run = train(slides, tmp_path / "run", preset="baseline", quiet=True, **{**SETTINGS, "epochs": (1, 0)})
    assert evaluate(run, quiet=True)["internal_test"]["tumor"]["n"] == 2 * PATCHES
