"""How far concepts of nuclei depend on who finds the nuclei: true masks against a segmenter, on real patches.

    PYTHONPATH=. OMP_NUM_THREADS=1 python benchmarks/concepts_truth.py FOLDER [SEGMENTER]

FOLDER holds `pannuke/` (images, maps of classes, labels.csv). Printed are, over the reporting half of the patches
(`nuclei_truth.py`), the agreement of the true masks with the table of the data set, and for each concept of nuclei the
correlation (Pearson, Spearman) of its values by mask and by segmenter, and the median of their ratio.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from nuclei_truth import cases

from data_prep.concepts import BUILT_IN, measure_many
from data_prep.nuclei import make_segmenter
from data_prep.store import make_rows


def main() -> None:
    folder, segmenter = Path(sys.argv[1]), (sys.argv[2:] or ["classical"])[0]
    found = list(cases(folder, "pannuke", "reporting"))
    images = np.stack([case.image for case in found])
    rows = make_rows(len(found), {"entry": [case.name for case in found], "mpp": 0.25})
    names = [name for name, concept in BUILT_IN.items() if concept.needs_nuclei]
    true = measure_many(images, np.stack([case.truth for case in found]), rows, names)
    table = pd.read_csv(folder / "pannuke" / "labels.csv", index_col="name").loc[rows["entry"]].reset_index()
    known = (table["mask_status"] == "ok").to_numpy()
    count, area = true["ncount"] - table["n_components"], true["narea"] - table["mean_area_px"]
    print(f"{len(rows)} patches; {known.sum()} of known classes: count equal in {(count[known] == 0).sum()},", end=" ")
    print(
        f"mean area within {area[known].abs().max():.3f} px; the others differ by up to {count.abs().max():.0f} nuclei"
    )
    by_segmenter = measure_many(images, make_segmenter(segmenter)(images, rows), rows, names)
    print(f"{segmenter} against the true masks:")
    for name in names:
        both = pd.DataFrame({"true": true[name], "found": by_segmenter[name]}).dropna()
        pearson, spearman = (both.corr(kind).iloc[0, 1] for kind in ("pearson", "spearman"))
        ratio = (both["found"] / both["true"]).median()
        print(f"  {name:20} r {pearson:5.2f}, rank r {spearman:5.2f}, median ratio {ratio:5.2f}, {len(both)} patches")


if __name__ == "__main__":
    main()
