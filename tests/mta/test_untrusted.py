"""Files from untrusted hands: code in them is never run, and the command ends in one line."""

import json
import pickle
import re
import shutil
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from data_prep.errors import InputError
from data_prep.nuclei import make_segmenter
from data_prep.splits import read_split
from data_prep.stain import load_normalizer
from data_prep.store import make_rows
from mta.data.coding import coding_from_json
from mta.export import main as export
from mta.exporting.header import read_header
from mta.predict import main as predict
from mta.run_folder import RunFolder
from mta.settings import read_yaml
from mta.training.state import load_progress


@pytest.fixture
def sentinel(tmp_path):
    """A file that exists only where code of a file was run."""
    yield tmp_path / "sentinel"
    assert not (tmp_path / "sentinel").exists()


class Bomb:
    """Makes the file at `path` when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("name", ["../../evil", "a/b", "row", "logit"])
def test_a_concept_is_no_path_and_no_column(name):
    with pytest.raises(InputError, match=r"labels\.json is damaged .*choose a plain word"):
        coding_from_json({"concepts": {name: {"mean": 0.0, "std": 1.0}}, "centres": []})


def test_concepts_of_a_card_are_no_paths(tmp_path):
    facts = {"mpp": None, "stain": "none", "encoder": "", "channels": "rgb", "centres": [], "concepts": {"../evil": ""}}
    (tmp_path / "card.md").write_text(f"---\nmta: {json.dumps(facts)}\n---\n")
    with pytest.raises(InputError, match=r"card\.md: concept '\.\./evil': choose a plain word"):
        read_header(tmp_path / "card.md")


def test_the_bomb_works(tmp_path):
    pickle.loads(pickle.dumps(Bomb(tmp_path / "sentinel")))  # noqa: S301
    assert (tmp_path / "sentinel").exists()


def with_lambda(path, sentinel):
    """A model with a layer that makes the sentinel when it is called; as saved by Keras."""
    image, place = keras.Input((32, 32, 3), name="image", dtype="uint8"), str(sentinel)
    layer = keras.layers.Lambda(lambda x: (__import__("pathlib").Path(place).touch(), x)[1])
    keras.Model(image, {"tumor": keras.layers.Dense(1)(keras.layers.Flatten()(layer(image)))}).save(path)
    sentinel.unlink(missing_ok=True)


def with_config(config):
    """A model of which Keras is asked to make `config` instead."""

    def make(path, sentinel):
        keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(path)
        with zipfile.ZipFile(path) as old:
            parts = {name: old.read(name) for name in old.namelist()}
        parts["config.json"] = json.dumps(config(sentinel)).encode()
        with zipfile.ZipFile(path, "w") as new:
            for name, data in parts.items():
                new.writestr(name, data)

    return make


def call(module, name, *arguments, kind="class"):
    """A configuration that has `module.name` called with `arguments`, as older versions of Keras did."""
    function = {"module": module, "class_name": "function", "config": name, "registered_name": name}
    inner = {"name": "x", "function": function, "arguments": {}, "output_shape": list(arguments)}
    if kind == "class":
        return {"module": module, "class_name": name, "config": {"args": list(arguments)}, "registered_name": name}
    return {"module": "keras.layers", "class_name": "Lambda", "config": inner, "registered_name": None}


MODELS = {
    "lambda": with_lambda,
    "Popen": with_config(lambda sentinel: call("subprocess", "Popen", "touch", str(sentinel))),
    "system": with_config(lambda sentinel: call("os", "system", f"touch {sentinel}", kind="lambda")),
    "unsafe": with_config(lambda sentinel: call("keras.config", "enable_unsafe_deserialization")),
    "touch": with_config(lambda sentinel: call("pathlib", "Path.touch", str(sentinel))),
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_code_in_a_model_is_not_run(tmp_path, sentinel, make):
    make(tmp_path / "best.keras", sentinel)
    sentinel.unlink(missing_ok=True)
    with pytest.raises(InputError, match=r"best\.keras: damaged or no model of ours") as caught:
        RunFolder(tmp_path).load_model()
    assert "\n" not in str(caught.value)


def test_the_layer_would_run(tmp_path):
    with_lambda(tmp_path / "best.keras", tmp_path / "sentinel")
    keras.saving.load_model(tmp_path / "best.keras", safe_mode=False)
    assert (tmp_path / "sentinel").exists()


def test_commands_refuse_a_run_with_such_a_model(tiny_run, tiny_h5, tmp_path, sentinel, capsys):
    shutil.copytree(tiny_run, tmp_path / "run")
    with_lambda(tmp_path / "run" / "best.keras", sentinel)
    run = str(tmp_path / "run")
    for command, arguments in ((predict, [run, str(tiny_h5), "--out", f"{tmp_path}/p.csv"]), (export, [run])):
        with pytest.raises(SystemExit) as end:
            command([*arguments, "--quiet"])
        assert end.value.code == 2
        assert "best.keras: damaged or no model of ours" in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "p.csv").exists()
    assert not (tmp_path / "run" / "export").exists()


def test_a_pickle_in_a_state_is_not_read(tmp_path, sentinel, capsys):
    np.savez(tmp_path / "epoch-00001.npz", meta=np.array([Bomb(sentinel)], dtype=object), allow_pickle=True)
    assert load_progress(tmp_path) is None
    assert "epoch-00001.npz: damaged" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["0.npy", "0.npz"])
def test_a_pickle_among_masks_is_not_read(tmp_path, sentinel, name):
    bomb = np.array([Bomb(sentinel)], dtype=object)
    (np.savez if name.endswith("z") else np.save)(tmp_path / name, bomb, allow_pickle=True)
    (tmp_path / name).rename(tmp_path / "0.npy")
    rows = make_rows(1, {"entry": "0.png", "patch_no": 0})
    with pytest.raises(InputError):
        make_segmenter(f"masks:{tmp_path}")(np.zeros((1, 8, 8, 3), np.uint8), rows)


READERS = {
    "a.yaml": read_yaml,
    "a.json": load_normalizer,
    "split.csv": lambda path: read_split(str(path), make_rows(3)),
    "labels.json": lambda path: RunFolder(path.parent).read("labels.json"),
}


@pytest.mark.parametrize("name", READERS)
def test_pickles_and_tags_in_text_files_are_not_read(tmp_path, sentinel, name):
    tag = f"preset: !!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path [{sentinel}]]\n"
    for content in (pickle.dumps(Bomb(sentinel)), pickle.dumps(Bomb(sentinel), 0), tag.encode()):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=name) as caught:
            READERS[name](tmp_path / name)
        assert len(str(caught.value)) < 1000


def test_nothing_in_the_packages_unpickles_or_evaluates():
    """What the tests above try for some readers, for every module."""
    modules = r"^\s*(from|import) (pickle|marshal|shelve|joblib|dill)\b"
    risky = re.compile(modules + r"|allow_pickle=True|\byaml\.(unsafe_)?load\(")
    root = Path(__file__).parents[2]
    files = [path for package in ("mta", "data_prep") for path in (root / package).rglob("*.py")]
    assert len(files) > 200
    lines = [(path, line) for path in files for line in path.read_text(encoding="utf-8").splitlines()]
    assert not [(path, line) for path, line in lines if risky.search(line)]
