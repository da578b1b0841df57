"""Two runs that ought to be one and the same."""

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from mta.run_folder import RunFolder

MODELS = ("best", "best_phase1", "last")


def weights(run: Path, name: str) -> list[np.ndarray]:
    return RunFolder(run).load_model(name).get_weights()


def history(run: Path) -> pd.DataFrame:
    return pd.read_csv(run / "history.csv").drop(columns="seconds")


def assert_same_run(run: Path, other: Path) -> None:
    """The same files, the same weights bit for bit, the same history but for seconds; nothing half-written left."""
    names = sorted(path.name for path in other.iterdir() if path.suffix in (".keras", ".json", ".csv"))
    assert sorted(path.name for path in run.iterdir() if path.suffix in (".keras", ".json", ".csv")) == names
    for name in MODELS:
        if (other / f"{name}.keras").exists():
            assert zipfile.is_zipfile(run / f"{name}.keras")
            for mine, theirs in zip(weights(run, name), weights(other, name), strict=True):
                np.testing.assert_array_equal(mine, theirs, err_msg=name)
    pd.testing.assert_frame_equal(history(run), history(other), check_exact=True)
    for name in [name for name in ("labels.json", "stain.json", "split.csv") if name in names]:
        assert (run / name).read_bytes() == (other / name).read_bytes()
    assert not [path for path in run.rglob(".*")]
