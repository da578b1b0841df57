"""Features computed anew: of the right patches and views, and the same bits however they are asked for."""

import numpy as np
import pytest

from mta.data.features.computing import Computing
from mta.data.inputs import PatchInputs
from mta.data.views import dihedral
from mta.frozen import cut_frozen
from mta.model import build_model
from mta.spec import ModelSpec
from tests.builders import as_list

SIDE, COUNT = 32, 70


class Patches:
    """Noise, in memory."""

    size = (SIDE, SIDE)

    def __init__(self):
        self.pixels = np.random.default_rng(0).integers(0, 256, (COUNT, SIDE, SIDE, 3), dtype="uint8")

    def take(self, rows):
        return self.pixels[rows]


@pytest.fixture(scope="module")
def lower():
    return cut_frozen(build_model(ModelSpec((), 0, "SmallCNN", None, "last:1", SIDE, dense=(8,)))).lower


@pytest.mark.parametrize("views", [1, 8])
def test_features_are_those_of_the_patch_in_its_view(lower, views):
    patches = Patches()
    entries = np.random.default_rng(1).permutation(COUNT * views)[:50]
    [found] = Computing(lower, PatchInputs(patches), views).any(entries)
    images = dihedral(patches.pixels[entries // views], entries % views)
    [expected] = as_list(lower.predict_on_batch(images))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_block_gives_the_same_bits_whichever_of_it_are_asked_for(lower):
    computing = Computing(lower, PatchInputs(Patches()), 1)
    block = np.arange(32, 64)
    [whole] = computing.block(block)
    np.testing.assert_allclose(whole, computing.any(block)[0], atol=1e-5)
    for chosen in ([0], [31], [3, 17], list(range(1, 32, 2))):
        [part] = computing.block(block[chosen])
        np.testing.assert_array_equal(part, whole[chosen])
