import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.errors import InputError
from data_prep.store import KEY, ROW_COLUMNS
from data_prep.synthetic import SyntheticSpec, plan_rows

SPECS = st.builds(
    SyntheticSpec,
    patients=st.integers(15, 60),
    patches=st.integers(60, 400),
    shortcut=st.floats(0, 1),
    seed=st.integers(0, 2**63 - 1),
)


@given(SPECS)
@settings(deadline=None, max_examples=25)
def test_patients_never_straddle_roles_or_centres(spec: SyntheticSpec) -> None:
    rows = plan_rows(spec)
    assert len(rows) == spec.patches
    assert rows["patient"].nunique() == spec.patients
    assert rows.groupby("patient")[["role", "centre"]].nunique().eq(1).all(axis=None)
    assert rows.groupby("slide")["patient"].nunique().eq(1).all()
    assert not rows.duplicated(KEY).any()


@given(SPECS)
@settings(deadline=None, max_examples=25)
def test_the_last_centre_is_external_and_unseen(spec: SyntheticSpec) -> None:
    rows = plan_rows(spec)
    assert set(rows.loc[rows["role"] == "external_test", "centre"]) == {"4"}
    assert set(rows.loc[rows["role"] != "external_test", "centre"]) == {"0", "1", "2", "3"}
    for role in ("train", "validation", "internal_test"):
        assert set(rows.loc[rows["role"] == role, "centre"]) == {"0", "1", "2", "3"}


@pytest.mark.parametrize(
    ("shortcut", "expected"),
    [(0, [0.5, 0.5, 0.5, 0.5]), (1, [0.05, 0.95, 0.1, 0.9]), (0.5, [0.275, 0.725, 0.3, 0.7])],
)
def test_the_knob_sets_the_share_of_tumor_in_training_rows(shortcut, expected) -> None:
    rows = plan_rows(SyntheticSpec(patches=4000, shortcut=shortcut))
    share = rows.groupby(["role", "centre"])["label"].mean()
    np.testing.assert_allclose(share["train"], expected, atol=0.005)
    np.testing.assert_allclose(share["validation"], expected, atol=0.01)
    np.testing.assert_allclose(share["internal_test"], 0.5, atol=0.005)
    np.testing.assert_allclose(share["external_test"], 0.5, atol=0.005)


def test_training_stays_balanced_over_all_centres() -> None:
    rows = plan_rows(SyntheticSpec(patches=4000, shortcut=1))
    assert rows.loc[rows["role"] == "train", "label"].mean() == pytest.approx(0.5, abs=0.005)


def test_row_table_has_the_columns_of_every_store() -> None:
    rows = plan_rows(SyntheticSpec(patches=60, mpp=0.25))
    assert tuple(rows) == ROW_COLUMNS
    assert (rows["mpp"] == 0.25).all()
    assert set(rows["label"]) == {0, 1}


@pytest.mark.parametrize(
    "values",
    [
        {"patients": 14},
        {"patches": 39},
        {"size": 15},
        {"mpp": 0},
        {"mpp": float("nan")},
        {"shortcut": 1.1},
        {"difficulty": -0.1},
        {"seed": -1},
    ],
    ids=str,
)
def test_values_out_of_range_are_refused(values) -> None:
    (name,) = values
    with pytest.raises(InputError, match=f"synthesize: {name} is .*: give a value from"):
        SyntheticSpec(**values)
