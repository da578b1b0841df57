"""Exports predict as their run does, with what lies beside them, or say what is missing."""

import shutil
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
import yaml

from data_prep.errors import InputError
from mta.export import export
from mta.exported import Exported, load_predictor
from mta.exporting.header import read_header
from mta.exporting.placing import companions
from mta.predict import main, predict
from mta.slides import predict_slides
from mta.trained import Trained

ONNX = pytest.param(
    "onnx", marks=pytest.mark.skipif(not all(map(find_spec, ("onnx", "tf2onnx", "onnxruntime"))), reason="needs ONNX")
)
NAMES = {"keras": "net.keras", "saved_model": "net", "onnx": "net.onnx"}


@pytest.fixture(scope="module")
def exports(scaled_run, tmp_path_factory):
    """Makes each export once: kind -> path."""
    folder, made = tmp_path_factory.mktemp("exports"), {}

    def make(kind):
        if kind not in made:
            made[kind] = export(scaled_run, kind, folder / NAMES[kind], quiet=True)
        return made[kind]

    return make


@pytest.mark.parametrize("kind", ["keras", "saved_model", ONNX])
def test_a_store_is_predicted_as_by_the_run(exports, scaled_run, tiny_h5, kind):
    expected, found = (predict(model, tiny_h5, quiet=True) for model in (scaled_run, exports(kind)))
    assert list(found) == list(expected)
    assert list(found["domain"]) == list(expected["domain"])
    for name in ("logit", "probability", "ncount", "narea"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-4)
        assert found[name].nunique() > 40


@pytest.mark.parametrize("kind", ["keras", "saved_model", ONNX])
def test_what_it_says_of_itself(exports, kind):
    path = exports(kind)
    predictor = load_predictor(path)
    assert isinstance(predictor, Exported)
    assert (predictor.path, predictor.side, predictor.mpp, predictor.stored_channels) == (path, 32, 0.5, False)
    assert {name: scale.unit for name, scale in predictor.coding.scales.items()} == {"ncount": "nuclei", "narea": "px"}
    assert predictor.coding.centres == ("0", "1")
    assert predictor.normalizer.method == "reinhard"
    assert not predictor.fitted_by_slide
    assert set(companions(path)) <= set(predictor.files)


def test_a_slide_is_predicted_as_by_the_run(exports, scaled_run, slide_path, tmp_path):
    tables = []
    for number, model in enumerate((scaled_run, exports("saved_model"))):
        predict_slides(model, [slide_path], tmp_path / str(number), quiet=True)
        tables.append(pd.read_csv(tmp_path / str(number) / "a" / "patches.csv"))
    assert list(tables[0]) == list(tables[1])
    for name in tables[0]:
        np.testing.assert_allclose(tables[0][name], tables[1][name], rtol=1e-4)


def test_a_run_folder_is_a_run(scaled_run):
    assert isinstance(load_predictor(scaled_run), Trained)
    assert load_predictor(scaled_run, "last").files[0].name == "last.keras"


@pytest.fixture
def copied(exports, tmp_path):
    shutil.copytree(exports("saved_model"), tmp_path / "net")
    return tmp_path / "net"


def refused(capsys, *words):
    with pytest.raises(SystemExit) as end:
        main([*map(str, words), "--quiet"])
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_what_is_missing_is_named(copied, slide_path, tiny_h5, tmp_path, capsys):
    out = ("--out", tmp_path / "out")
    assert "holds one model; leave out --model last" in refused(capsys, copied, tiny_h5, "--model", "last", *out)
    stain, card = copied / "stain.json", copied / "MODEL_CARD.md"
    kept = stain.read_text()
    stain.unlink()
    assert f"{stain}: not found, but the model takes patches normalized by reinhard" in refused(
        capsys, copied, slide_path, *out
    )
    stain.write_text(kept)
    text = card.read_text()
    for broken in ("", "---\nlicense: other\n---\n", "---\nmta: {mpp: far}\n---\n", "---\n[\n---\n"):
        card.write_text(broken)
        assert "its header does not say what the model takes" in refused(capsys, copied, slide_path, *out)
    card.unlink()
    assert f"{card}: not found; export the run again" in refused(capsys, copied, slide_path, *out)
    card.write_text(text.replace("mpp: 0.5", "mpp: null"))
    assert "does not say at how many micrometres" in refused(capsys, copied, slide_path, *out)
    assert not (tmp_path / "out").exists()


def test_files_that_are_no_exports(exports, tiny_run, tmp_path):
    with pytest.raises(InputError, match=r"none\.keras: no export"):
        load_predictor(tmp_path / "none.keras")
    with pytest.raises(InputError, match=r"best\.keras\.md: not found"):
        load_predictor(tiny_run / "best.keras")
    damaged = tmp_path / "net.keras"
    for path in (exports("keras"), *companions(exports("keras"))):
        shutil.copy(path, tmp_path)
    damaged.write_bytes(damaged.read_bytes()[:3000])
    with pytest.raises(InputError, match=r"net\.keras: damaged or no keras export"):
        load_predictor(damaged)


def test_the_header_holds_what_predicting_needs(exports):
    card = companions(exports("keras"))[0]
    assert read_header(card) == {
        "mpp": 0.5,
        "stain": "reinhard",
        "encoder": "",
        "channels": "rgb",
        "centres": ["0", "1"],
        "concepts": {"ncount": "nuclei", "narea": "px"},
    }
    assert yaml.safe_load(card.read_text().split("---\n")[1])["library_name"] == "keras"
