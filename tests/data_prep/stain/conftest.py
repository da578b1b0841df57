import numpy as np
import pytest


@pytest.fixture(scope="session")
def patches() -> np.ndarray:
    """Five patches (5, 32, 40, 3) of smooth random colors, each with an own range."""
    rng = np.random.default_rng(5)
    coarse = rng.uniform(size=(5, 4, 5, 3)).repeat(8, axis=1).repeat(8, axis=2)
    low, span = rng.uniform(40, 120, (5, 1, 1, 3)), rng.uniform(60, 130, (5, 1, 1, 3))
    return (low + span * coarse).astype(np.uint8)
