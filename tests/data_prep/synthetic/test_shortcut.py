"""The evidence that the knob works: color betrays the class in training, and misleads on the unseen centre."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from data_prep.synthetic import SyntheticSpec, synthesize


def first_look(patches: np.ndarray) -> np.ndarray:
    """Color means and deviations, darkness quantiles, edge contrast: what a shallow look tells of patches, (n, 11)."""
    values = patches.astype(np.float32)
    gray = values.mean(axis=-1)
    edges = np.abs(np.diff(gray, axis=1)).mean(axis=(1, 2))
    quantiles = np.quantile(gray.reshape(len(gray), -1), [0.05, 0.25, 0.5, 0.75], axis=1).T
    return np.column_stack([values.mean(axis=(1, 2)), values.std(axis=(1, 2)), edges, quantiles])


def auc_by_role(features: np.ndarray, rows: pd.DataFrame) -> pd.Series:
    train = rows["role"] == "train"
    model = make_pipeline(StandardScaler(), LogisticRegression())
    model.fit(features[train], rows.loc[train, "label"])
    scores = pd.DataFrame({"label": rows["label"], "score": model.decision_function(features), "role": rows["role"]})
    return pd.Series({role: roc_auc_score(group["label"], group["score"]) for role, group in scores.groupby("role")})


@pytest.fixture(scope="module")
def by_shortcut() -> dict[float, dict[str, pd.Series]]:
    results = {}
    for shortcut in (0.0, 0.9):
        blocks = list(synthesize(SyntheticSpec(patches=500, shortcut=shortcut)))
        rows = pd.concat([block.rows for block in blocks])
        nuclei = pd.concat([block.concepts for block in blocks])[["ncount", "narea"]].fillna(0)
        seen = np.concatenate([first_look(block.patches) for block in blocks])
        results[shortcut] = {"look": auc_by_role(seen, rows), "nuclei": auc_by_role(nuclei.to_numpy(), rows)}
    return results


def test_color_is_the_easier_cue_in_training(by_shortcut) -> None:
    assert by_shortcut[0.9]["look"]["train"] > by_shortcut[0.0]["look"]["train"] + 0.05


def test_the_shortcut_fails_on_the_unseen_centre(by_shortcut) -> None:
    with_shortcut, without = by_shortcut[0.9]["look"], by_shortcut[0.0]["look"]
    assert with_shortcut["external_test"] < without["external_test"] - 0.05
    assert with_shortcut["external_test"] < with_shortcut["train"] - 0.15


def test_nuclei_generalize_in_spite_of_the_shortcut(by_shortcut) -> None:
    for results in by_shortcut.values():
        assert results["nuclei"]["external_test"] > 0.85
    assert by_shortcut[0.9]["nuclei"]["external_test"] == pytest.approx(
        by_shortcut[0.0]["nuclei"]["external_test"], abs=0.03
    )


def test_the_task_is_not_trivial(by_shortcut) -> None:
    assert by_shortcut[0.0]["nuclei"]["internal_test"] < 0.995
