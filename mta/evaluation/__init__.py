"""Numbers and figures from predictions: AUC with patient-clustered intervals, concept R2, domain accuracy.

Nothing here needs Keras: a predictions table is enough.
"""

from mta.evaluation.bootstrap import clustered_bootstrap, paired_difference
from mta.evaluation.figures import comparison_figure, roc_figure
from mta.evaluation.history import history_figure
from mta.evaluation.scores import auc, auc_by_patient, domain_metrics, mse, patients_of, r2
from mta.evaluation.summary import summarize
from mta.evaluation.table import read_predictions

__all__ = [
    "auc",
    "auc_by_patient",
    "clustered_bootstrap",
    "comparison_figure",
    "domain_metrics",
    "history_figure",
    "mse",
    "paired_difference",
    "patients_of",
    "r2",
    "read_predictions",
    "roc_figure",
    "summarize",
]
