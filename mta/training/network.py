"""The network while it learns."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from mta.config import TrainConfig
from mta.metrics import DomainAccuracy, LogitAccuracy, TaskLoss
from mta.model import build_model, build_training_model, standardization_of, tasks_of
from mta.spec import ModelSpec
from mta.training.optimizers import make_optimizer
from mta.training.phases import Phase

# Keras' own choice is off on TensorFlow's CPU, where compiling every batch shape costs more than it gains, and under a
# strategy, where it fails.
JIT: dict[str, Any] = {"auto": "auto", "on": True, "off": False}


@dataclass
class Network:
    """An inference model and the training model around it.

    Attributes:
        model: from `build_model`.
        body: what is trained of it: the model itself, behind augmentation if there is any, or its upper part where a
            cache holds what the lower one gives.
        training: from `build_training_model` of the body; shares all layers.
        class_weights: (normal, tumor).
        changing: the variables that training can change, and the moments that were fitted before it, in a fixed
            order; the rest of the trunk is not worth saving with every epoch.
    """

    model: Any
    body: Any
    training: Any
    class_weights: tuple[float, float] | None
    changing: list[Any]

    @property
    def endpoint(self) -> Any:
        """The `UncertaintyLoss` layer."""
        return self.training.get_layer("uncertainty_loss")

    @property
    def standardization(self) -> Any:
        """The layer in front of the shared layers that `mta.data.moments` sets, or None."""
        return standardization_of(self.model)

    @property
    def reversal(self) -> Any:
        """The `GradientReversal` layer, or None."""
        return self.model.get_layer("gradient_reversal") if "domain" in self.model.output else None

    def strength(self) -> float:
        """Strength of the reversal now; 0 without an adversary."""
        return 0.0 if self.reversal is None else float(keras.ops.convert_to_numpy(self.reversal.strength))

    def log_variances(self) -> dict[str, float]:
        """Task name -> log-variance now; empty for fixed weights."""
        return {name: float(keras.ops.convert_to_numpy(s)) for name, s in self.endpoint.log_vars.items()}

    def penalty(self) -> float:
        """Sum of the weight penalties now."""
        return float(sum(np.asarray(keras.ops.convert_to_numpy(loss)) for loss in self.model.losses))

    def enter(self, phase: Phase, config: TrainConfig) -> None:
        """Make ready for `phase`: strength, and for a phase that starts afresh also what the original forgets."""
        if phase.afresh:
            self._forget()
        if phase.afresh or not self.training.compiled:
            self._compile(config)
        if self.reversal is not None:
            self.reversal.strength.assign(0.0 if phase.ramped else phase.strength)

    def _forget(self) -> None:
        for layer in self.model.layers[: self.model.layers.index(self.model.get_layer("pool"))]:
            layer.trainable = False
        for log_variance in self.endpoint.log_vars.values():
            log_variance.assign(0.0)

    def _compile(self, config: TrainConfig) -> None:
        metrics: dict[str, list[Any]] = {}
        for name, kind in tasks_of(self.model).items():
            metrics[name] = [TaskLoss(kind, self.class_weights if kind == "binary" else None)]
        metrics["tumor"].append(LogitAccuracy())
        if "domain" in metrics:
            metrics["domain"].append(DomainAccuracy())
        self.training.compile(optimizer=make_optimizer(config), metrics=metrics, jit_compile=JIT[config.jit])
        learning = {id(variable) for variable in self.training.trainable_variables}
        self.training.optimizer.build([variable for variable in self.changing if id(variable) in learning])


def seeded_model(spec: ModelSpec, seed: int, precision: str) -> Any:
    """The network of `spec` with initial weights and dropout by `seed`; `precision` is a Keras policy of numbers.

    Weights, heads and everything about losses are float32 in any case.
    """
    keras.utils.set_random_seed(seed)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        return build_model(spec)
    finally:
        keras.config.set_dtype_policy(before)


def make_network(model: Any, body: Any, config: TrainConfig, class_weights: tuple[float, float] | None) -> Network:
    """`model` made ready to train through `body`, which shares its layers."""
    if keras.backend.backend() == "tensorflow":
        from mta.training.fused import lighten_penalties

        lighten_penalties(body)
    training = build_training_model(body, class_weights, config.weighting)
    fitted = standardization_of(model)
    resting = [layer for layer in model.layers if not layer.trainable and layer is not fitted]
    frozen = {id(weight) for layer in resting for weight in layer.weights}
    # The order is that of the whole network, so that a state fits whatever part of it was trained.
    known = {id(variable) for variable in model.variables}
    drawing = [variable for variable in body.variables if id(variable) not in known]  # seeds of the augmentation
    every = [*model.variables, *training.get_layer("uncertainty_loss").variables, *drawing]
    changing = [variable for variable in every if id(variable) not in frozen]
    return Network(model, body, training, class_weights, changing)
