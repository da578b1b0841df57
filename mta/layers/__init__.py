"""The two layers that make a network multi-task and adversarial, and those that vary its training images."""

from mta.layers.augmentation import Augmentation
from mta.layers.color_jitter import ColorJitter
from mta.layers.gradient_reversal import GradientReversal
from mta.layers.hed_jitter import HEDJitter
from mta.layers.of_class import OfClass
from mta.layers.random_dihedral import RandomDihedral
from mta.layers.stain_matrix_jitter import StainMatrixJitter
from mta.layers.uncertainty_loss import UncertaintyLoss

__all__ = [
    "Augmentation",
    "ColorJitter",
    "GradientReversal",
    "HEDJitter",
    "OfClass",
    "RandomDihedral",
    "StainMatrixJitter",
    "UncertaintyLoss",
]
