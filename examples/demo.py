"""The whole path in a few minutes: synthetic lymph nodes, a baseline and the multi-task adversarial model, figures.

In training the staining goes with the class, as where one hospital sends the tumors; in the tests it does not, and
the external test comes from a hospital that training never saw. Both models are measured after their last epoch: the
validation patients share the trap, so the epoch that they would choose is one that fell into it. Run again, it
continues where it was.
"""

from pathlib import Path

from data_prep.cli.synthesize import synthesize
from data_prep.console import run
from mta.backend import start_quietly
from mta.evaluate import evaluate
from mta.evaluation import comparison_figure, read_predictions
from mta.report import report
from mta.train import train

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
    "augment": ("flips",),
    "optimizer": "adam",
    "learning_rate": 1e-3,
    "epochs": (10, 12),
}
PRESETS = ("baseline", "mta")
ROLES = ("internal_test", "external_test")


def demo(out: Path = Path("demo"), seed: int = 1001) -> None:
    """Make synthetic lymph nodes, train and evaluate both models, print the table.

    Args:
        out: folder for everything.
        seed: of the training; the data stay the same.
    """
    start_quietly()
    store, sheet, figure = out / "lymph_nodes.h5", out / "contact_sheet.png", out / "comparison.png"
    page = out / "report.html"
    if not store.exists():
        synthesize(store, patients=60, size=64, mpp=0.75, contact_sheet=sheet)
    runs = {}
    for preset in PRESETS:
        print(f"\n{preset}: training", flush=True)
        runs[preset] = train(store, out / preset, preset=preset, seed=seed, **SETTINGS)
    metrics = {preset: evaluate(path, model="last", quiet=True) for preset, path in runs.items()}
    comparison_figure({name: read_predictions(path / "predictions.csv") for name, path in runs.items()}, figure)
    report(list(runs.values()), page, overwrite=True)
    print(table(metrics))
    print("\nwritten:")
    for written in (store, sheet, figure, page, *(path / "roc.png" for path in runs.values()), *runs.values()):
        print(f"  {written}")


def table(metrics: dict) -> str:
    """Tumor AUC with its 95 % interval for every model and test."""
    lines = [f"\n{'tumor AUC [95 % interval]':<28}" + "".join(f"{role.replace('_', ' '):<24}" for role in ROLES)]
    for name, values in metrics.items():
        cells = [values[role]["tumor"] for role in ROLES]
        texts = [f"{cell['auc']:.3f} [{cell['auc_interval'][0]:.3f}, {cell['auc_interval'][1]:.3f}]" for cell in cells]
        lines.append(f"{name:<28}" + "".join(f"{text:<24}" for text in texts))
    return "\n".join(lines)


if __name__ == "__main__":
    run(demo, "python examples/demo.py")
