"""`python -m data_prep split STORE --out SPLIT.csv`: which patch serves for what."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import arg

from data_prep.console import progress, require_seed, run, say, warn
from data_prep.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

FRACTIONS = (0.7, 0.15, 0.15)


def split(
    store: str,
    /,
    *,
    out: Path,
    external_centres: tuple[str, ...] = (),
    fractions: tuple[float, float, float] = FRACTIONS,
    folds: int = 0,
    leave_one_centre_out: bool = False,
    table: Annotated[Path | None, arg(name="from")] = None,
    map: str = "",
    seed: int = 0,
    drop_duplicates: bool = False,
    allow_leak: bool = False,
    overwrite: bool = False,
    quiet: bool = False,
) -> None:
    """Give every patch a role, by patient and alike in class and centre, and check that nothing leaks between roles.

    The tables are what `python -m mta.train --split FILE` takes. Each gets a .json of the same name that says how it
    was made. Patients, slides or near-duplicate patches in two roles stop the command (exit status 2).

    Args:
        store: The patch store, or several files as name=path,name=path.
        out: The table to write (.csv); with --folds and --leave-one-centre-out the folder for the tables.
        external_centres: Centres whose patients are all external test.
        fractions: Shares of patches for train, validation and internal test.
        folds: Write this many tables, split-fold-0.csv and so on, each with another part as internal test.
        leave_one_centre_out: Write a table a centre, split-centre-NAME.csv, with that centre as external test.
        table: Take the roles from this CSV (a split table, the original's split file, or any table with a column split
            or role and slide and x,y (x_coord,y_coord), slide, patient,node or patient), as the metadata.csv of WILDS.
        map: What the values of its split column mean, as 0=train,1=validation,9= (nothing: no role).
        seed: Of the order in which patients of one size are dealt out.
        drop_duplicates: Of near-duplicate patches in two roles use only one, in a test rather than in training.
        allow_leak: Write the tables although they leak, and record what does.
        overwrite: Replace tables that are there.
        quiet: No progress bar.
    """
    from data_prep.splits.near import near_duplicates
    from data_prep.store import open_patches, require_apart

    require_seed(seed)
    require_apart([out], [store, table or ""])
    _require_one_way(folds, leave_one_centre_out, table, external_centres, fractions, map)
    with open_patches(store) as patches:
        rows = patches.rows
        tables = _tables(rows, out, external_centres, fractions, folds, leave_one_centre_out, table, map, seed)
        folder = out if folds or leave_one_centre_out else out.parent
        _require_room(folder, out, tables, overwrite)
        near = near_duplicates(patches, list(tables.values()), partial(progress, label="compare", quiet=quiet))
    request = {"store": store, "seed": seed, "folds": folds, "leave_one_centre_out": leave_one_centre_out}
    request |= {"external_centres": external_centres, "fractions": fractions, "from": table and str(table), "map": map}
    _finish(folder, rows, tables, near, request, drop_duplicates, allow_leak)


def _require_one_way(
    folds: int,
    leave_out: bool,
    table: Path | None,
    centres: tuple[str, ...],
    fractions: tuple[float, ...],
    mapping: str,
) -> None:
    if (folds != 0) + leave_out + (table is not None) > 1:
        raise InputError("choose one of --folds, --leave-one-centre-out and --from")
    if centres and (folds or leave_out):
        raise InputError(
            "--external-centres goes with one table; --folds and --leave-one-centre-out choose for themselves"
        )
    if fractions != FRACTIONS and (folds or table):
        raise InputError("--fractions has no meaning with --folds or --from; leave it out")
    if mapping and table is None:
        raise InputError("--map says what the values in --from FILE mean; give that file too")


def _tables(
    rows: "pd.DataFrame",
    out: Path,
    centres: tuple[str, ...],
    fractions: tuple[float, float, float],
    folds: int,
    leave_out: bool,
    table: Path | None,
    mapping: str,
    seed: int,
) -> "dict[str, np.ndarray]":
    """The role arrays (n,) by the names of their files."""
    from data_prep.splits import plan, split_by_patient

    if folds:
        return plan.fold_tables(rows, folds, seed)
    if leave_out:
        return plan.centre_tables(rows, seed, fractions)
    if table is None:
        return {out.name: split_by_patient(rows, seed, fractions, centres)}
    from data_prep.splits.fixed import fixed_roles

    return {out.name: fixed_roles(table, rows, mapping, centres)}


def _require_room(folder: Path, out: Path, tables: "dict[str, np.ndarray]", overwrite: bool) -> None:
    from data_prep.files import require_destination
    from data_prep.splits.plan import require_tables

    if folder == out:
        require_tables(folder, list(tables), overwrite)
        return
    if out.suffix.lower() != ".csv":
        raise InputError(f"{out}: name a .csv file")
    require_destination(out, overwrite)
    require_destination(out.with_suffix(".json"), overwrite)


def _finish(
    folder: Path,
    rows: "pd.DataFrame",
    tables: "dict[str, np.ndarray]",
    near: Any,
    request: dict[str, Any],
    drop: bool,
    allow: bool,
) -> None:
    """Drop, check, write and say."""
    from data_prep.splits import plan
    from data_prep.splits.summary import count_text, few_patients_text

    final = {name: plan.without_duplicates(roles, near) if drop else roles for name, roles in tables.items()}
    dropped = {name: int((final[name] != tables[name]).sum()) for name in tables}
    findings = plan.leak_findings(rows, final, near)
    plan.require_no_leak(findings, allow)
    plan.write_tables(
        folder, rows, final, {name: plan.record(request, findings[name], near, dropped[name]) for name in final}
    )
    for name, roles in final.items():
        say(f"{folder / name}:\n{count_text(rows, roles)}")
        if dropped[name]:
            say(f"{dropped[name]} near-duplicate patches serve nothing")
    say(f"near-duplicates: {near.compared} patches compared, {near.flat} flat ones left out (nothing to compare)")
    if few := few_patients_text(rows, final):
        warn(few)
    if not near.compared:
        warn("no patch could be compared: near-duplicates were not looked for")


def main(argv: Sequence[str]) -> None:
    """Parse `argv` and split."""
    run(split, "python -m data_prep split", argv)
