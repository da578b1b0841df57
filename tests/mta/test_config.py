"""How settings come together: defaults, preset, profile, YAML, flags."""

import dataclasses
import json
import subprocess
import sys
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.errors import InputError
from mta.config import PRESETS, PROFILES, Preset, Profile, TrainConfig, model_spec, to_json
from mta.settings import configure, read_yaml
from mta.train import parse

BOTH = ["store.h5", "--out", "run"]


def parsed(*flags):
    return parse([*BOTH, *flags])[0]


def test_defaults_are_the_papers():
    config = parsed()
    assert (config.preset, config.profile, config.concepts) == ("mta", "paper", ("ncount", "narea"))
    assert (config.optimizer, config.learning_rate, config.momentum, config.nesterov) == ("sgd", 1e-4, 0.9, True)
    assert (config.dense, config.dropout, config.l2) == ((2048, 512, 256), 0.8, 0.01)
    assert (config.epochs, config.batch_size, config.seed) == ((80, 20), 32, 1001)
    assert config == configure({"store": "store.h5", "out": "run"})


@pytest.mark.parametrize(
    ("preset", "concepts", "adversary", "weighting"),
    [
        ("baseline", (), "none", "original"),
        ("multitask", ("ncount", "narea"), "none", "original"),
        ("mta", ("ncount", "narea"), "centre", "original"),
        ("random-concept", ("random",), "none", "original"),
        ("fixed-weights", ("ncount", "narea"), "centre", "fixed"),
    ],
)
def test_presets(preset, concepts, adversary, weighting):
    config = parsed("--preset", preset)
    assert (config.concepts, config.adversary, config.weighting) == (concepts, adversary, weighting)


def test_profile_original_and_its_plain_baseline():
    config = parsed("--profile", "original")
    assert (config.monitor, config.class_weights, config.stain_reference) == ("total", "original", "first")
    assert config.nesterov
    assert not parsed("--profile", "original", "--preset", "baseline").nesterov


def test_augmentation_is_a_list_of_names():
    assert parsed().augment == parsed("--augment").augment == parsed("--augment", "none").augment == ()
    assert parsed("--augment", "flips", "hed").augment == ("flips", "hed")
    assert parsed("--profile", "original", "--augment", "flips").augment == ("flips",)


def test_every_named_preset_and_profile_is_defined():
    assert set(PRESETS) == set(get_args(Preset))
    assert set(PROFILES) == set(get_args(Profile))


def test_flags_win_over_yaml_and_yaml_over_preset_and_profile(tmp_path):
    path = tmp_path / "settings.yaml"
    path.write_text("preset: baseline\nprofile: original\nconcepts: [narea]\nbatch-size: 4\nepochs: [3, 2]\n")
    config = parsed("--config", str(path))
    assert (config.preset, config.concepts, config.adversary) == ("baseline", ("narea",), "none")
    assert (config.monitor, config.batch_size, config.epochs) == ("total", 4, (3, 2))
    config = parsed(
        f"--config={path}", "--batch-size", "8", "--preset", "mta", "--monitor", "task", "--epochs", "1", "1"
    )
    assert (config.preset, config.adversary, config.concepts) == ("mta", "centre", ("narea",))
    assert (config.batch_size, config.monitor, config.epochs) == (8, "task", (1, 1))


def test_store_and_out_may_stand_in_the_yaml_file(tmp_path):
    path = tmp_path / "settings.yaml"
    path.write_text("store: a.h5\nout: runs/a\n")
    config, options = parse(["--config", str(path), "--quiet"])
    assert (config.store, config.out) == ("a.h5", "runs/a")
    assert options == {"resume": False, "overwrite": False, "quiet": True}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("batchsize: 4", "unknown setting 'batchsize'; did you mean 'batch_size'?"),
        ("zzz: 4", "unknown setting 'zzz'"),
        ("batch_size: many", "setting batch_size is 'many'"),
        ("epochs: [1, 2, 3]", "setting epochs"),
        ("epochs: 5", "setting epochs is 5"),
        ("preset: mega", "setting preset is 'mega'"),
        ("concepts: ncount", "setting concepts is 'ncount'"),
        ("augment: flips", "setting augment is 'flips': write a list of some of flips, stain, hed and color"),
        ("augment: [turns]", "setting augment is ('turns',)"),
        ("color_ranges: [1, 2]", "write four numbers"),
        ("concept_file:", "setting concept_file is None"),
        ("learning_rate: 1e-4", "with a point even before an exponent"),
        ("- a", "holds no settings"),
        ("", "holds no settings"),
        ("a: [1, 2", "not readable as YAML"),
        ("seed: 2021-99-99", "not readable as YAML"),
        ("a: !!python/object/apply:os.getcwd []", "not readable as YAML"),
    ],
)
def test_bad_yaml_is_one_error_that_names_the_file(tmp_path, text, message):
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_yaml(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_missing_or_binary_yaml(tmp_path):
    with pytest.raises(InputError, match="not readable as YAML"):
        read_yaml(tmp_path / "absent.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not readable as YAML"):
        read_yaml(tmp_path / "binary.yaml")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"epochs": (0, 0)}, "epochs"),
        ({"epochs": (-1, 5)}, "epochs"),
        ({"batch_size": 0}, "batch_size"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"learning_rate": float("inf")}, "learning_rate"),
        ({"momentum": 1.0}, "momentum"),
        ({"patience": 0}, "patience"),
        ({"folds": 1}, "folds"),
        ({"fold": 0}, "fold must be below folds"),
        ({"folds": 3, "fold": 3}, "fold must be below folds"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**32}, "seed"),
        ({"augment": ("none", "flips")}, "none alone"),
        ({"augment": ("hed", "hed")}, "once each"),
        ({"augment": ("hed",), "profile": "original"}, "knows flips alone"),
        ({"balance": "class", "profile": "original"}, "knows no balance"),
        ({"stain_sigma": 1.0}, "stain_sigma"),
        ({"color_ranges": (0.1, 0.1, 0.1, 0.6)}, "color_ranges"),
        ({"concepts": ("tumor",)}, "tumor"),
        ({"concepts": ("ncount", "ncount")}, "twice"),
        ({"nesterov": "yes"}, "nesterov"),
        ({"learningrate": 1.0}, "did you mean 'learning_rate'"),
    ],
)
def test_values_out_of_range_are_refused(setting, message):
    with pytest.raises(InputError, match=message):
        configure(setting)


def test_wrong_flags_leave_with_status_2(capsys):
    for flags in (["--batchsize", "4"], ["--batch-size", "many"], ["--epochs", "3"]):
        with pytest.raises(SystemExit) as caught:
            parse([*BOTH, *flags])
        assert caught.value.code == 2
        assert flags[0] in capsys.readouterr().err


@pytest.mark.parametrize("name", ["preset", "profile"])
def test_unknown_preset_or_profile(name):
    with pytest.raises(InputError, match=f"setting {name} is 'mega'"):
        parse([*BOTH, f"--{name}", "mega"])


VALUES = {
    "preset": st.sampled_from(get_args(Preset)),
    "profile": st.sampled_from(get_args(Profile)),
    "concepts": st.lists(st.from_regex(r"c[a-z_0-9]{1,8}", fullmatch=True), max_size=3, unique=True),
    "epochs": st.tuples(st.integers(1, 99), st.integers(0, 99)),
    "dense": st.lists(st.integers(1, 999), max_size=3),
    "dropout": st.floats(0, 0.99),
    "learning_rate": st.floats(1e-9, 1e3),
    "nesterov": st.booleans(),
    "stain_reference": st.text(max_size=20),
    "external_centres": st.lists(st.text(max_size=3), max_size=3),
    "seed": st.integers(0, 2**32 - 1),
}


@settings(max_examples=60, deadline=None)
@given(values=st.fixed_dictionaries({}, optional=VALUES))
def test_config_json_round_trip(values):
    config = configure({"store": "a.h5", "out": "b", **values})
    again = configure(json.loads(json.dumps(to_json(config), allow_nan=False)))
    assert again == config
    for name, value in values.items():
        assert getattr(config, name) == (tuple(value) if isinstance(value, list) else value)


def test_model_spec_of_a_config():
    config = configure({"weights": "none", "cut": "mixed7", "concepts": ("a",), "dense": (4,), "dropout": 0.1})
    spec = model_spec(config, 3, (96, 96, 3))
    assert (spec.weights, spec.cut, spec.domains, spec.size) == (None, "mixed7", 3, 96)
    assert (spec.concepts, spec.dense, spec.dropout) == (("a",), (4,), 0.1)
    assert (spec.embedding, model_spec(configure({}), 0, (96, 96, 3)).cut) == (0, None)
    assert model_spec(configure({}), 0, (1024,)).embedding == 1024


def test_every_setting_is_documented():
    shown = subprocess.run(
        [sys.executable, "-m", "mta.train", "--help"], capture_output=True, text=True, check=True
    ).stdout
    for field in dataclasses.fields(TrainConfig):
        assert field.name == "store" or f"--{field.name.replace('_', '-')}" in shown


@pytest.mark.parametrize("command", ["train", "evaluate", "predict"])
@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_help_and_version_import_nothing_heavy(command, flag):
    code = (
        "import runpy, sys\n"
        f"sys.argv = ['mta.{command}', {flag!r}]\n"
        "try:\n"
        f"    runpy.run_module('mta.{command}', run_name='__main__')\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        "heavy = {'tensorflow', 'keras', 'pandas', 'h5py', 'cv2', 'matplotlib', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "mta" in result.stdout


def test_words_that_yaml_takes_for_truth_values_are_meant_as_words(tmp_path):
    path = tmp_path / "settings.yaml"
    path.write_text("standardize: off\njit: on\ncache: off\n")
    assert read_yaml(path) == {"standardize": "off", "jit": "on", "cache": "off"}
    path.write_text("cache: on\n")
    with pytest.raises(InputError, match="setting cache is True"):
        read_yaml(path)


@pytest.mark.parametrize(
    ("given", "standardize"),
    [
        ({}, True),
        ({"weights": "none"}, False),
        ({"weights": "none", "standardize": "on"}, True),
        ({"standardize": "off"}, False),
        ({"profile": "original"}, False),
    ],
    ids=str,
)
def test_trunks_that_begin_with_trained_weights_are_standardized(given, standardize):
    assert model_spec(configure(given), 2, (32, 32, 3)).standardize == standardize
