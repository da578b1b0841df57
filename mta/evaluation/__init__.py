"""Numbers and figures from predictions: AUC with patient-clustered intervals, concept R2, domain accuracy.

Nothing here needs Keras: a predictions table is enough.
"""

from mta.evaluation.bootstrap import clustered_bootstrap, paired_difference
from mta.evaluation.scores import auc, auc_by_patient, domain_metrics, mse, patients_of, r2
from mta.evaluation.summary import summarize
from mta.evaluation.table import read_predictions

__all__ = [
    "auc",
    "auc_by_patient",
    "clustered_bootstrap",
    "domain_metrics",
    "mse",
    "paired_difference",
    "patients_of",
    "r2",
    "read_predictions",
    "summarize",
]
