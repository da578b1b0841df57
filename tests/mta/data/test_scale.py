"""Concept scales."""

import numpy as np
import pandas as pd
import pytest

from data_prep.errors import InputError
from mta.data.scale import Scale, fit_scales


def table(**columns):
    frame = pd.DataFrame(columns)
    frame.attrs["units"] = {"narea": "px"}
    return frame


def test_mean_and_population_deviation_of_the_training_rows():
    values = table(narea=[1.0, 3.0, np.nan, 1e9], ncount=[0.0, 2.0, 4.0, -1e9])
    scales = fit_scales(values, np.array([0, 1, 2]), ("ncount", "narea"))
    assert scales == {"ncount": Scale(2.0, np.std([0, 2, 4])), "narea": Scale(2.0, 1.0, "px")}
    assert list(scales) == ["ncount", "narea"]


def test_there_and_back():
    scale = Scale(10.0, 4.0)
    np.testing.assert_allclose(scale.standardize(np.array([10.0, 18.0, np.nan])), [0, 2, np.nan])
    np.testing.assert_allclose(scale.restore(scale.standardize(np.array([3.0, -7.0]))), [3, -7])


def test_absent_and_constant_concepts_are_refused():
    with pytest.raises(InputError, match="no training row has a value for the concept 'narea'"):
        fit_scales(table(narea=[np.nan, np.nan, 5.0]), np.array([0, 1]), ("narea",))
    with pytest.raises(InputError, match="the concept 'narea' is 5 on every training row"):
        fit_scales(table(narea=[5.0, 5.0, 6.0]), np.array([0, 1]), ("narea",))
    with pytest.raises(InputError, match="no training row"):
        fit_scales(table(narea=[np.inf, -np.inf]), np.array([0, 1]), ("narea",))
