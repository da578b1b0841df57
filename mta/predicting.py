"""Running a trained network over rows of a store."""

from typing import Any

import numpy as np
import pandas as pd

from data_prep.errors import InputError
from mta.data.dataset import Coding
from mta.data.failing import Batches, plain_errors
from mta.data.reader import normalized

BATCH = 64


class _Images(Batches):
    """Batches of images in row order, all of one size: the last repeats its last row, which spares a second trace."""

    def __init__(self, patches: Any, rows: np.ndarray, normalizer: Any) -> None:
        super().__init__()
        self._patches, self._rows, self._normalizer = patches, rows, normalizer

    def __len__(self) -> int:
        return -(-len(self._rows) // BATCH)

    def batch(self, index: int) -> tuple[np.ndarray]:
        rows = self._rows[index * BATCH : (index + 1) * BATCH]
        rows = np.pad(rows, (0, BATCH - len(rows)), mode="edge")
        return (normalized(self._patches.take(rows), self._normalizer),)


def predict_rows(
    model: Any, patches: Any, rows: np.ndarray, normalizer: Any = None, quiet: bool = True
) -> dict[str, np.ndarray]:
    """Outputs of `model` for `rows` of `patches`: name -> (rows, width) float32, concepts in standardized units.

    Raises:
        InputError: when the patches have another size than the network takes, or one cannot be read.
    """
    wanted, found = tuple(model.input.shape[1:3]), tuple(patches.size)
    if wanted != found:
        raise InputError(
            f"the patches are {found[0]} x {found[1]} pixels, the model takes {wanted[0]} x {wanted[1]}; convert them "
            f"with --size {wanted[0]}"
        )
    if not len(rows):
        return {name: np.zeros((0, output.shape[-1]), "float32") for name, output in model.output.items()}
    images = _Images(patches, rows, normalizer)
    with plain_errors(images):
        outputs = model.predict(images, verbose=0 if quiet else 1)
    return {name: values[: len(rows)] for name, values in outputs.items()}


def predictions_table(rows: pd.DataFrame, outputs: dict[str, np.ndarray], coding: Coding) -> pd.DataFrame:
    """The columns of `predictions.csv` that need no labels.

    Args:
        rows: row table of the predicted rows; its index is their number in the store.
        outputs: from `predict_rows`.
        coding: scales and centres of the run.

    Returns:
        `row, patient, slide, centre, logit, probability, domain`, then each concept in its own unit.
    """
    logit = outputs["tumor"][:, 0].astype(float)
    table = rows[["patient", "slide", "centre"]].copy()
    table.insert(0, "row", rows.index)
    table["logit"], table["probability"] = logit, 1.0 / (1.0 + np.exp(-logit))
    table["domain"] = np.array(coding.centres)[outputs["domain"].argmax(axis=1)] if "domain" in outputs else ""
    for name, scale in coding.scales.items():
        table[name] = scale.restore(outputs[name][:, 0].astype(float))
    return table.reset_index(drop=True)
