"""`python -m data_prep concepts`: what can be measured on every patch of a store, as a concept table."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from data_prep.console import progress, require_mpp, require_seed, require_workers, run, say, warn
from data_prep.errors import InputError
from data_prep.files import require_destination

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from data_prep.concepts.job import Job


def concepts(
    store: str,
    /,
    *,
    out: Path,
    only: str = "",
    segmenter: str = "",
    mpp: float | None = None,
    plugin: Path | None = None,
    seed: int | None = None,
    csv: Path | None = None,
    original: Path | None = None,
    split: str = "",
    workers: int = 1,
    overwrite: bool = False,
    quiet: bool = False,
) -> None:
    """Measure concepts on every patch of a store and write them as a table for `mta.train --concept-file`.

    Values are raw, in the units of docs/concepts.md; what cannot be known is absent.

    Args:
        store: A patch file (.h5) of any layout, or several as name=path,name=path.
        out: The concept table to write (.h5).
        only: The concepts to measure, comma-separated (default: all; `random` is the control).
        segmenter: How to find nuclei, as in `nuclei` (default: the store's masks, or `classical` where it has none).
        mpp: Micrometres a pixel of the patches that do not know theirs (40x: 0.25, 20x: 0.5).
        plugin: A Python file with concepts of your own (docs/concepts.md). It is run, so name only one that you trust.
        seed: Add the control concept `random`, drawn from this seed (0 where only --only asks for it).
        csv: Also write the table as text.
        original: Also write z-scores in the layout of the original's concept file, fitted on the training rows, or on
            all where no row has a role.
        split: A split table that says which rows are for training, for --original (default: the roles in the store).
        workers: Processes that measure beside each other.
        overwrite: Replace files that exist.
        quiet: No progress bar.
    """
    written = [path for path in (out, csv, original) if path is not None]
    _check(written, mpp, seed, workers, overwrite)
    if split and original is None:
        raise InputError("--split says what --original is fitted on; without it values are raw, and nothing is fitted")
    from data_prep.concepts.job import Job, measure_store
    from data_prep.store import require_apart, write_concepts

    require_apart(written, [store, plugin or "", Path(split), Path(segmenter.partition(":")[2])])
    names, control = _names(only, seed)
    job = Job(store, names, segmenter, mpp, plugin, control)
    fitted = None if original is None else _fitted(store, split)
    table = measure_store(job, workers, partial(progress, label=out.name, quiet=quiet))
    write_concepts(out, table, _made(job, table))
    _report(out, table)
    if csv is not None:
        _write_csv(csv, table)
    if original is not None and fitted is not None:
        _write_original(original, table, *fitted, quiet)


def _check(files: list[Path], mpp: float | None, seed: int | None, workers: int, overwrite: bool) -> None:
    for path in files:
        require_destination(path, overwrite)
    require_mpp(mpp)
    require_workers(workers)
    require_seed(seed)


def _names(only: str, seed: int | None) -> tuple[tuple[str, ...] | None, int | None]:
    """The concepts to measure, None for all, and the seed of the control, None for no control."""
    from data_prep.concepts import RANDOM

    wanted = tuple(name.strip() for name in only.split(",") if name.strip())
    if not wanted:
        return None, seed
    if RANDOM in wanted and seed is None:
        seed = 0
    return tuple(name for name in wanted if name != RANDOM), seed


def _made(job: "Job", table: "pd.DataFrame") -> dict[str, object]:
    """How the table was made, for its file."""
    from hashlib import sha256
    from importlib.metadata import version

    plugin = None
    if job.plugin is not None:
        plugin = {"file": job.plugin.name, "sha256": sha256(job.plugin.read_bytes()).hexdigest()}
    return {
        "version": version("mta"),
        "nuclei": table.attrs["nuclei"],
        "mpp": job.mpp,
        "plugin": plugin,
        "seed": job.seed,
    }


def _report(out: Path, table: "pd.DataFrame") -> None:
    """A line for each concept, and warnings of those that say nothing."""
    import pandas as pd

    from data_prep.store.words import counted

    values = {"mean": table.mean(), "std": table.std(ddof=0), "min": table.min(), "max": table.max()}
    summary = pd.DataFrame({"unit": table.attrs["units"], **values, "absent": table.isna().sum()}).loc[list(table)]
    say(summary.to_string(float_format="{:.4g}".format))
    if empty := [str(name) for name in table if table[name].isna().all()]:
        warn(f"no patch has a value of {', '.join(empty)}; where it is for want of micrometres a pixel, give --mpp")
    if constant := [str(name) for name in table if len(table) > 1 and table[name].nunique() == 1]:
        warn(f"equal on all patches that have a value: {', '.join(constant)}")
    nuclei = f", nuclei: {table.attrs['nuclei']}" if table.attrs["nuclei"] else ""
    say(f"{out}: {counted(len(table.columns), 'concept')} of {len(table)} patches{nuclei}")


def _write_csv(path: Path, table: "pd.DataFrame") -> None:
    from data_prep.files import replacing

    units = table.attrs["units"]
    with replacing(path) as temporary:
        table.rename(columns={name: f"{name} [{units[name]}]" for name in table}).to_csv(temporary)
    say(f"{path}: the table as text")


def _fitted(store: str, split: str) -> "tuple[np.ndarray, str]":
    """Whether each row (n,) is one that z-scores are fitted on, and what to call these rows."""
    import numpy as np

    from data_prep.splits import training_rows
    from data_prep.store import open_patches

    with open_patches(store) as patches:
        rows, training = patches.rows, training_rows(patches.rows, split)
    if training is None:
        return np.ones(len(rows), bool), f"all {len(rows)} rows, for want of roles"
    return np.isin(np.arange(len(rows)), training), f"the {len(training)} training rows"


def _write_original(path: Path, table: "pd.DataFrame", fitted: "np.ndarray", of: str, quiet: bool) -> None:
    from data_prep.concepts.original import write_original

    scales = write_original(path, table, fitted, partial(progress, label=path.name, quiet=quiet))
    say(scales.to_string(float_format="{:.6g}".format))
    if missing := [str(name) for name in table if name not in scales.index]:
        warn(f"{path}: left out, absent or constant on {of}: {', '.join(missing)}")
    say(f"{path}: z-scores in the original's layout, by mean and deviation of {of}")


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command with the flags `argv`."""
    run(concepts, "python -m data_prep concepts", argv)
