import cv2
import numpy as np
import pandas as pd
import pytest

from data_prep.errors import InputError
from mta.evaluation import comparison_figure, history_figure, roc_figure, summarize
from mta.evaluation.figures import _legend
from mta.evaluation.history import _panels
from mta.evaluation.scores import auc, roc_curve
from mta.evaluation.style import COLORS, ROLE_COLORS
from tests.mta.evaluation.test_summary import make_predictions


def shows(path, color):
    """Whether the PNG at `path` has pixels of `color` ("#rrggbb")."""
    image = cv2.imread(str(path))[..., ::-1]
    rgb = np.array([int(color[start : start + 2], 16) for start in (1, 3, 5)])
    return (np.abs(image.astype(int) - rgb).max(axis=-1) <= 3).sum() > 20


def make_history(epochs=20):
    epoch = np.arange(1, epochs + 1)
    fall = np.exp(-epoch / 8)
    columns = {"loss": 30 * fall, "penalty": 29 * fall, "loss_tumor": fall, "loss_ncount": fall, "val_loss": 31 * fall}
    columns |= {"log_var_tumor": -fall, "log_var_ncount": -2 * fall, "val_auc": 1 - fall / 2, "domain_chance": 0.25}
    columns |= {"val_domain_accuracy": fall, "val_r2_ncount": 1 - 300 * fall, "loss_domain": np.nan}
    return pd.DataFrame({"epoch": epoch, "phase": np.where(epoch > 14, 2, 1)} | columns)


def test_roc_curve_has_the_area_of_the_auc():
    table = make_predictions()
    labels, scores = table["label"].to_numpy().copy(), np.round(table["logit"], 1)
    labels[:9] = -1
    false, true = roc_curve(labels, scores)
    assert np.trapezoid(true, false) == pytest.approx(auc(labels, scores), abs=1e-12)
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    assert len(roc_curve([1, 1], [0, 1])[0]) == 0


def test_roc_figure_draws_the_roles_that_are_there(tmp_path):
    roc_figure(make_predictions(), tmp_path / "roc.png")
    assert shows(tmp_path / "roc.png", ROLE_COLORS["internal_test"])
    assert shows(tmp_path / "roc.png", ROLE_COLORS["external_test"])
    assert not shows(tmp_path / "roc.png", ROLE_COLORS["validation"])
    assert [path.name for path in tmp_path.iterdir()] == ["roc.png"]


def test_legend_says_what_could_not_be_computed():
    assert _legend("internal_test", 0.8, 0.7, 0.9) == "internal test: 0.800 [0.700, 0.900]"
    assert _legend("train", 0.8, np.nan, np.nan) == "train: 0.800"
    assert _legend("train", np.nan, np.nan, np.nan) == "train: one class only"


def test_roc_figure_takes_the_intervals_of_the_metrics(tmp_path, monkeypatch):
    table = make_predictions()
    table.loc[table["role"] == "internal_test", "label"] = 1
    table.loc[(table["role"] == "external_test") & (table["patient"] != "002"), "role"] = ""
    roc_figure(table, tmp_path / "own.png")
    metrics = summarize(table)
    monkeypatch.setattr("mta.evaluation.figures.clustered_bootstrap", None)  # a second bootstrap would raise
    roc_figure(table, tmp_path / "given.png", metrics)
    assert (tmp_path / "given.png").read_bytes() == (tmp_path / "own.png").read_bytes()


def test_comparison_gives_each_run_its_color(tmp_path):
    runs = {name: make_predictions(seed=seed) for seed, name in enumerate(["baseline", "mta"])}
    runs["one class"] = make_predictions().assign(label=1)
    comparison_figure(runs, tmp_path / "runs.png")
    assert shows(tmp_path / "runs.png", COLORS[0])
    assert shows(tmp_path / "runs.png", COLORS[1])
    assert not shows(tmp_path / "runs.png", COLORS[2])


def test_history_has_a_panel_for_each_thing_that_was_followed(tmp_path):
    panels = {title: lines for title, lines in _panels(make_history()) if lines}
    assert list(panels) == [
        "tumor AUC",
        "domain accuracy",
        "concept R2, validation",
        "total loss",
        "loss: tumor",
        "loss: ncount",
        "log-variance",
    ]
    assert panels["loss: tumor"] == {"training": "loss_tumor"}
    assert panels["log-variance"] == {"tumor": "log_var_tumor", "ncount": "log_var_ncount"}
    history_figure(make_history(), tmp_path / "history.png")
    assert shows(tmp_path / "history.png", COLORS[0])


@pytest.mark.parametrize("history", [make_history(1), make_history(60)[["epoch", "loss"]]])
def test_history_of_few_epochs_or_columns_is_drawn(tmp_path, history):
    history_figure(history, tmp_path / "history.png")
    assert shows(tmp_path / "history.png", COLORS[0])


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda path: roc_figure(make_predictions().assign(role=""), path), "no prediction has a role"),
        (lambda path: comparison_figure({}, path), "no run to compare"),
        (lambda path: history_figure(make_history(0), path), "no finished epoch"),
        (lambda path: history_figure(make_history()[["epoch", "phase"]], path), "no curve"),
        (lambda path: roc_figure(make_predictions(), "/dev/null/x.png"), "could not be written"),
    ],
)
def test_nothing_to_draw_is_said(tmp_path, draw, message):
    with pytest.raises(InputError, match=message):
        draw(tmp_path / "figure.png")
    assert list(tmp_path.iterdir()) == []


def test_chance_alone_is_no_curve(tmp_path):
    with pytest.raises(InputError, match="no curve"):
        history_figure(make_history()[["epoch", "domain_chance"]], tmp_path / "history.png")
