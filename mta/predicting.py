"""Running a trained network over rows of a store."""

from typing import Any

import numpy as np
import pandas as pd

from data_prep.console import progress
from mta.data.dataset import Coding
from mta.data.inputs import Inputs

BATCH = 64


def predict_rows(model: Any, inputs: Inputs, rows: np.ndarray, quiet: bool = True) -> dict[str, np.ndarray]:
    """Outputs of `model` for `rows` of a store: name -> (rows, width) float32, concepts in standardized units.

    Raises:
        InputError: when one of the rows cannot be read.
    """
    if not len(rows):
        return {name: np.zeros((0, output.shape[-1]), "float32") for name, output in model.output.items()}
    batches = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
    outputs = [answers(model, inputs.take(batch)) for batch in progress(batches, "batches predicted", quiet=quiet)]
    return {name: np.concatenate([batch[name] for batch in outputs]) for name in outputs[0]}


def answers(model: Any, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Outputs (n, width) for at most `BATCH` samples, input name -> (n, …); fewer are filled up, since another size
    would be traced anew."""
    count = len(next(iter(batch.values())))
    filled = {name: np.concatenate([x, np.repeat(x[-1:], BATCH - count, axis=0)]) for name, x in batch.items()}
    # A network of one input was made from a tensor, and Keras wants the same structure back.
    fed = filled if isinstance(getattr(model, "input", None), dict) else next(iter(filled.values()))
    return {name: np.asarray(values)[:count] for name, values in model.predict_on_batch(fed).items()}


def predictions_table(rows: pd.DataFrame, outputs: dict[str, np.ndarray], coding: Coding) -> pd.DataFrame:
    """The columns of `predictions.csv` that need no labels.

    Args:
        rows: row table of the predicted rows; its index is their number in the store.
        outputs: from `predict_rows`.
        coding: scales and centres of the run.

    Returns:
        `row, patient, slide, centre, logit, probability, domain`, then each concept in its own unit.
    """
    table = rows[["patient", "slide", "centre"]].astype("str")
    table.insert(0, "row", rows.index)
    for name, values in predicted_columns(outputs, coding).items():
        table[name] = values
    return table.reset_index(drop=True)


def predicted_columns(outputs: dict[str, np.ndarray], coding: Coding) -> dict[str, np.ndarray]:
    """`outputs` (n, width) in words and units: `logit, probability, domain`, then each concept in its own unit, (n,).

    `domain` is the name of the centre that is likeliest, "" where there is no such output.
    """
    logit = outputs["tumor"][:, 0].astype(float)
    columns = {"logit": logit, "probability": 1.0 / (1.0 + np.exp(-logit))}
    likeliest = outputs["domain"].argmax(axis=1) if "domain" in outputs else np.zeros(len(logit), int)
    columns["domain"] = np.array(coding.centres if "domain" in outputs else ("",))[likeliest]
    restored = {name: scale.restore(outputs[name][:, 0].astype(float)) for name, scale in coding.scales.items()}
    return columns | restored
