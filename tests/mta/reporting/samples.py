"""Run folders as training and evaluation leave them, made of numbers in a moment: no network is trained."""

import json
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from data_prep.splits import write_split
from data_prep.store import open_concepts, open_patches
from mta.config import TrainConfig, to_json
from mta.evaluation import auc
from mta.provenance import store_fingerprints
from mta.report import main
from tests.builders import tiny_rows, tiny_store

EVIL = "<script>alert('x')</script>&\"$\\frac$"
TASKS = ("tumor", "domain", "ncount", "narea")
RECORD = {
    "command": ["python", "-m", "mta.train", "<i>"],
    "started": "2026-01-01T00:00:00+00:00",
    "finished": "2026-01-01T00:10:00+00:00",
    "epochs": 4,
    "python": "3.11.1",
    "platform": "Linux",
    "backend": "tensorflow",
    "packages": {"mta": "0.1.0", "jax": None},
    "git": {"commit": "0123abcd", "changed": True},
    "seed": 1001,
    "leaks": [],
    "class_weights": [0.4, 0.6],
    "mpp": 0.5,
    "encoder": "",
}


def store(folder: Path, patches: int = 12, **changed) -> Path:
    """A tiny store whose last two patients, of a third centre, are the external test."""
    rows = tiny_rows(patches)
    last = rows["patient"].isin(["p6", "p7"])
    rows.loc[last, "role"] = "external_test"
    rows.loc[last, "centre"] = "2"
    more = tiny_rows(patches)
    more = more[more["patient"].isin(["p6", "p7"])].assign(
        patient=lambda part: part["patient"].map({"p6": "p8", "p7": "p9"}),
        slide=lambda part: "t" + part["patient"].str[1:],
    )
    more["entry"] = [f"more/{number}.png" for number in range(len(more))]
    rows = pd.concat([rows, more], ignore_index=True)
    return tiny_store(folder / "store.h5", rows, **changed)


def run(folder: Path, store: Path, skill: float = 1.0, seed: int = 0, preset: str = "mta", **changed) -> Path:
    """A finished and evaluated run on `store` in `folder`; `changed`: columns of its predictions."""
    folder.mkdir(parents=True)
    config = TrainConfig(store=str(store), out=str(folder), preset=preset, backbone="SmallCNN", weights="none")
    with open_patches(store) as patches:
        rows = patches.rows
    record = {**RECORD, "inputs": {"store": store_fingerprints(str(store))}}
    evaluated = {"run": str(folder), "model": "last", "data": str(store), "fingerprints": record["inputs"]["store"]}
    labels = {
        "concepts": {name: {"mean": 20.0, "std": 5.0, "unit": "nuclei"} for name in ("ncount", "narea")},
        "centres": ["0", "1"],
    }
    named = {"config": to_json(config), "run": record, "labels": labels, "evaluation": evaluated}
    for name, value in named.items():
        (folder / f"{name}.json").write_text(json.dumps(value))
    write_split(folder / "split.csv", rows, rows["role"].to_numpy(str))
    history(4).to_csv(folder / "history.csv", index=False)
    predictions(rows, open_concepts(store), skill, seed).assign(**changed).to_csv(
        folder / "predictions.csv", index=False
    )
    return folder


def crossed(folder: Path, store: Path, count: int = 3) -> Path:
    """A cross-validated run on `store` in `folder`, its folds in `fold-K`; external test is what the store says."""
    with open_patches(store) as patches:
        rows = patches.rows
    patients = np.array(sorted(set(rows.loc[rows["role"] != "external_test", "patient"])))
    tested, lines = [], []
    for fold in range(count):
        path = run(folder / f"fold-{fold}", store, seed=fold)
        known = {name: "internal_test" for name in patients[fold::count]}
        known[patients[(fold + 1) % len(patients)]] = "validation"
        inside = rows["role"] != "external_test"
        roles = rows["role"].where(~inside, rows["patient"].map(known).fillna("train"))
        write_split(path / "split.csv", rows, roles.to_numpy(str))
        table = predictions(rows.assign(role=roles), open_concepts(store), 0.5 + fold / 4, fold)
        table.to_csv(path / "predictions.csv", index=False)
        tested.append(table[table["role"] == "internal_test"])
        lines.append({"fold": fold, "auc": auc(tested[-1]["label"], tested[-1]["logit"]), "accuracy": 0.25 * fold})
    config = json.loads((folder / "fold-0" / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "out": str(folder), "folds": count}))
    record = json.loads((folder / "fold-0" / "run.json").read_text())
    own = ("command", "started", "finished", "python", "platform", "backend", "packages", "git", "inputs")
    (folder / "run.json").write_text(json.dumps({name: record[name] for name in own}))
    pd.concat(tested).sort_values("row").to_csv(folder / "predictions.csv", index=False)
    pd.DataFrame(lines).to_csv(folder / "folds.csv", index=False)
    return folder


def elsewhere(run: Path, store: Path, name: str = "other", shared: int = 0, seed: int = 3) -> Path:
    """What `mta.evaluate RUN --data` leaves in `run` for the external test of `store`; the folder."""
    folder = run / f"evaluation-{name}"
    folder.mkdir()
    with open_patches(store) as patches:
        table = predictions(patches.rows, open_concepts(store), 0.7, seed)
    table[table["role"] == "external_test"].to_csv(folder / "predictions.csv", index=False)
    about = {"run": str(run), "model": "best", "data": str(store), "fingerprints": [], "shared_patients": shared}
    (folder / "evaluation.json").write_text(json.dumps(about))
    return folder


def predictions(rows: pd.DataFrame, concepts: pd.DataFrame, skill: float, seed: int) -> pd.DataFrame:
    """Logits that tell the class by `skill`, a random centre, and concepts somewhat off."""
    generator = np.random.default_rng(seed)
    rows = rows[rows["role"] != "train"]
    table = rows[["patient", "slide", "centre", "role", "label"]].copy()
    table.insert(0, "row", rows.index)
    table["logit"] = skill * (2 * table["label"] - 1) + generator.normal(0, 1, len(table))
    table["probability"] = 1 / (1 + np.exp(-table["logit"]))
    table["domain"] = generator.integers(0, 2, len(table)).astype(str)
    for name in ("ncount", "narea"):
        table[name] = concepts[name].to_numpy(float)[rows.index] + generator.normal(0, 1, len(table))
        table[f"{name}_true"] = concepts[name].to_numpy(float)[rows.index]
    return table


def history(epochs: int) -> pd.DataFrame:
    """Two phases of curves that go somewhere."""
    epoch = np.arange(1, epochs + 1)
    curves = {
        "epoch": epoch,
        "phase": 1 + (epoch > epochs // 2),
        "strength": (epoch > epochs // 2) * 1.0,
        "seconds": 30,
    }
    for task in TASKS:
        curves |= {f"loss_{task}": 1 / epoch, f"val_loss_{task}": 1.1 / epoch, f"log_var_{task}": -0.1 * epoch}
    curves |= {"loss": 3 / epoch, "val_loss": 3.3 / epoch, "val_auc": 1 - 0.4 / epoch, "val_r2_ncount": 1 - 1 / epoch}
    return pd.DataFrame(curves | {"val_domain_accuracy": 0.6, "domain_chance": 0.5})


def explain(run: Path) -> None:
    """What `mta.explain` leaves in `run`, with pictures of noise."""
    folder = run / "explain"
    figures = {
        "probe": ["probe"],
        "gradcam": ["gallery"],
        "parts": ["exemplars", "maps", "stability"],
        "diagnose": ["diagnose"],
    }
    noise = np.random.default_rng(0).integers(0, 255, (300, 400, 3)).astype(np.uint8)
    for kind, names in figures.items():
        (folder / kind).mkdir(parents=True)
        for name in names:
            cv2.imwrite(str(folder / kind / f"{name}.png"), noise)
    facts = {"run": run.name, "layer": ["pool", "features_1"], "concept": "ncount", "value": [0.5, np.nan]}
    pd.DataFrame(facts).to_csv(folder / "probe" / "probe.csv", index=False)
    (folder / "umap").mkdir()
    umap(run).to_csv(folder / "umap" / "umap.csv", index=False)


def umap(run: Path) -> pd.DataFrame:
    """A table as that of `mta.explain umap` on the test rows of `run`."""
    table = pd.read_csv(run / "predictions.csv")
    table = table[table["role"] != "validation"]
    xy = np.random.default_rng(1).normal(size=(len(table), 2))
    named = {"run": run.name, "layer": "features_1", "row": table["row"], "x": xy[:, 0], "y": xy[:, 1]}
    about = {name: table[name].astype(str) for name in ("patient", "slide", "centre", "role")}
    classes = table["label"].map({0: "normal", 1: "tumor"})
    return pd.DataFrame(named | about | {"class": classes, "ncount": table["ncount_true"]})


def require_refused(run, message, capsys):
    """`mta.report` ends with one line that holds `message`, and writes nothing."""
    with pytest.raises(SystemExit) as stop:
        main([str(run)])
    error = capsys.readouterr().err
    assert stop.value.code == 2
    assert message in error
    assert error.count("\n") == 1
    assert not (run / "report.html").exists()
    assert not (run / "tripod_claim.md").exists()
