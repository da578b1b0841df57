"""The pull of each task at the shared features, in numbers."""

from typing import Any

import numpy as np

from mta.explain.layers import features_layer
from mta.explain.opening import Subject
from mta.explain.task_gradients import task_gradients
from mta.layers import UncertaintyLoss
from mta.model import tasks_of


def pulls(subject: Subject, rows: np.ndarray, history: dict[str, Any]) -> dict[str, Any]:
    """Of each task on the last shared layer, over the training `rows`: how strongly it pulls, and against whom.

    `norm`: mean over rows of the length of the gradient of the row's task loss. `weight`: what the training loss
    multiplies it by at the epoch of the model (log-variances; for the domain the reversal's strength too, with its
    minus). `pull`: |weight| x norm. `cosine_to_tumor`: mean cosine of what the task and the tumor task ask of a row:
    below 0 they disagree. None where the head does not stand on this layer.

    Args:
        subject: the run.
        rows: positions in the store.
        history: from `trajectory`.
    """
    trained = subject.trained
    kinds = tasks_of(trained.model)
    weights = trained.folder.record().get("class_weights")
    endpoint = UncertaintyLoss(kinds, tuple(weights) if weights else None, trained.config.weighting)
    layer, targets = features_layer(trained.model), trained.coding.targets(subject.data)
    found = task_gradients(trained.model, subject.inputs(), rows, targets, layer, endpoint)
    place = history["epoch"].index(history["model_epoch"])
    scales = {name: _weight(endpoint, name, history, place) for name in found}
    return {
        "layer": layer,
        "rows": len(rows),
        "tasks": {name: _pull(found, name, scales) for name in kinds},
    }


def _weight(endpoint: UncertaintyLoss, name: str, history: dict[str, Any], place: int) -> float:
    """The derivative of the training loss with respect to one task loss, reversed for the domain."""
    if name in endpoint.log_vars:
        endpoint.log_vars[name].assign(history["log_variance"][name][place])
    scale = float(endpoint.weighted(name, 1.0)) - float(endpoint.weighted(name, 0.0))
    return -scale * history["strength"][place] if name == "domain" else scale


def _pull(found: dict[str, np.ndarray], name: str, scales: dict[str, float]) -> dict[str, Any] | None:
    if name not in found:
        return None
    norms = np.linalg.norm(found[name], axis=1)
    return {
        "norm": float(norms.mean()),
        "weight": scales[name],
        "pull": abs(scales[name]) * float(norms.mean()),
        "cosine_to_tumor": _cosine(found[name] * scales[name], found["tumor"] * scales["tumor"]),
    }


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    """The mean over rows (n, width) whose vectors have a length; NaN without any."""
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    there = lengths > 0
    return float(((a * b).sum(axis=1)[there] / lengths[there]).mean()) if there.any() else float("nan")
