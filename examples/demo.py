"""The whole path in a few minutes: synthetic lymph nodes, a baseline and the multi-task adversarial model, figures.

In training the staining goes with the class, as where one hospital sends the tumors; in the tests it does not, and
the external test comes from a hospital that training never saw. Everything is written to `demo/`; run again, it
continues where it was.
"""

import sys
from pathlib import Path

from data_prep.cli.synthesize import synthesize
from data_prep.console import guarded
from mta.backend import start_quietly
from mta.evaluate import evaluate
from mta.evaluation import comparison_figure, read_predictions
from mta.train import train

OUT = Path("demo")
STORE = OUT / "lymph_nodes.h5"
# A small network from noise, since ImageNet weights may be out of reach; no stain normalization, since on this
# data it would remove the shortcut before anybody has to learn to ignore it.
SETTINGS = {
    "backbone": "SmallCNN",
    "weights": "none",
    "trainable": "all",
    "dense": (64,),
    "dropout": 0.2,
    "l2": 1e-4,
    "stain": "none",
    "augment": "flips",
    "optimizer": "adam",
    "learning_rate": 1e-3,
    "epochs": (12, 4),
}
PRESETS = ("baseline", "mta")
ROLES = ("internal_test", "external_test")


def main() -> None:
    """Make the data, train and evaluate both models, print the table."""
    start_quietly()
    if not STORE.exists():
        synthesize(STORE, patients=60, size=64, mpp=0.75, contact_sheet=OUT / "contact_sheet.png")
    runs = {}
    for preset in PRESETS:
        print(f"\n{preset}: training", flush=True)
        runs[preset] = train(STORE, OUT / preset, preset=preset, **SETTINGS)
    metrics = {preset: evaluate(run, quiet=True) for preset, run in runs.items()}
    figure = OUT / "comparison.png"
    comparison_figure({name: read_predictions(run / "predictions.csv") for name, run in runs.items()}, figure)
    print(table(metrics))
    print("\nwritten:")
    for path in (STORE, OUT / "contact_sheet.png", figure, *(run / "roc.png" for run in runs.values()), *runs.values()):
        print(f"  {path}")


def table(metrics: dict) -> str:
    """Tumor AUC with its 95 % interval for every model and test."""
    lines = [f"\n{'tumor AUC [95 % interval]':<28}" + "".join(f"{role.replace('_', ' '):<24}" for role in ROLES)]
    for name, values in metrics.items():
        cells = [values[role]["tumor"] for role in ROLES]
        texts = [f"{cell['auc']:.3f} [{cell['auc_interval'][0]:.3f}, {cell['auc_interval'][1]:.3f}]" for cell in cells]
        lines.append(f"{name:<28}" + "".join(f"{text:<24}" for text in texts))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(guarded(main, "demo"))
