"""What a run feeds to which part of its network: patches to all of it, or cached features to what learns."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mta.config import TrainConfig
from mta.data.features import FeatureCache, FeatureInputs
from mta.data.features.computing import Computing
from mta.data.features.folder import GB, CacheFolder, default_folder
from mta.data.features.key import cache_key
from mta.data.inputs import EmbeddingInputs, Inputs
from mta.frozen import cut_frozen
from mta.training.setup import Setup


@dataclass(frozen=True)
class Feed:
    """Inputs, and the part of the network that takes them."""

    inputs: Inputs
    body: Any


def choose_feed(config: TrainConfig, setup: Setup, model: Any) -> Feed:
    """Cached features where that saves work, else patches; embeddings where there is no network below them.

    It does where some of the network is frozen and there is more than one epoch. Nothing is computed yet.

    Raises:
        InputError: when the folder of the caches cannot be made.
    """
    if setup.data.embedded:
        return Feed(EmbeddingInputs(setup.data.patches), model)
    patches = setup.patch_inputs()
    cut = cut_frozen(model) if config.cache == "auto" and sum(config.epochs) > 1 else None
    if cut is None:
        return Feed(patches, model)
    views = 8 if config.augment == "flips" else 1
    store, normalizer = setup.data.patches, patches.normalizer
    channels = "stored" if config.profile == "original" else "rgb"
    key = cache_key(store.files, channels, normalizer, cut, views, config.cache_dtype)
    home = CacheFolder(Path(config.cache_dir) if config.cache_dir else default_folder(), config.cache_limit * GB)
    cache = FeatureCache(home, key, setup.data.name, len(store), Computing(cut.lower, patches, views))
    return Feed(FeatureInputs(cache, cut.upper, patches.window), cut.upper)
