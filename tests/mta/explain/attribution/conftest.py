"""A small network with a head of each kind."""

import keras
import pytest

from mta.model import ModelSpec, build_model


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(3)
    spec = ModelSpec(
        concepts=("ncount",), domains=3, backbone="SmallCNN", weights=None, trainable="all", size=32, dense=(8,)
    )
    return build_model(spec)
