"""Exact measurements on the validation rows after an epoch."""

from dataclasses import dataclass

import numpy as np

from mta.data.dataset import Coding, Dataset
from mta.data.inputs import Inputs
from mta.devices import Devices
from mta.evaluation import auc, domain_metrics, r2
from mta.training.network import Network


@dataclass
class Validation:
    """The validation rows of a run.

    Attributes:
        data: all rows, with roles.
        coding: targets of the run.
        targets: task name -> true values of all rows.
        inputs: of the network, for rows of the store.
        devices: that predict.
    """

    data: Dataset
    coding: Coding
    targets: dict[str, np.ndarray]
    inputs: Inputs
    devices: Devices

    def measure(self, network: Network) -> dict[str, float]:
        """History columns of the validation: total and task losses, AUC, domain accuracy beside chance, R2."""
        rows = self.data.of("validation")
        outputs = self.devices.predict(network.body, self.inputs, rows)
        true = {name: values[rows] for name, values in self.targets.items()}
        row = _losses(network, true, outputs)
        row["val_auc"] = auc(self.data.labels[rows], outputs["tumor"][:, 0])
        if self.coding.centres:
            row |= _domain(self.coding.domain(self.data.rows.iloc[rows]), outputs["domain"])
        return row | {f"val_r2_{name}": r2(true[name], outputs[name]) for name in self.coding.scales}


def _losses(network: Network, true: dict[str, np.ndarray], outputs: dict[str, np.ndarray]) -> dict[str, float]:
    endpoint = network.endpoint
    losses = {name: endpoint.task_loss(name, true[name], outputs[name]) for name in endpoint.tasks}
    total = sum(float(endpoint.weighted(name, loss)) for name, loss in losses.items()) + network.penalty()
    return {"val_loss": total, **{f"val_loss_{name}": float(loss) for name, loss in losses.items()}}


def _domain(true: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    scores = domain_metrics(true, predicted.argmax(axis=1), predicted.shape[1])
    return {"val_domain_accuracy": scores["accuracy"], "domain_chance": scores["chance"]}
