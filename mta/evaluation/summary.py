"""`metrics.json` from a predictions table."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from data_prep.splits import ROLES, patient_keys
from mta.evaluation.bootstrap import clustered_bootstrap
from mta.evaluation.decisions import calibration, operating
from mta.evaluation.scores import auc, domain_metrics, mse, patients_of, r2
from mta.evaluation.table import clean, concept_names


def summarize(predictions: pd.DataFrame, classes: Sequence[str] = (), seed: int = 0) -> dict[str, Any]:
    """The metrics of each role in `predictions`, ready for JSON: what is undefined is None.

    `{role: {"tumor": {...}, "by_centre": {centre: {...}}, "concepts": {name: {"r2", "mse", "n"}}, "domain":
    {"accuracy", "chance", "majority"}, "calibration": {...}, "operating_point": {...}}}`, the last two as in
    `mta.evaluation.decisions`. Tumor numbers count labelled rows only; AUCs rank the logits,
    `accuracy` takes those above 0 (probability 0.5) for tumor. Concept errors are in the units of the table.
    `classes` names the centres seen in training: domain accuracy is over their rows, and None for a model without
    a domain head (an empty `domain` column). Rows without a role are passed over; a centre without a name is "unknown".
    `seed` is that of the bootstrap.
    """
    table = clean(predictions)
    parts = {role: table[table["role"] == role] for role in ROLES}
    chosen = parts["validation"]
    return {role: _role(part, chosen, classes, seed) for role, part in parts.items() if len(part)}


def _role(part: pd.DataFrame, validation: pd.DataFrame, classes: Sequence[str], seed: int) -> dict[str, Any]:
    centres = part["centre"].replace("", "unknown")
    summary = {
        "tumor": tumor_metrics(part, seed),
        "by_centre": {centre: _basics(rows) for centre, rows in part.groupby(centres)},
        "concepts": {name: _concept(part, name) for name in concept_names(part)},
        "domain": _domain(part, classes),
        "calibration": calibration(part, validation),
        "operating_point": operating(part, validation, seed),
    }
    return jsonable(summary)


def tumor_metrics(part: pd.DataFrame, seed: int = 0) -> dict[str, Any]:
    """AUC by patch and by patient with their 95 % intervals, accuracy and counts, for the rows of one role."""
    labels, logits, clusters = part["label"].to_numpy(), part["logit"].to_numpy(), patient_keys(part)
    patient_labels, patient_logits = patients_of(labels, logits, clusters)
    everyone = np.arange(len(patient_labels))
    return _basics(part) | {
        "auc_interval": clustered_bootstrap(labels, logits, clusters, seed=seed),
        "auc_patient": auc(patient_labels, patient_logits),
        "auc_patient_interval": clustered_bootstrap(patient_labels, patient_logits, everyone, seed=seed),
    }


def _basics(part: pd.DataFrame) -> dict[str, Any]:
    labelled = part[part["label"] >= 0]
    right = (labelled["logit"] > 0) == (labelled["label"] == 1)
    return {
        "auc": auc(labelled["label"], labelled["logit"]),
        "accuracy": float(right.mean()) if len(right) else float("nan"),
        "n": len(labelled),
        "n_patients": len(np.unique(patient_keys(labelled))),
        "n_tumor": int((labelled["label"] == 1).sum()),
    }


def _concept(part: pd.DataFrame, name: str) -> dict[str, Any]:
    true, predicted = part[f"{name}_true"], part[name]
    return {"r2": r2(true, predicted), "mse": mse(true, predicted), "n": int((true.notna() & predicted.notna()).sum())}


def _domain(part: pd.DataFrame, classes: Sequence[str]) -> dict[str, float]:
    known = pd.Index(list(dict.fromkeys(classes)), dtype=str)
    metrics = domain_metrics(known.get_indexer(part["centre"]), known.get_indexer(part["domain"]), len(known))
    return metrics if (part["domain"] != "").any() else metrics | {"accuracy": float("nan")}


def jsonable(value: Any) -> Any:
    """`value`, of dicts and lists, with None for every number that is not finite."""
    if isinstance(value, dict):
        return {key: jsonable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(inner) for inner in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
