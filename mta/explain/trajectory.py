"""How the adversary was trained, from `history.csv`."""

import math
from typing import Any

import pandas as pd

from mta.evaluation.history import by_prefix
from mta.trained import Trained

LOG_VARIANCE = "log_var_"


def trajectory(trained: Trained) -> dict[str, Any]:
    """What the epochs of a run say of its adversary, as lists of one number an epoch.

    `epoch`, `phase`, `strength` of the reversal, `log_variance` of each task, `val_domain_accuracy` with
    `domain_chance` where there was an adversary; `pull`, the factor with which the domain loss reaches the shared
    features, strength x exp(-log-variance): learned uncertainty alone can make it vanish. `model_epoch` is the epoch of
    the loaded model.
    """
    history = pd.read_csv(trained.folder.file("history.csv"))
    variances = {task: history[column].tolist() for task, column in by_prefix(history, LOG_VARIANCE).items()}
    found = {name: history[name].tolist() for name in ("epoch", "phase", "strength")}
    found |= {name: history[name].tolist() for name in ("val_domain_accuracy", "domain_chance") if name in history}
    if "loss_domain" in history:
        damping = variances.get("domain", [0.0] * len(history))  # fixed weights have no log-variances
        found["pull"] = [strength * math.exp(-s) for strength, s in zip(found["strength"], damping, strict=True)]
    return {**found, "log_variance": variances, "model_epoch": _model_epoch(trained, history)}


def _model_epoch(trained: Trained, history: pd.DataFrame) -> int:
    if trained.which == "last":
        return int(history["epoch"].iloc[-1])
    monitored = "val_loss_tumor" if trained.config.monitor == "task" else "val_loss"
    return int(history["epoch"].iloc[int(history[monitored].argmin())])
