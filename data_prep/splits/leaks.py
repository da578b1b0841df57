"""Patients and slides that serve in more than one role."""

import numpy as np
import pandas as pd

from data_prep.console import warn
from data_prep.errors import InputError
from data_prep.splits.roles import patient_keys, slide_keys
from data_prep.store import ROLES

_EXAMPLES = 3


def check_leaks(rows: pd.DataFrame, roles: np.ndarray) -> list[str]:
    """One line for patients and one for slides that straddle roles, each with a few examples; [] when disjoint.

    Rows with role "" serve nothing and are passed over. `roles` (n,) is aligned with `rows`.
    """
    used = pd.DataFrame({"patient": patient_keys(rows), "slide": slide_keys(rows), "role": np.asarray(roles)})
    used = used[used["role"] != ""]
    named = used[used["slide"] != ""]
    return _straddling("patient", used["patient"], used["role"]) + _straddling("slide", named["slide"], named["role"])


def _straddling(kind: str, keys: pd.Series, roles: pd.Series) -> list[str]:
    pairs = pd.DataFrame({"key": keys, "role": roles}).drop_duplicates()
    found = pairs[pairs.duplicated("key", keep=False)].groupby("key")["role"].agg(_in_order)
    if found.empty:
        return []
    examples = "; ".join(f"{key} ({', '.join(names)})" for key, names in found.head(_EXAMPLES).items())
    more = f" and {len(found) - _EXAMPLES} more" if len(found) > _EXAMPLES else ""
    return [f"{len(found)} {kind}{'s' if len(found) > 1 else ''} in more than one role: {examples}{more}"]


def _in_order(roles: pd.Series) -> list[str]:
    return sorted(roles, key=ROLES.index)


def require_disjoint(rows: pd.DataFrame, roles: np.ndarray, allow: bool = False) -> list[str]:
    """The findings of `check_leaks`; without `allow` any finding is an `InputError` that names some.

    With `allow` each is printed as a warning and returned, to be recorded with the run.
    """
    findings = check_leaks(rows, roles)
    if findings and not allow:
        raise InputError(
            f"the split leaks: {' and '.join(findings)}; split by patient, or say --allow-leak to go on regardless"
        )
    for finding in findings:
        warn(f"the split leaks: {finding}")
    return findings
