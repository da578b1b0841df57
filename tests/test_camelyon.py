"""The paper's network on real Camelyon patches, in the layout that the authors published, by the command itself."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from data_prep.store import open_patches


@pytest.fixture(scope="module")
def camelyon(shared, tmp_path_factory):
    """The two published files under names, a split in the original's format, and a table of made-up concepts.

    The published split and concept files name other patches than the published patch files hold.
    """
    folder = tmp_path_factory.mktemp("camelyon")
    files = {"cam16": "cam16_patches.hdf5", "cam17": "cam17_patches.hdf5"}
    store = ",".join(f"{name}={shared / 'data' / 'camelyon' / file}" for name, file in files.items())
    with open_patches(store) as patches:
        rows = patches.rows
    # Patients 010 and 030 hold the same pixels, so only their names are disjoint: enough to see the path work.
    split = np.where(rows["centre"] == "1", "validation", "train")
    address = rows[["source", "entry", "patch_no"]]
    lines = [
        ", ".join([*map(str, line), role]) for line, role in zip(address.itertuples(index=False), split, strict=True)
    ]
    (folder / "split.csv").write_text("\n".join(lines) + "\n")
    generator = np.random.default_rng(0)
    concepts = address.assign(ncount=generator.integers(5, 60, len(rows)), narea=generator.normal(300, 60, len(rows)))
    concepts.loc[3, "narea"] = np.nan
    concepts.to_csv(folder / "concepts.csv", index=False)
    return folder, store


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["paper", "original"])
def test_one_epoch_a_phase_without_any_conversion_by_hand(camelyon, profile):
    folder, store = camelyon
    run = folder / profile
    command = [sys.executable, "-m", "mta.train", store, "--out", str(run), "--profile", profile, "--quiet"]
    command += ["--split", str(folder / "split.csv"), "--concept-file", str(folder / "concepts.csv")]
    command += ["--weights", "none", "--epochs", "1", "1", "--batch-size", "8"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    history = pd.read_csv(run / "history.csv")
    assert history["strength"].tolist() == [0, 1]
    # The penalty starts near 32, as the authors' logs show (B-07).
    assert history["penalty"].iloc[0] == pytest.approx(32, abs=0.5)
    assert np.isfinite(history[["loss", "val_loss", "val_auc"]]).all(axis=None)
    centres = json.loads((run / "labels.json").read_text())["centres"]
    assert centres == (["0", "5"] if profile == "paper" else list("0123456"))
    assert json.loads((run / "run.json").read_text())["patches"] == {"train": 20, "validation": 10}
    assert (run / "best.keras").stat().st_size > 100e6
