"""What the frozen part of a network makes of patches, computed once and kept on disk."""

from mta.data.features.cache import FeatureCache
from mta.data.features.inputs import FeatureInputs

__all__ = ["FeatureCache", "FeatureInputs"]
