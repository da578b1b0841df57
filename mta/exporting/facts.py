"""The tables of a model card: what a run was trained on, and how it was measured."""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from data_prep.splits import ROLES, patient_keys
from mta.trained import Trained


def markdown_table(header: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    """A Markdown table; bars in cells are escaped."""
    cells = [header, ["---"] * len(header), *lines]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in cells)


def counts(rows: pd.DataFrame) -> str:
    """Patches, patients, centres and, where `rows` has labels, tumor and normal patches of each role."""
    labelled = "label" in rows
    header = ["role", "patches", "patients", "centres", *(("tumor", "normal", "unlabelled") if labelled else ())]
    parts = [(role, rows[rows["role"] == role]) for role in ROLES]
    return markdown_table(header, [_counted(role, part, labelled) for role, part in parts if len(part)])


def _counted(role: str, part: pd.DataFrame, labelled: bool) -> list[Any]:
    centres = ", ".join(sorted(centre or "unknown" for centre in part["centre"].unique()))
    line = [role, len(part), len(set(patient_keys(part))), centres]
    return line + ([int((part["label"] == value).sum()) for value in (1, 0, -1)] if labelled else [])


def resolution(rows: pd.DataFrame) -> str:
    """Micrometres a pixel of the training rows, or that the store does not say."""
    training = rows[rows["role"] == "train"]
    known = training["mpp"].dropna() if "mpp" in training else pd.Series(dtype=float)
    if known.empty:
        return "the patch store does not say; use the scale of the training patches"
    low, high = known.min(), known.max()
    return f"{low:.4g} µm a pixel" if high - low < 0.005 else f"{low:.4g} to {high:.4g} µm a pixel"


def outputs(trained: Trained) -> str:
    """Every output of the export with its shape and unit."""
    centres = trained.coding.centres
    lines = [("tumor", "(n, 1)", "logit: above 0 is tumor"), ("tumor_probability", "(n, 1)", "sigmoid of it, 0 to 1")]
    if centres:
        meaning = f"probability of each centre it knows: {', '.join(centres)}. Trained to be uninformative"
        lines.append(("domain", f"(n, {len(centres)})", meaning))
    lines += [(name, "(n, 1)", _concept(scale)) for name, scale in trained.coding.scales.items()]
    return markdown_table(["output (float32)", "shape", "meaning"], [(f"`{name}`", *rest) for name, *rest in lines])


def _concept(scale: Any) -> str:
    unit = scale.unit or "the unit of the training table"
    return f"concept, in {unit}; scaled in training by mean {scale.mean:.4g}, standard deviation {scale.std:.4g}"


def metrics(trained: Trained) -> str:
    """The tables of `metrics.json`, or how to make it."""
    if not trained.folder.file("metrics.json").exists():
        return f"Not evaluated before this export. `python -m mta.evaluate {trained.folder.path.name}` measures it."
    measured = trained.folder.read("metrics.json")
    return "\n\n".join(markdown_table(header, lines) for header, lines in _measurements(measured) if lines)


def _measurements(measured: dict[str, Any]) -> list[tuple[list[str], list[list[Any]]]]:
    """(header, lines) of each table."""
    each = list(measured.items())
    counted = ["patches", "patients"]
    return [
        (
            ["role", "AUC [95 %]", "AUC by patient [95 %]", "accuracy at 0.5", *counted],
            [_tumor(role, values["tumor"]) for role, values in each],
        ),
        (
            ["role", "centre", "AUC", *counted],
            [_centre(role, *item) for role, values in each for item in values["by_centre"].items()],
        ),
        (
            ["role", "concept", "R2", "mean squared error", "patches"],
            [_regressed(role, *item) for role, values in each for item in values["concepts"].items()],
        ),
        (
            ["role", "domain accuracy", "chance", "majority"],
            [_guessed(role, v["domain"]) for role, v in each if v["domain"]["accuracy"] is not None],
        ),
    ]


def _tumor(role: str, values: dict[str, Any]) -> list[Any]:
    return [
        role,
        _interval(values["auc"], values["auc_interval"]),
        _interval(values["auc_patient"], values["auc_patient_interval"]),
        number(values["accuracy"]),
        values["n"],
        values["n_patients"],
    ]


def _centre(role: str, centre: str, values: dict[str, Any]) -> list[Any]:
    return [role, centre, number(values["auc"]), values["n"], values["n_patients"]]


def _regressed(role: str, name: str, values: dict[str, Any]) -> list[Any]:
    return [role, name, number(values["r2"]), number(values["mse"], ".4g"), values["n"]]


def _guessed(role: str, values: dict[str, Any]) -> list[Any]:
    return [role, *(number(values[name]) for name in ("accuracy", "chance", "majority"))]


def _interval(value: float | None, interval: Sequence[float | None]) -> str:
    return f"{number(value)} [{number(interval[0])}, {number(interval[1])}]"


def number(value: float | None, form: str = ".3f") -> str:
    """`value` in digits; a dash where it is undefined."""
    return "–" if value is None else format(value, form)
