"""The two layers that make a network multi-task and adversarial."""

from mta.layers.gradient_reversal import GradientReversal
from mta.layers.uncertainty_loss import UncertaintyLoss

__all__ = ["GradientReversal", "UncertaintyLoss"]
