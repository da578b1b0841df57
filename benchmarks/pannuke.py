"""Baseline and multitask on the labelled patches of PanNuke, beside linear probes on the same frozen trunk.

Run `python benchmarks/pannuke.py --pannuke DIR --weights MOBILENET_V2_NOTOP.weights.h5 --out runs/pannuke`.
DIR holds `labels.csv` (`name,label,n_components,mean_area_px`) and `images/NAME.jpg`. Run again, it goes on where
it stopped. Settings: benchmarks/configs/pannuke.yaml; what came out: benchmarks/pannuke.md.
"""

import argparse
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from data_prep.cli.convert import convert
from data_prep.files import replacing, write_text
from data_prep.store import open_concepts, open_patches
from mta.backbones import build_trunk
from mta.data.inputs import PatchInputs
from mta.evaluation import auc, r2, read_predictions
from mta.evaluation.bootstrap import RESAMPLES, resampled_auc
from mta.predicting import predict_rows
from mta.settings import read_yaml
from mta.train import train

SETTINGS = Path(__file__).parent / "configs" / "pannuke.yaml"
CONCEPTS = ("ncount", "narea")
PRESETS = ("multitask", "baseline")
# The trunk's output, which the models see, and an inner layer, as a stronger opponent.
PROBED = {"probe on the trunk's output": None, "probe on block_13_expand_relu": "block_13_expand_relu"}
INNER_FOLDS = 5


def make_store(pannuke, out, size=None):
    """The patches whose class is known, as a flat store with the concepts ncount and narea (count, mean area in px).

    Without nuclei their mean area is absent, not 0.
    """
    store = out / "pannuke.h5"
    if store.exists():
        return store
    labels = pd.read_csv(pannuke / "labels.csv")
    labels = labels[labels["label"] != "unknown"]
    table = pd.DataFrame(
        {
            "path": [str((pannuke / "images" / f"{name}.jpg").resolve()) for name in labels["name"]],
            "label": labels["label"],
            "mpp": 0.25,
            "ncount": labels["n_components"],
            "narea [px]": labels["mean_area_px"].where(labels["n_components"] > 0),
        }
    )
    with replacing(out / "pannuke.csv") as temporary:
        table.to_csv(temporary, index=False)
    convert(str(out / "pannuke.csv"), store, size=size, fit="resize", label_map="tumour=tumor,non_tumour=normal")
    return store


def train_presets(store, weights, out, **changes):
    """Cross-validate each preset; returns its tested predictions, a list of one table a fold."""
    settings = {**read_yaml(SETTINGS), "weights": str(weights), **changes}
    runs = {preset: train(store, out / preset, preset=preset, **settings) for preset in PRESETS}
    return {preset: [tested(run / f"fold-{k}") for k in range(settings["folds"])] for preset, run in runs.items()}


def tested(run):
    table = read_predictions(run / "predictions.csv")
    return table[table["role"] == "internal_test"].sort_values("row", ignore_index=True)


def pooled_features(store, weights, backbone, cut):
    """Globally averaged feature maps of the frozen trunk, (patches, channels)."""
    with open_patches(store) as patches:
        image = keras.Input((*patches.size, 3), name="image")
        trunk = build_trunk(backbone, str(weights), image, cut)
        model = keras.Model(image, {"pool": keras.layers.GlobalAveragePooling2D()(trunk.output)})
        return predict_rows(model, PatchInputs(patches), np.arange(len(patches)))["pool"]


def probe(features, store, folds, seed):
    """Predictions of linear models, fitted on all rows outside each fold of `folds` (lists of tested rows)."""
    with open_patches(store) as patches:
        labels = patches.rows["label"].to_numpy()
    concepts = open_concepts(store)
    return [probe_fold(features, labels, concepts, rows, seed) for rows in folds]


def probe_fold(features, labels, concepts, rows, seed):
    rest = np.setdiff1d(np.arange(len(labels)), rows)
    classifier = logistic(seed).fit(features[rest], labels[rest])
    table = pd.DataFrame({"row": rows, "label": labels[rows], "logit": classifier.decision_function(features[rows])})
    for name in CONCEPTS:
        values = concepts[name].to_numpy()
        known = rest[np.isfinite(values[rest])]
        table[name] = ridge(seed).fit(features[known], values[known]).predict(features[rows])
        table[f"{name}_true"] = values[rows]
    return table


def logistic(seed):
    """Standardized logistic regression, its strength chosen by AUC inside the rows that it is fitted on."""
    model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=5000))
    inner = StratifiedKFold(INNER_FOLDS, shuffle=True, random_state=seed)
    return GridSearchCV(model, {"logisticregression__C": np.logspace(-5, 1, 7)}, scoring="roc_auc", cv=inner)


def ridge(seed):
    """Standardized ridge regression, its strength chosen by R2 inside the rows that it is fitted on."""
    inner = KFold(INNER_FOLDS, shuffle=True, random_state=seed)
    grid = {"ridge__alpha": np.logspace(0, 6, 13)}
    return GridSearchCV(make_pipeline(StandardScaler(), Ridge()), grid, scoring="r2", cv=inner)


def difference(folds_a, folds_b, seed):
    """(mean over folds of the AUC of `a` minus that of `b`, low, high), with its 95 % interval.

    Tumor and normal patches of each fold are drawn with replacement, the same ones for both; each patch is its own
    patient. The models stay as trained: the interval says nothing about other seeds.
    """
    pairs = list(zip(folds_a, folds_b, strict=True))
    gaps = np.mean([resampled_gap(a, b, seed + fold) for fold, (a, b) in enumerate(pairs)], axis=0)
    low, high = np.quantile(gaps, [0.025, 0.975])
    return mean_auc(folds_a) - mean_auc(folds_b), low, high


def resampled_gap(a, b, seed):
    labels, rows = a["label"].to_numpy(), a["row"].to_numpy()
    scores = (table["logit"].to_numpy() for table in (a, b))
    of_a, of_b = (resampled_auc(labels, values, rows, RESAMPLES, seed) for values in scores)
    return of_a - of_b


def fold_aucs(folds):
    return [auc(table["label"], table["logit"]) for table in folds]


def mean_auc(folds):
    return float(np.mean(fold_aucs(folds)))


def mean_r2(folds, name):
    return float(np.mean([r2(table[f"{name}_true"], table[name]) for table in folds]))


def report(results, seed):
    """The Markdown table of `results` (name -> one table of predictions a fold)."""
    baseline, opponent = results["baseline"], results[next(iter(PROBED))]
    lines = [
        "| | tumor AUC (folds) | minus the output's probe (95 %) | minus baseline (95 %) | R2 ncount | R2 narea |",
        "|---|---|---|---|---|---|",
    ]
    for name, folds in results.items():
        gaps = [signed(difference(folds, other, seed)) if folds is not other else "" for other in (opponent, baseline)]
        fits = [f"{mean_r2(folds, concept):.2f}" if concept in folds[0] else "" for concept in CONCEPTS]
        aucs = " ".join(f"{value:.3f}" for value in fold_aucs(folds))
        lines.append(f"| {name} | **{mean_auc(folds):.3f}** ({aucs}) | {' | '.join([*gaps, *fits])} |")
    return "\n".join(lines) + "\n"


def signed(triple):
    value, low, high = triple
    return f"{value:+.3f} [{low:+.3f}, {high:+.3f}]"


def compare(store, weights, out, **changes):
    """Train, probe and report; `changes` win over the settings file."""
    settings = {**read_yaml(SETTINGS), **changes}
    results = train_presets(store, weights, out, **changes)
    folds = [table["row"].to_numpy() for table in results["multitask"]]
    for name, cut in PROBED.items():
        features = pooled_features(store, weights, settings["backbone"], cut)
        results[name] = probe(features, store, folds, settings["seed"])
    text = report(results, settings["seed"])
    write_text(out / "table.md", text)
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pannuke", type=Path, required=True, help="folder with labels.csv and images/")
    parser.add_argument("--weights", type=Path, required=True, help="MobileNetV2 weights without the top")
    parser.add_argument("--out", type=Path, required=True, help="folder for store, runs and table.md")
    parser.add_argument("--folds", type=int, default=5, help="cross-validation folds")
    parser.add_argument("--seed", type=int, default=1001, help="seed of folds and training")
    options = parser.parse_args()
    store = make_store(options.pannuke, options.out)
    print(compare(store, options.weights, options.out, folds=options.folds, seed=options.seed))


if __name__ == "__main__":
    main()
