"""Exports: they answer as the run does, without this package, whole or not at all, and their card tells the truth."""

import dataclasses
import json
import os
import resource
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
import yaml

from data_prep.errors import InputError
from data_prep.splits import write_split
from data_prep.stain import Reinhard
from data_prep.store import open_patches
from mta.card import model_card
from mta.data.dataset import Coding
from mta.data.scale import Scale
from mta.evaluate import evaluate
from mta.export import export, main
from mta.exporting import formats
from mta.exporting.check import Check, differences, draw_sample, require_equal
from mta.exporting.facts import counts, markdown_table, resolution
from mta.exporting.placing import companions, destination, staged
from mta.exporting.serving import serving_model
from mta.model import ModelSpec, build_model
from mta.train import train
from mta.trained import load_run
from tests.builders import TINY, tiny_pixels, tiny_rows, tiny_store

NAMES = {"tumor", "tumor_probability", "domain", "ncount", "narea"}
# Reads both files in a process that refuses to import anything of ours.
STRANGER = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("mta", "data_prep"):
            raise ImportError(name + " must not be needed")
sys.meta_path.insert(0, Refuse())
import keras, numpy, tensorflow
images = numpy.load(sys.argv[1])
model = keras.saving.load_model(sys.argv[2], safe_mode=True)
numpy.savez(sys.argv[4], **model.predict(images, verbose=0))
served = tensorflow.saved_model.load(sys.argv[3])
numpy.savez(sys.argv[5], **{k: v.numpy() for k, v in served.serve(images).items()})
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    settings = {**TINY, "dense": (16,), "dropout": 0.0, "learning_rate": 1e-3, "epochs": (1, 0)}
    made = train(tiny_store(folder / "store.h5"), folder / "run", quiet=True, **settings)
    evaluate(made, quiet=True)
    return made


@pytest.fixture(scope="module")
def trained(run):
    return load_run(run)


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    return {
        "keras": export(run, "keras", folder / "net.keras", quiet=True),
        "saved_model": export(run, "saved_model", folder / "net", quiet=True),
    }


@pytest.fixture(scope="module")
def truth(trained):
    """Normalized test patches, and what the run itself says of them."""
    with open_patches(trained.config.store) as patches:
        rows = np.flatnonzero(patches.rows["role"] == "internal_test")
        return trained.normalizer.transform(patches.take(rows)), trained.predict(patches, rows)


def require_as_predicted(outputs, table):
    assert set(outputs) == NAMES
    assert all(values.dtype == np.float32 for values in outputs.values())
    for output, column in (("tumor", "logit"), ("tumor_probability", "probability"), ("ncount", "ncount")):
        assert outputs[output].shape == (len(table), 1)
        np.testing.assert_allclose(outputs[output][:, 0], table[column], rtol=1e-4)
        assert np.ptp(table[column]) > 0  # a constant network would prove nothing
    np.testing.assert_allclose(outputs["narea"][:, 0], table["narea"], rtol=1e-4)
    assert list(outputs["domain"].argmax(axis=1).astype(str)) == list(table["domain"])
    np.testing.assert_allclose(outputs["domain"].sum(axis=1), 1, rtol=1e-5)


def test_a_process_without_this_package_reads_both_files(exported, truth, tmp_path):
    images, table = truth
    np.save(tmp_path / "images.npy", images)
    answers = [tmp_path / "keras.npz", tmp_path / "served.npz"]
    words = [tmp_path / "images.npy", exported["keras"], exported["saved_model"], *answers]
    quiet = {**os.environ, "PYTHONPATH": "", "TF_CPP_MIN_LOG_LEVEL": "2"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", STRANGER, *map(str, words)],
        cwd=tmp_path, env=quiet, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    for answer in answers:
        require_as_predicted(dict(np.load(answer)), table)


def test_the_keras_file_names_stock_layers_only(exported):
    with zipfile.ZipFile(exported["keras"]) as file:
        config = json.loads(file.read("config.json"))
    layers = config["config"]["layers"]
    assert len(layers) > 10
    assert all(layer["module"].startswith("keras") and not layer["registered_name"] for layer in layers)
    assert "mta>" not in json.dumps(config)
    assert not {"GradientReversal", "Lambda"} & {layer["class_name"] for layer in layers}


def test_the_saved_model_names_its_input_and_outputs(exported, truth):
    import tensorflow as tf

    signature = tf.saved_model.load(str(exported["saved_model"])).signatures["serving_default"]
    ((image, spec),) = signature.structured_input_signature[1].items()
    assert (image, spec.dtype, spec.shape.as_list()) == ("image", tf.uint8, [None, 32, 32, 3])
    assert set(signature.structured_outputs) == NAMES
    assert signature(image=tf.constant(truth[0][:1]))["tumor"].shape == (1, 1)


@pytest.mark.skipif(
    not all(map(find_spec, ("onnx", "tf2onnx", "onnxruntime"))), reason="needs onnx, tf2onnx and onnxruntime"
)
def test_onnx_answers_as_the_run_does(run, truth, tmp_path):
    import onnxruntime

    path = export(run, "onnx", tmp_path / "net.onnx", quiet=True)
    session = onnxruntime.InferenceSession(str(path))
    (image,) = session.get_inputs()
    assert (image.name, image.type, image.shape[1:]) == ("image", "tensor(uint8)", [32, 32, 3])
    names = [output.name for output in session.get_outputs()]
    require_as_predicted(dict(zip(names, session.run(names, {"image": truth[0]}), strict=True)), truth[1])
    assert "tf2onnx" in (tmp_path / "net.onnx.md").read_text()


def test_without_the_onnx_libraries_one_line_says_what_to_install(run, monkeypatch, capsys):
    monkeypatch.setattr(formats, "find_spec", lambda name: None)
    with pytest.raises(SystemExit) as stop:
        main([str(run), "--to", "onnx"])
    message = capsys.readouterr().err
    assert stop.value.code == 2
    assert "pip install onnx tf2onnx onnxruntime" in message
    assert message.count("\n") == 1
    assert not (run / "export").exists()


def test_other_backends_are_told_where_they_cannot_export(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    formats.require_support("keras")
    with pytest.raises(InputError, match="TensorFlow, not jax"):
        formats.require_support("saved_model")


def test_an_onnx_file_that_cannot_be_read_back_is_called_unchecked(run, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(formats, "require_support", lambda kind: None)
    monkeypatch.setattr(formats, "write_model", lambda model, kind, path: path.write_bytes(b"onnx"))
    monkeypatch.setattr(formats, "find_spec", lambda name: None)
    monkeypatch.setattr("mta.card.LIBRARIES", {})
    path = export(run, "onnx", tmp_path / "net.onnx")
    assert "not checked" in capsys.readouterr().err
    assert "not checked" in (tmp_path / "net.onnx.md").read_text()
    assert path.read_bytes() == b"onnx"


# The network


def test_a_baseline_has_no_domain_and_no_concepts():
    spec = ModelSpec(concepts=(), domains=0, backbone="SmallCNN", weights=None, trainable="all", size=32)
    model = build_model(spec)
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    outputs = serving_model(model, Coding({})).predict(images, verbose=0)
    expected = model.predict(images, verbose=0)["tumor"]
    assert set(outputs) == {"tumor", "tumor_probability"}
    np.testing.assert_array_equal(outputs["tumor"], expected)
    np.testing.assert_allclose(outputs["tumor_probability"], 1 / (1 + np.exp(-expected)), rtol=1e-5)


def test_a_concept_may_not_be_called_like_the_added_output():
    spec = ModelSpec(concepts=("tumor_probability",), domains=0, backbone="SmallCNN", weights=None, trainable="all")
    with pytest.raises(InputError, match="tumor_probability"):
        serving_model(build_model(dataclasses.replace(spec, size=32, dense=(8,))), Coding({}))


@pytest.mark.parametrize(
    "backbone",
    ["VGG16", *(pytest.param(name, marks=pytest.mark.slow) for name in ("MobileNetV3Small", "EfficientNetB0"))],
)
def test_bytes_mean_the_same_as_numbers_to_every_kind_of_preprocessing(backbone):
    spec = ModelSpec(domains=0, backbone=backbone, weights=None, trainable="none", size=32, dense=(4,))
    model = build_model(spec)
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    served = serving_model(model, Coding({}))(images)["tumor"]
    np.testing.assert_allclose(served, model(images.astype("float32"))["tumor"], rtol=1e-5, atol=1e-6)


# The check


def test_differences_are_relative_to_the_scale_of_each_output():
    coding = Coding({"narea": Scale(300.0, 50.0, "px")})
    expected = {"tumor": np.array([[4.0], [-2.0]]), "domain": np.full((2, 2), 0.5), "narea": np.full((2, 1), 310.0)}
    found = {name: values.copy() for name, values in expected.items()}
    found["tumor"][0] += 0.2
    found["domain"][1, 0] -= 0.1
    found["narea"][1] += 5.0
    assert differences(expected, found, coding) == pytest.approx({"tumor": 0.05, "domain": 0.1, "narea": 0.1})


def test_a_concept_far_from_zero_may_be_rounded_to_float32():
    coding = Coding({"year": Scale(2.0e6, 0.1)})
    expected = {"year": np.full((1, 1), 2.0e6 + 0.04)}
    require_equal(differences(expected, {"year": expected["year"].astype("float32")}, coding))
    with pytest.raises(InputError, match="output year"):
        require_equal(differences(expected, {"year": expected["year"] + 1}, coding))


@pytest.mark.parametrize("value", [1.1e-4, float("nan"), float("inf")])
def test_what_differs_is_refused(value):
    require_equal({"tumor": 1e-4})
    with pytest.raises(InputError, match="output tumor by"):
        require_equal({"tumor": value})


def test_missing_outputs_are_refused():
    with pytest.raises(InputError, match="nothing was kept"):
        differences({"tumor": np.zeros((1, 1))}, {"output_0": np.zeros((1, 1))}, Coding({}))


def test_the_sample_is_the_first_test_rows_normalized(trained, truth):
    sample = draw_sample(trained)
    np.testing.assert_array_equal(sample.values, truth[0][:16])
    assert "internal_test" in sample.source
    assert set(sample.rows["role"]) == {"train", "validation", "internal_test"}


def copied(trained, tmp_path, **files):
    """`trained` with a folder of its own, some files replaced."""
    from mta.run_folder import RunFolder

    for name in ("split.csv", "run.json", "stain.json"):
        (tmp_path / name).write_bytes(trained.folder.file(name).read_bytes())
    return dataclasses.replace(trained, folder=RunFolder(tmp_path), **files)


def test_without_test_rows_validation_serves(trained, tmp_path):
    mine = copied(trained, tmp_path)
    rows = tiny_rows()
    write_split(tmp_path / "split.csv", rows, rows["role"].replace("internal_test", "").to_numpy(str))
    assert "validation" in draw_sample(mine).source


def test_without_the_store_random_patches_serve_and_the_card_says_so(trained, tmp_path, capsys):
    config = dataclasses.replace(trained.config, store=str(tmp_path / "gone.h5"))
    mine = copied(trained, tmp_path, config=config)
    sample = draw_sample(mine)
    assert sample.values.shape == (16, 32, 32, 3)
    assert sample.values.std() > 50
    assert sample.source.startswith("random patches")
    assert "gone.h5" in capsys.readouterr().err
    card = model_card(mine, "keras", "best", "net.keras", sample.rows, Check(sample.source, 16, {"tumor": 0.0}))
    assert "Fed with 16 random patches, since the run's store was not at hand" in card
    assert "| train | 24 | 4 | 0, 1 |\n" in card  # labels are in the store alone


def test_a_store_that_changed_is_as_good_as_gone(trained, tmp_path, capsys):
    store = tiny_store(tmp_path / "other.h5", pixels=tiny_pixels(tiny_rows(), seed=3))
    mine = copied(trained, tmp_path, config=dataclasses.replace(trained.config, store=str(store)))
    assert draw_sample(mine).source.startswith("random patches")
    assert "other.h5: changed since" in capsys.readouterr().err


# Whole or not at all


def test_a_file_that_answers_otherwise_is_not_kept(run, exported, tmp_path, monkeypatch):
    good, kept = formats.answers, exported["saved_model"]
    before = {path: path.read_bytes() for path in kept.rglob("*") if path.is_file()}
    monkeypatch.setattr(
        formats, "answers", lambda *given: {name: values * 1.01 for name, values in good(*given).items()}
    )
    with pytest.raises(InputError, match="differs from the model"):
        export(run, "saved_model", kept, overwrite=True, quiet=True)
    with pytest.raises(InputError, match="differs from the model"):
        export(run, "keras", tmp_path / "new.keras", quiet=True)
    assert {path: path.read_bytes() for path in kept.rglob("*") if path.is_file()} == before
    assert not list(tmp_path.iterdir())
    assert not list(kept.parent.glob(".*"))


@pytest.mark.parametrize("kind", ["keras", "saved_model"])
def test_a_full_disk_leaves_nothing(run, tmp_path, kind):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(InputError, match="could not be written"):
            export(run, kind, tmp_path / f"net{'.keras' if kind == 'keras' else ''}", quiet=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_staging_moves_everything_or_nothing(tmp_path):
    path = tmp_path / "deep" / "net.keras"
    with staged(path) as draft:
        draft.write_text("net")
        draft.with_name("net.keras.md").write_text("card")
        assert not path.exists()
    assert sorted(file.name for file in path.parent.iterdir()) == ["net.keras", "net.keras.md"]
    with pytest.raises(RuntimeError), staged(path) as draft:
        draft.write_text("half")
        raise RuntimeError
    assert path.read_text() == "net"
    assert len(list(path.parent.iterdir())) == 2


def test_a_folder_comes_back_when_its_successor_cannot_take_its_place(tmp_path, monkeypatch):
    path = tmp_path / "net"
    path.mkdir()
    (path / "old").touch()
    real = os.replace

    def failing(source, target):
        if Path(source).name == "net" and Path(target) == path:
            raise PermissionError(13, "Permission denied")
        real(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(InputError, match="not writable"), staged(path) as draft:
        draft.mkdir()
    assert [file.name for file in path.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [path]


def test_destinations(tmp_path):
    assert destination(tmp_path, "keras", None, False) == tmp_path / "export" / "model.keras"
    assert destination(tmp_path, "onnx", None, False) == tmp_path / "export" / "model.onnx"
    assert destination(tmp_path, "saved_model", None, False) == tmp_path / "export" / "saved_model"
    with pytest.raises(InputError, match=r"must end in \.keras"):
        destination(tmp_path, "keras", tmp_path / "net.h5", False)
    with pytest.raises(InputError, match="no export to 'pickle'"):
        destination(tmp_path, "pickle", None, False)


def test_only_an_export_of_the_same_kind_is_overwritten(tmp_path):
    file, folder = tmp_path / "net.keras", tmp_path / "net"
    file.touch()
    folder.mkdir()
    with pytest.raises(InputError, match="--overwrite"):
        destination(tmp_path, "keras", file, False)
    assert destination(tmp_path, "keras", file, True) == file
    for kind, path in (("saved_model", folder), ("saved_model", file)):
        with pytest.raises(InputError, match=f"no {kind} export"):
            destination(tmp_path, kind, path, True)
    (folder / "saved_model.pb").touch()
    assert destination(tmp_path, "saved_model", folder, True) == folder


# The card and the stain file


def test_the_stain_file_lies_with_the_export(exported, trained):
    for path in exported.values():
        stain = Reinhard.load(companions(path)[1])
        np.testing.assert_array_equal(stain.means, trained.normalizer.means)


def test_the_card_tells_what_went_in_and_what_comes_out(exported, run):
    card = companions(exported["saved_model"])[0].read_text()
    header = yaml.safe_load(card.split("---\n")[1])
    assert header["license"] == "other"
    assert header["library_name"] == "tensorflow"
    assert "research-only" in header["tags"]
    tumor = json.loads((run / "metrics.json").read_text())["internal_test"]["tumor"]
    low, high = tumor["auc_interval"]
    scale = json.loads((run / "labels.json").read_text())["concepts"]["narea"]
    for text in (
        "For research only. Not a medical device",
        "(n, 32, 32, 3) `uint8`, RGB",
        f"in px; scaled in training by mean {scale['mean']:.4g}",
        "| train | 24 | 4 | 0, 1 | 12 | 12 | 0 |",
        f"| internal_test | {tumor['auc']:.3f} [{low:.3f}, {high:.3f}]",
        "| seed | 1001 |",
        "| preset, profile | mta, paper |",
        "| backbone | SmallCNN, trainable all |",
        "patches of the run's own store (internal_test)",
        "CC BY-NC-SA 4.0",
        f"| keras | {keras.__version__} | {keras.__version__} |",
    ):
        assert text in card
    assert str(run.parent) not in card


@pytest.mark.parametrize("kind", ["keras", "saved_model"])
def test_the_code_in_the_card_runs(exported, trained, truth, kind, monkeypatch):
    path = exported[kind]
    code = companions(path)[0].read_text().split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(path.parent)
    with open_patches(trained.config.store) as patches:
        known = {"patches": patches.take(truth[1]["row"].to_numpy())}
    exec(code, known)  # noqa: S102 (our own text)
    np.testing.assert_allclose(np.asarray(known["probability"])[:, 0], truth[1]["probability"], rtol=1e-4)


def test_the_card_of_other_runs(trained, tmp_path, monkeypatch):
    monkeypatch.setattr("mta.card.LIBRARIES", {})  # their versions are asked for only where they are
    config = dataclasses.replace(trained.config, profile="original", stain="none", allow_leak=True)
    mine = copied(trained, tmp_path, config=config, normalizer=None)
    card = model_card(mine, "onnx", "last", "net.onnx", tiny_rows(), Check("noise", 1, {"tumor": 2e-5}))
    assert "**BGR**" in card
    assert "`uint8`, RGB" not in card
    assert "without stain normalization" in card
    assert "Reinhard" not in card
    assert "too good" in card
    assert "| leaks let pass | 0 (" in card
    assert "Not evaluated" in card
    assert "| `tumor` | 2.0e-05 |" in card
    assert 'model.run(names, {"image": patches})' in card


def test_no_stain_file_of_an_earlier_export_stays(run, tmp_path, monkeypatch):
    path = tmp_path / "net.keras"
    companions(path)[1].write_text("{}")
    real = load_run(run)
    monkeypatch.setattr("mta.trained.load_run", lambda *given: dataclasses.replace(real, normalizer=None))
    export(run, "keras", path, quiet=True)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["net.keras", "net.keras.md"]


def test_tables_count_and_escape():
    rows = tiny_rows().assign(centre="", patient="")
    assert counts(rows).splitlines()[2] == "| train | 24 | 4 | unknown | 12 | 12 | 0 |"
    assert markdown_table(["a"], [["b|c"]]) == "| a |\n| --- |\n| b\\|c |"


@pytest.mark.parametrize(
    ("mpp", "said"), [(np.nan, "does not say"), (0.25, "0.25 µm a pixel"), ([0.25, 0.5] * 24, "0.25 to 0.5 µm")]
)
def test_resolution_is_told_where_it_is_known(mpp, said):
    assert said in resolution(tiny_rows().assign(mpp=mpp))
    assert "does not say" in resolution(pd.DataFrame({"role": ["train"]}))


# The command


def test_the_command_writes_into_the_run_and_names_what_it_wrote(run, capsys):
    main([str(run), "--to", "keras", "--model", "last"])
    path = run / "export" / "model.keras"
    assert f"{path}: answers like the run's own model on 12 patches" in capsys.readouterr().out
    assert "model `last`" in companions(path)[0].read_text()
    with pytest.raises(SystemExit) as stop:
        main([str(run), "--to", "keras"])
    assert stop.value.code == 2
    assert "--overwrite" in capsys.readouterr().err
    main([str(run), "--to", "keras", "--overwrite", "--quiet"])
    assert "model `best`" in companions(path)[0].read_text()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("words", "said"), [([], "required"), (["nowhere"], "is nowhere the folder of")])
def test_bad_command_lines_exit_with_2(words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
