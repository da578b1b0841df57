import json
import subprocess
import sys
from importlib import metadata

import pytest

from mta import doctor as module
from mta.doctor import doctor, examine, main


@pytest.fixture
def quick(monkeypatch, tmp_path):
    """No TensorFlow import, an empty Keras cache and a folder of our own."""
    monkeypatch.setattr(module, "_as_seen_by_keras", lambda: {"backend": "tensorflow", "gpus": ["/GPU:0"]})
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.chdir(tmp_path)
    return monkeypatch


def test_a_sound_machine_is_ready_and_says_so(quick, capsys):
    report = doctor()
    assert report["ready"]
    assert report["problems"] == []
    assert report["versions"]["keras"] == metadata.version("keras")
    assert report["versions"]["numpy"] == metadata.version("numpy")
    assert "pytest" not in report["versions"]  # extras are not required
    assert report["devices"]["cpus"] >= 1
    assert report["devices"]["memory_gib"] > 0
    output = capsys.readouterr().out
    assert output.rstrip().endswith("ready to train")
    assert "/GPU:0" in output


def test_json_is_the_report(quick, capsys):
    disk = module.shutil.disk_usage(".")
    quick.setattr(module.shutil, "disk_usage", lambda path: disk)  # other tests fill the disk meanwhile
    main(["--json"])
    assert json.loads(capsys.readouterr().out) == examine()


def test_devices_are_what_keras_and_tensorflow_say():
    import keras

    assert module._as_seen_by_keras()["backend"] == keras.backend.backend()


def test_weights_missing_damaged_and_found(quick, tmp_path):
    assert module._weights()["state"] == "missing"
    assert any("--weights FILE" in line and "docs/data.md" in line for line in examine()["advice"])
    path = tmp_path / "keras" / "models" / module.WEIGHTS
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half a file")
    assert module._weights()["state"] == "damaged"
    path.write_bytes(b"")
    quick.setattr(module, "WEIGHTS_MD5", "d41d8cd98f00b204e9800998ecf8427e")  # of nothing
    assert module._weights()["state"] == "found"
    assert not any("ImageNet" in line for line in examine()["advice"])


def test_the_weights_file_is_the_one_keras_asks_for():
    import inspect

    import keras

    source = inspect.getsource(inspect.unwrap(keras.applications.InceptionV3))
    assert module.WEIGHTS in source
    assert module.WEIGHTS_MD5 in source


@pytest.mark.parametrize(
    ("requirement", "problem"),
    [
        ("numpy>=1.0", ""),
        ("numpy>=999", 'is not >=999: pip install "numpy>=999"'),
        ("no-such-package-here>=2", 'is missing: pip install "no-such-package-here>=2"'),
    ],
)
def test_requirements_are_compared_with_what_is_installed(requirement, problem):
    assert module._check(requirement)[2].endswith(problem)
    assert module._check(f'{requirement}; extra == "dev"') is None


def test_problems_stop_and_are_told_with_the_remedy(quick, capsys):
    quick.setattr(module.metadata, "requires", lambda name: ["keras>=999", "absent-library"])
    quick.setattr(module, "_folder", lambda: {"path": "/here", "writable": False})

    def broken():
        raise ImportError("libcudart.so:\n not found")

    quick.setattr(module, "_as_seen_by_keras", broken)
    with pytest.raises(SystemExit) as stop:
        main([])
    assert stop.value.code == 1
    output = capsys.readouterr().out
    assert "PROBLEM  absent-library is missing: pip install" in output
    assert "PROBLEM  TensorFlow or Keras does not start (libcudart.so: not found)" in output
    assert "PROBLEM  /here is not writable" in output
    assert "NOT ready to train" in output


def test_not_installed_is_a_problem(quick):
    def absent(name):
        raise metadata.PackageNotFoundError(name)

    quick.setattr(module.metadata, "requires", absent)
    assert "mta itself is not installed" in examine()["problems"][0]


def test_optional_libraries_and_gpu_are_advised(quick):
    quick.setattr(module, "_as_seen_by_keras", lambda: {"backend": "tensorflow", "gpus": []})
    quick.setattr(module, "find_spec", lambda name: None)
    quick.setattr(module.shutil, "which", lambda name: "/usr/bin/nvidia-smi")
    report = examine()
    assert report["ready"]
    assert set(report["optional"].values()) == {None}
    assert 'pip install "tensorflow[and-cuda]"' in " ".join(report["advice"])
    assert report["advice"].count("for export to ONNX: pip install onnx tf2onnx onnxruntime") == 1


def test_folder_check_leaves_nothing_and_sees_a_refusal(quick, tmp_path):
    assert module._folder() == {"path": str(tmp_path), "writable": True}
    assert list(tmp_path.iterdir()) == []

    def refuse(**place):
        raise PermissionError

    quick.setattr(module.tempfile, "TemporaryFile", refuse)
    assert not module._folder()["writable"]


def test_help_loads_nothing_heavy():
    check = (
        "import sys\nfrom mta.doctor import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "assert not {'tensorflow', 'keras', 'pandas', 'numpy'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--json" in done.stdout
