"""Do default settings train on embeddings of any scale, with and without standardization? A few minutes.

    python -m benchmarks.standardization

A synthetic cohort of eight slides of 512 embeddings of 12 numbers around 3 (standard deviation about 0.5), times 0.02,
1 and 50: preset multitask, four epochs. Printed are loss, AUC and R2 of `ncount` on the validation rows after the last
of them.
"""

import tempfile
from pathlib import Path

import pandas as pd

from data_prep.errors import InputError
from mta.train import train
from mta.training import standardizing
from tests.mta.embedded import cohort

PATCHES = 512
COLUMNS = ["val_loss_tumor", "val_auc", "val_r2_ncount"]


def trained(slides, out):
    """The validation of the last of four epochs, or why there is none."""
    try:
        run = train(slides, out, quiet=True, preset="multitask", epochs=(4, 0))
    except InputError as error:
        return str(error).partition(": ")[2].partition(";")[0]
    return "  ".join(f"{value:.3f}" for value in pd.read_csv(run / "history.csv")[COLUMNS].iloc[-1])


def main():
    ways = {"standardized": standardizing.set_moments, "as they are": lambda *given: None}
    print("scale, way: " + "  ".join(COLUMNS))
    for scale in (0.02, 1.0, 50.0):
        with tempfile.TemporaryDirectory() as folder:
            slides = cohort(Path(folder), scale=scale, patches=PATCHES)
            for way, set_moments in ways.items():
                standardizing.set_moments = set_moments
                print(f"{scale:g}, {way}: {trained(slides, Path(folder) / way.replace(' ', '-'))}", flush=True)


if __name__ == "__main__":
    main()
