"""docs/data.md: its recipes run on made-up files, its weight files are those that Keras asks for."""

import re
from importlib.util import find_spec
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from data_prep.store import open_concepts, open_patches

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "data.md").read_text(encoding="utf-8")


def recipe(title: str) -> None:
    """Run the Python block below a title of docs/data.md in the current folder."""
    section = PAGE.split(f"### {title}\n")[1]
    exec(re.search(r"```python\n(.*?)```", section, re.DOTALL)[1], {})  # noqa: S102


def test_the_recipe_for_pcam(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number, part in enumerate(("train", "valid", "test")):
        stem = f"camelyonpatch_level_2_split_{part}"
        for name, values in {"x": np.full((3, 96, 96, 3), number, "uint8"), "y": np.array([0, 1, 1])}.items():
            with h5py.File(f"{stem}_{name}.h5", "w") as file:
                file[name] = values if name == "x" else values.reshape(3, 1, 1, 1)
        pd.DataFrame({"coord_y": 1, "coord_x": 2, "tumor_patch": True, "wsi": [f"{part}_{k}" for k in "aab"]}).to_csv(
            f"{stem}_meta.csv"
        )
    recipe("PCam")
    with open_patches("pcam.h5") as patches:
        rows = patches.rows
        assert rows["label"].tolist() == [0, 1, 1] * 3
        assert rows["slide"].tolist()[3:6] == ["valid_a", "valid_a", "valid_b"]
        assert rows["role"].unique().tolist() == ["train", "validation", "internal_test"]
        assert patches.read(0, 9)[:, 0, 0, 0].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_the_recipe_for_pannuke(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for fold in (1, 2, 3):
        masks = np.zeros((2, 256, 256, 6))
        masks[0, :4, :5, 0], masks[0, 10:14, :10, 0], masks[1, :2, :2, 4] = 1, 2, 7
        for name, values in {"images": np.full((2, 256, 256, 3), 200.0), "masks": masks}.items():
            (tmp_path / name / f"fold{fold}").mkdir(parents=True)
            np.save(tmp_path / name / f"fold{fold}" / f"{name}.npy", values)
    recipe("PanNuke")
    assert open_concepts("pannuke.h5")["ncount"].tolist() == [2, 1] * 3
    assert open_concepts("pannuke.h5")["narea"].tolist() == [30, 4] * 3
    with open_patches("pannuke.h5") as patches:
        assert patches.rows["label"].tolist() == [1, 0] * 3


def test_the_recipe_for_breakhis(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("SOB_M_DC-14-2523-200-005", "SOB_B_A-14-22549AB-200-001", "SOB_B_A-14-22549AB-400-001"):
        (tmp_path / "BreaKHis_v1" / name[4]).mkdir(parents=True, exist_ok=True)
        (tmp_path / "BreaKHis_v1" / name[4] / f"{name}.png").write_bytes(b"")
    recipe("BreakHis")
    table = pd.read_csv("breakhis.csv")
    assert table["label"].tolist() == ["benign", "malignant"]
    assert table["patient"].tolist() == ["14-22549AB", "14-2523"]


@pytest.mark.parametrize(
    ("module", "folder", "parts", "digest"),
    [
        ("inception_v3", "inception_v3/", ["inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"], "bcbd6486"),
        (
            "mobilenet_v2",
            "mobilenet_v2/",
            ["mobilenet_v2_weights_tf_dim_ordering_tf_kernels_", "1.0_224", "_no_top.h5"],
            "",
        ),
        ("resnet", "resnet/", ["resnet50", "_weights_tf_dim_ordering_tf_kernels_notop.h5"], "4d473c1d"),
    ],
)
def test_weight_files_are_the_ones_that_keras_asks_for(module, folder, parts, digest):
    """Read from Keras' source: to build the networks takes half a minute."""
    package = Path(find_spec("keras").origin).parent
    source = (package / "src" / "applications" / f"{module}.py").read_text(encoding="utf-8")
    fixed = [part for part in parts if part != "1.0_224"]  # alpha and size, put in when the network is built
    assert all(part in source for part in [*fixed, "keras-applications/", folder])
    assert f"| `{''.join(parts)}` |" in PAGE
    assert f"https://storage.googleapis.com/tensorflow/keras-applications/{folder}{''.join(parts)}\n" in PAGE
    assert not digest or re.search(rf"\b{digest}\w{{24}}\b", PAGE)[0] in source
