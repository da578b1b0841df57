"""The table of a study: a line for each row, over its seeds."""

from typing import Any

import numpy as np
import pandas as pd

from mta.studies.measures import Difference, difference
from mta.studies.plan import StudyPlan
from mta.studies.tested import Tested

AGAINST = ("baseline", "control")


def make_table(plan: StudyPlan, tested: Tested, results: pd.DataFrame) -> pd.DataFrame:
    """One line for each row of `plan` that has runs.

    Columns: `row`, `seeds`; for each measure and role `MEASURE_ROLE` and `MEASURE_ROLE_std`, mean and standard
    deviation over seeds; for each role `baseline_ROLE`, `_low`, `_high` and `_seeds`, the difference of the AUC to the
    baseline with its 95 % interval and the seeds that both have, and `control_ROLE` to the random concept.
    """
    lines = [_line(plan, tested, results, row) for row in plan.rows if row in set(results["row"])]
    table = pd.DataFrame(lines)
    known = table.columns[table.notna().any()]
    # A difference without an interval keeps the columns of one.
    return table[[name for name in table if name.removesuffix("_low").removesuffix("_high") in known]]


def _line(plan: StudyPlan, tested: Tested, results: pd.DataFrame, row: str) -> dict[str, Any]:
    own = results[results["row"] == row]
    line: dict[str, Any] = {"row": row, "seeds": own["seed"].nunique()}
    measured = own.groupby(["measure", "role"], sort=False)["value"].agg(["mean", "std"])
    for (measure, role), values in measured.iterrows():
        line[f"{measure}_{role}"], line[f"{measure}_{role}_std"] = values["mean"], values["std"]
    for kind, other in zip(AGAINST, (plan.baseline, plan.control), strict=True):
        for role in tested.roles if other else ():
            line |= _named(f"{kind}_{role}", difference(tested, role, row, other))
    return line


def _named(name: str, found: Difference) -> dict[str, float]:
    seeds = found.seeds if np.isfinite(found.mean) else float("nan")
    return {name: found.mean, f"{name}_low": found.low, f"{name}_high": found.high, f"{name}_seeds": seeds}


def cell(line: pd.Series, name: str) -> str:
    """Mean (standard deviation) of a measure as text, "–" where there is none."""
    value, spread = line.get(name, float("nan")), line.get(f"{name}_std", float("nan"))
    if pd.isna(value):
        return "–"
    return f"{value:.3f}" + ("" if pd.isna(spread) else f" ({spread:.3f})")


def interval_cell(line: pd.Series, name: str) -> str:
    """A difference with its interval as text, "–" where there is none."""
    value = line.get(name, float("nan"))
    if pd.isna(value):
        return "–"
    low, high = line[f"{name}_low"], line[f"{name}_high"]
    return f"{value:+.3f}" + ("" if pd.isna(low) else f" [{low:+.3f}, {high:+.3f}]")
