"""What a run feeds to which part of its network: patches to all of it, or cached features to what learns."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from data_prep.console import say
from mta.config import TrainConfig
from mta.data.features import FeatureCache, FeatureInputs
from mta.data.features.computing import Computing
from mta.data.features.folder import GB, CacheFolder, default_folder
from mta.data.features.key import cache_key
from mta.data.inputs import EmbeddingInputs, Inputs
from mta.devices import open_devices
from mta.frozen import cut_frozen
from mta.model import standardization_of
from mta.training.augmenting import augmented
from mta.training.setup import Setup


@dataclass(frozen=True)
class Feed:
    """Inputs, and what takes them in training.

    Attributes:
        inputs: of the network, for rows of the store.
        body: all of the network or a part, behind what varies the patches.
        below: from (some of) the inputs, a dict, to the numbers that the network standardizes; None where it does not.
    """

    inputs: Inputs
    body: Any
    below: Any


def choose_feed(config: TrainConfig, setup: Setup, model: Any) -> Feed:
    """Cached features where that saves work, else patches; embeddings where there is no network below them.

    It does where some of the network is frozen, there is more than one epoch, and patches do not vary but by views.
    Nothing is computed yet.

    Raises:
        InputError: when the folder of the caches cannot be made.
    """
    standardization = standardization_of(model)
    scaled = None if standardization is None else standardization.input
    below = None if scaled is None else keras.Model({model.input.name: model.input}, scaled)
    if setup.data.embedded:
        return Feed(EmbeddingInputs(setup.data.patches), model, below)
    views = 8 if "flips" in config.augment else 1
    cut = cut_frozen(model) if config.cache == "auto" and sum(config.epochs) > 1 else None
    varied = [name for name in config.augment if name != "flips"]
    if cut is not None and varied:
        say(f"--augment {' '.join(varied)}: patches differ in every epoch, so nothing is computed ahead for the cache")
    if cut is None or varied:
        with open_devices(config.strategy).scope():  # layers that vary patches keep the states of their draws
            return Feed(setup.patch_inputs(views), augmented(model, config, setup.normalizer), below)
    patches = setup.patch_inputs()
    store, normalizer = setup.data.patches, patches.normalizer
    channels = "stored" if config.profile == "original" else "rgb"
    key = cache_key(store.files, channels, normalizer, cut, views, config.cache_dtype)
    home = CacheFolder(Path(config.cache_dir) if config.cache_dir else default_folder(), config.cache_limit * GB)
    cache = FeatureCache(home, key, setup.data.name, len(store), Computing(cut.lower, patches, views))
    below = None if scaled is None else cut.up_to(scaled)
    return Feed(FeatureInputs(cache, cut.upper, patches.window), cut.upper, below)
