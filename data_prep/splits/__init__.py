"""Which patch serves for what: split tables, patient-disjoint splits and folds, leak checks.

Every role array has one string a row of the store: one of `ROLES`, or "" for a row that is not used.
"""

from data_prep.splits.assign import assign_roles, training_rows
from data_prep.splits.grouping import fold_roles, split_by_patient
from data_prep.splits.leaks import check_leaks, require_disjoint
from data_prep.splits.roles import patient_keys
from data_prep.splits.table import read_split, write_split
from data_prep.store import ROLES

__all__ = [
    "ROLES",
    "assign_roles",
    "check_leaks",
    "fold_roles",
    "patient_keys",
    "read_split",
    "require_disjoint",
    "split_by_patient",
    "training_rows",
    "write_split",
]
