"""The example that gives PanNuke patches the stains of five centres."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from data_prep.splits import check_leaks, read_split
from data_prep.stain.lab import statistics
from data_prep.store import open_concepts, open_patches

PATCHES, SIDE = 40, 64


def load():
    path = Path(__file__).resolve().parents[1] / "examples" / "recolor.py"
    spec = importlib.util.spec_from_file_location("recolor", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """40 patches of noise and two thumbnails a centre, whose color says the centre, recolored."""
    folder = tmp_path_factory.mktemp("recolor")
    rng = np.random.default_rng(0)
    for part in ("pannuke/images", "centres/centres"):
        (folder / part).mkdir(parents=True)
    labels = pd.DataFrame({"name": [f"a{number:02d}" for number in range(PATCHES)]})
    labels["label"] = np.where(np.arange(PATCHES) % 2, "tumour", "non_tumour")
    labels.loc[0, "label"] = "unknown"
    labels["n_components"], labels["mean_area_px"] = np.arange(PATCHES), 160.0
    labels.to_csv(folder / "pannuke" / "labels.csv", index=False)
    for name in labels["name"]:
        pixels = rng.integers(60, 220, (SIDE, SIDE, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "pannuke" / "images" / f"{name}.jpg", quality=95)
    table = pd.DataFrame({"file": [f"c{n}.png" for n in range(11)], "centre": [*(n // 2 for n in range(10)), 1]})
    table["note"] = np.where(np.arange(11) == 10, "black frame", "")
    table.to_csv(folder / "centres" / "centres.csv", index=False)
    for file, centre in zip(table["file"], table["centre"], strict=True):
        pixels = np.clip(rng.normal(150 + np.array([15, -10, 5]) * centre, 12, (20, 20, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels * (file != "c10.png")).save(folder / "centres" / "centres" / file)
    load().recolor(folder / "pannuke", folder / "centres", folder / "out", size=32)
    return folder / "out"


def test_both_stores_have_the_same_rows_and_the_class_goes_with_the_centre_in_training_alone(made):
    with open_patches(made / "recolored.h5") as recolored, open_patches(made / "plain.h5") as plain:
        pd.testing.assert_frame_equal(recolored.rows, plain.rows)
        assert (recolored.read(0, len(recolored)) != plain.read(0, len(plain))).any(axis=(1, 2, 3)).all()
        rows = recolored.rows
    each = len(rows) // 3
    assert each == PATCHES - 1
    training = rows.iloc[:each]
    assert (
        training[training["centre"] == "0"]["label"].mean() < 0.5 < training[training["centre"] == "1"]["label"].mean()
    )
    assert set(rows["centre"].iloc[each : 2 * each]) <= set("0123")
    assert set(rows["centre"].iloc[2 * each :]) == {"4"}
    assert set(rows["mpp"]) == {2.0}
    concepts = open_concepts(made / "recolored.h5")
    assert concepts["ncount"].iloc[0] == concepts["ncount"].iloc[each] == 1
    assert concepts["narea_um2"].iloc[1] == 10


def test_a_patch_has_the_stain_of_its_centre(made):
    with open_patches(made / "recolored.h5") as patches:
        means, _ = statistics(patches.read(0, len(patches)))
        centre = patches.rows["centre"].to_numpy(int)
    lightness = [means[centre == c, 1].mean() for c in range(5)]
    assert lightness == sorted(lightness)


def test_each_patch_is_tested_in_one_fold_and_trains_in_the_others(made):
    with open_patches(made / "recolored.h5") as patches:
        rows = patches.rows
    tested = []
    for number in range(5):
        roles = read_split(made / f"fold-{number}.csv", rows)
        assert check_leaks(rows, np.where(roles == "internal_test", "external_test", roles)) == []
        inside, outside = (rows["patient"][roles == role] for role in ("internal_test", "external_test"))
        assert set(inside) == set(outside)
        assert {"train", "validation"} <= set(roles)
        tested += list(outside)
    assert sorted(tested) == sorted(set(rows["patient"]))
