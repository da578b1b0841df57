"""The benchmark on PanNuke: its statistics on known answers, and its whole path on the real patches."""

import numpy as np
import pandas as pd
import pytest

from benchmarks import pannuke
from mta.evaluation import paired_difference
from mta.settings import configure, read_yaml

WEIGHTS = "weights/mobilenet_v2_imagenet_notop.weights.h5"


def fold(scores, first_row=0):
    """A fold of tested rows: the first half normal, the second half tumor."""
    labels = np.repeat([0, 1], len(scores) // 2)
    rows = np.arange(first_row, first_row + len(scores))
    return pd.DataFrame({"row": rows, "label": labels, "logit": np.asarray(scores, float)})


def random_folds(signal, seed, patches=60):
    generator = np.random.default_rng(seed)
    return [fold(generator.normal(0, 1, patches) + signal * np.repeat([0, 1], patches // 2), 100 * k) for k in range(3)]


def test_difference_is_the_mean_of_the_folds_and_not_of_the_pool():
    # In each fold `a` is perfect, and on another scale in the second one, which would spoil a pooled AUC.
    a = [fold([0, 1, 2, 3]), fold([100, 101, 102, 103], 10)]
    b = [fold([3, 2, 1, 0]), fold([0, 3, 1, 2], 10)]
    value, low, high = pannuke.difference(a, b, seed=0)
    assert value == pytest.approx(((1 - 0) + (1 - 0.5)) / 2)
    assert low <= value <= high <= 1


def test_difference_of_equal_scores_is_zero_without_width():
    folds = random_folds(1.0, seed=1)
    assert pannuke.difference(folds, folds, seed=0) == (0, 0, 0)


def test_difference_changes_its_sign_with_the_order():
    strong, weak = random_folds(2.0, seed=2), random_folds(0.2, seed=3)
    value, low, high = pannuke.difference(strong, weak, seed=0)
    assert 0 < low < value < high
    assert pannuke.difference(weak, strong, seed=0) == pytest.approx((-value, -high, -low))


def test_one_fold_agrees_with_the_packages_interval():
    strong, weak = random_folds(1.0, seed=4)[:1], random_folds(0.5, seed=5)[:1]
    labels, rows = strong[0]["label"], strong[0]["row"]
    package = paired_difference(labels, strong[0]["logit"], weak[0]["logit"], rows)
    np.testing.assert_allclose(pannuke.difference(strong, weak, seed=0), package, atol=1e-12)


def test_probe_learns_from_the_other_rows_only():
    generator = np.random.default_rng(6)
    labels = np.tile([0, 1], 50)
    features = np.column_stack([labels + generator.normal(0, 0.3, 100), generator.normal(0, 1, (100, 3))])
    count = 5 + 3 * features[:, 0]
    concepts = pd.DataFrame({"ncount": count, "narea": np.where(np.arange(100) == 50, np.nan, 2 * count)})
    tested = np.arange(20)
    before = pannuke.probe_fold(features, labels, concepts, tested, seed=0)
    assert pannuke.mean_auc([before]) > 0.95
    assert pannuke.mean_r2([before], "ncount") > 0.99
    changed, swapped = concepts.copy(), labels.copy()
    changed.loc[tested] += 1000
    swapped[tested] = 1 - swapped[tested]
    after = pannuke.probe_fold(features, swapped, changed, tested, seed=0)
    pd.testing.assert_frame_equal(before[["logit", *pannuke.CONCEPTS]], after[["logit", *pannuke.CONCEPTS]])


def test_settings_file_is_a_configuration():
    config = configure({"preset": "baseline", **read_yaml(pannuke.SETTINGS)})
    assert (config.backbone, config.trainable, config.folds, config.concepts) == ("MobileNetV2", "none", 5, ())


def test_labelled_patches_become_a_store(shared, tmp_path):
    store = pannuke.make_store(shared / "data/pannuke", tmp_path, size=96)
    labels = pd.read_csv(shared / "data/pannuke/labels.csv")
    kept = labels[labels["label"] != "unknown"].reset_index(drop=True)
    with pannuke.open_patches(store) as patches:
        assert len(patches) == 371
        assert patches.size == (96, 96)
        np.testing.assert_array_equal(patches.rows["label"], kept["label"] == "tumour")
    concepts = pannuke.open_concepts(store)
    np.testing.assert_array_equal(concepts["ncount"], kept["n_components"])
    empty = (kept["n_components"] == 0).to_numpy()
    assert empty.sum() == 8
    np.testing.assert_array_equal(concepts["narea"].isna(), empty)
    np.testing.assert_array_equal(concepts["narea"][~empty], kept["mean_area_px"][~empty])


@pytest.mark.slow
def test_whole_path_on_real_patches(shared, tmp_path):
    store = pannuke.make_store(shared / "data/pannuke", tmp_path, size=96)
    changes = {"folds": 2, "epochs": (2, 0), "quiet": True}
    text = pannuke.compare(store, shared / "data" / WEIGHTS, tmp_path, **changes)
    assert text == (tmp_path / "table.md").read_text()
    rows = {line.split(" | ")[0].strip("| "): line for line in text.splitlines()[2:]}
    assert list(rows) == [*pannuke.PRESETS, *pannuke.PROBED]
    assert not any("nan" in line for line in rows.values())
    folds = [pannuke.tested(tmp_path / "multitask" / f"fold-{k}") for k in range(2)]
    assert sorted(np.concatenate([table["row"] for table in folds])) == list(range(371))
    others = [pannuke.tested(tmp_path / "baseline" / f"fold-{k}") for k in range(2)]
    for mine, other in zip(folds, others, strict=True):
        np.testing.assert_array_equal(mine[["row", "label"]], other[["row", "label"]])
    assert pannuke.mean_auc(folds) > 0.6
    # The same call again trains nothing and finds the same numbers.
    written = (tmp_path / "multitask/fold-0/best.keras").stat().st_mtime_ns
    assert pannuke.compare(store, shared / "data" / WEIGHTS, tmp_path, **changes) == text
    assert (tmp_path / "multitask/fold-0/best.keras").stat().st_mtime_ns == written
