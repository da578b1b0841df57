"""Numbers and figures from predictions: AUC with patient-clustered intervals, calibration, concept R2, domain accuracy.

Nothing here needs Keras: a predictions table is enough. Which number is for what: `docs/statistics.md`.
"""

from mta.evaluation.bootstrap import clustered_bootstrap, paired_difference
from mta.evaluation.calibration import apply_temperature, brier, calibration_error, fit_temperature, reliability
from mta.evaluation.centres import centre_aucs, worst_centre
from mta.evaluation.comparison import compare_models
from mta.evaluation.delong import delong_interval, delong_test, delong_variance
from mta.evaluation.figures import comparison_figure, roc_figure
from mta.evaluation.history import history_figure
from mta.evaluation.operating import operating_point, threshold_at_specificity, youden_threshold
from mta.evaluation.scores import auc, auc_by_patient, domain_metrics, mse, patients_of, r2
from mta.evaluation.seeds import across_seeds
from mta.evaluation.summary import summarize
from mta.evaluation.table import read_predictions

__all__ = [
    "across_seeds",
    "apply_temperature",
    "auc",
    "auc_by_patient",
    "brier",
    "calibration_error",
    "centre_aucs",
    "clustered_bootstrap",
    "compare_models",
    "comparison_figure",
    "delong_interval",
    "delong_test",
    "delong_variance",
    "domain_metrics",
    "fit_temperature",
    "history_figure",
    "mse",
    "operating_point",
    "paired_difference",
    "patients_of",
    "r2",
    "read_predictions",
    "reliability",
    "roc_figure",
    "summarize",
    "threshold_at_specificity",
    "worst_centre",
    "youden_threshold",
]
