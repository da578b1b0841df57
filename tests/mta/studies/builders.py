"""Studies without training: a plan on a tiny store, and run folders that hold made-up predictions."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from tests.builders import TINY, tiny_rows, tiny_store

ROWS = {"plain": {"preset": "baseline"}, "mta": {"preset": "mta"}, "noise": {"preset": "random-concept"}}
SETTINGS = {name: list(value) if isinstance(value, tuple) else value for name, value in TINY.items()}


def study_rows() -> pd.DataFrame:
    """The rows of the tiny store with four more patients of a third centre, for the external test."""
    rows = tiny_rows()
    outside = rows.iloc[-24:].copy()
    for name in ("entry", "patient", "slide"):
        outside[name] = outside[name] + "x"
    outside["patient"] = outside["patient"] + (np.arange(24) // 6).astype(str)
    return pd.concat([rows, outside.assign(centre="2", role="external_test")], ignore_index=True)


def write_plan(folder: Path, **changed) -> Path:
    """A study file in `folder`, on a store beside it that is made where it is absent; None leaves a key out."""
    store = folder / "tiny.h5"
    if not store.exists():
        tiny_store(store, study_rows())
    values = {
        "data": str(store),
        "settings": SETTINGS,
        "rows": ROWS,
        "baseline": "plain",
        "control": "noise",
        "seeds": [1, 2, 3],
        "model": "last",
        **changed,
    }
    kept = {name: value for name, value in values.items() if value is not None}
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(kept, sort_keys=False))
    return path


def predictions(gain: float = 1.0, seed: int = 0, domain: str = "") -> pd.DataFrame:
    """48 test rows of eight patients, half internal (centres 0 and 1) and half external (centre 2).

    `gain` is how far apart the classes are in units of the noise; `domain`: what the domain head always says.
    """
    number = np.arange(48)
    patient, internal = number // 6, number < 24
    label = number % 2
    noise = np.random.default_rng(seed).normal(size=48)
    table = pd.DataFrame({"row": number, "patient": [f"p{p}" for p in patient], "slide": [f"s{p}" for p in patient]})
    table["centre"] = np.where(internal, (patient % 2).astype(str), "2")
    table["role"] = np.where(internal, "internal_test", "external_test")
    logit = gain * (2 * label - 1) + noise
    table = table.assign(label=label, logit=logit, probability=1 / (1 + np.exp(-logit)), domain=domain)
    return table.assign(ncount=20 + noise, ncount_true=20 + noise + np.random.default_rng(seed + 99).normal(size=48))


def write_run(folder: Path, table: pd.DataFrame, centres: tuple[str, ...] = (), model: str = "last") -> None:
    """What a study reads of a finished and measured run."""
    folder.mkdir(parents=True)
    table.to_csv(folder / "predictions.csv", index=False)
    (folder / "labels.json").write_text(json.dumps({"concepts": {}, "centres": list(centres)}))
    (folder / "evaluation.json").write_text(json.dumps({"model": model}))


def write_runs(folder: Path, gains: dict[str, float], seeds=(1, 2, 3)) -> None:
    """A run for each row of `gains` and each seed; that named mta has a domain head that says "0"."""
    for row, gain in gains.items():
        for seed in seeds:
            adversarial = row == "mta"
            table = predictions(gain, seed, "0" if adversarial else "")
            write_run(folder / "runs" / row / str(seed), table, ("0", "1") if adversarial else ())
