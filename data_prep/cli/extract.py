"""`python -m data_prep extract`: from slides and annotations to a patch store."""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from data_prep.console import progress, require_workers, run, say, warn
from data_prep.errors import InputError

if TYPE_CHECKING:
    from data_prep.cohorts import SlideEntry
    from data_prep.extraction import Extraction


def extract(
    slides: tuple[Path, ...],
    /,
    *,
    out: Path,
    annotations: Path | None = None,
    geojson_level0: bool = False,
    cohort: str = "plain",
    stages: Path | None = None,
    itc: Literal["negative", "tumor", "leave-out"] = "negative",
    mpp: float | None = None,
    size: int = 224,
    slide_mpp: float | None = None,
    allow_upsampling: bool = False,
    tissue: Literal["otsu", "saturation"] = "otsu",
    sampling: Literal["random", "grid", "original"] = "random",
    n: int | None = None,
    stride: int | None = None,
    coverage: float = 0.6,
    margin: int | None = None,
    white_level: int = 200,
    white_share: float = 0.3,
    white_share_max: float = 0.7,
    least_mean: float = 90,
    seed: int = 0,
    scheduler: str = "local",
    workers: int = 1,
    previews: Path | None = None,
    overwrite: bool = False,
    quiet: bool = False,
) -> None:
    """Cut patches out of whole-slide images, by tissue and annotation, into one patch store.

    A run that was stopped goes on where it was with the same command; the same seed gives the same patches on any
    number of workers. Exits with 0 when every slide was read, with 1 when some failed (the store holds the others, and
    the next run tries the failed ones again), with 2 when there is no store to write.

    Args:
        slides: Slides or plain images, in the order they shall have in the store.
        out: The patch store to write (.h5); a summary (.summary.md) and previews appear beside it.
        annotations: Folder of ASAP XML, QuPath GeoJSON or mask images, matched to slides by name.
        geojson_level0: GeoJSON counts from the corner of level 0, not from that of the scanned area as QuPath does.
        cohort: What file names say: plain (nothing), camelyon (patient, node, centre), or a table of slides
            FILE.csv with the columns slide,patient,centre,annotation,mpp[,name,label,role].
        stages: Camelyon17's table of stages (patient,stage): its negative nodes are wholly normal.
        itc: What nodes with nothing but isolated tumor cells are, by that table.
        mpp: Micrometres a pixel of the patches (default 0.25; not with --sampling original, which reads level 0).
        size: Edge of a patch in pixels.
        slide_mpp: Micrometres a level-0 pixel of every slide, where the files do not say it or are wrong.
        allow_upsampling: Let patches be finer than the slide.
        tissue: How tissue is told from glass: otsu as the original, or by saturation.
        sampling: random (places that never overlap), grid (every --stride pixels), or the original's rules.
        n: Patches of each class and slide, at most (random and original; default 500).
        stride: Pixels of the patches between two places of a grid (default: --size).
        coverage: Least share of annotation in a tumor patch, and of tissue in others, which touch no annotation.
        margin: Level-0 pixels to keep free along the edges (default 0; original: 32000 rows, 6400 columns).
        white_level: A channel value above it is white.
        white_share: Largest share of white values in a patch; grows by .05 with each 1000 patches refused for it.
        white_share_max: Where the white share stops growing and sampling ends.
        least_mean: Patches whose mean over all values is not above it are too dark.
        seed: Of every random draw.
        scheduler: local, or the address of a Dask scheduler (tcp://HOST:PORT) whose workers see the same paths.
        workers: Processes on this machine (with the local scheduler).
        previews: Folder for one picture a slide: tissue, annotation and places (default: beside the store).
        overwrite: Replace a store that was made of other slides or settings.
        quiet: No progress bar.
    """
    from data_prep.extraction import ExtractionSettings
    from data_prep.extraction import extract as work
    from data_prep.sampling import Limits
    from data_prep.store import require_apart

    limits = Limits(white_level, white_share, white_share_max, least_mean)
    settings = ExtractionSettings(
        mpp, size, tissue, sampling, n, stride, coverage, limits, margin, seed, allow_upsampling, not geojson_level0
    )
    require_workers(workers)
    require_apart([out], [Path(cohort), stages or ""])
    entries = _staged(_entries(slides, annotations, cohort, slide_mpp), stages, itc)
    _warn_of_missing(entries, annotations)
    bar = partial(_bar, quiet=quiet)
    result = work(
        entries,
        settings,
        out,
        scheduler=scheduler,
        workers=workers,
        previews=previews,
        overwrite=overwrite,
        progress=bar,
    )
    _report(out, result)


def _entries(
    slides: Sequence[Path], annotations: Path | None, cohort: str, slide_mpp: float | None
) -> "list[SlideEntry]":
    from dataclasses import replace

    from data_prep.cohorts import read_slides, slides_from_paths

    if cohort in ("plain", "camelyon"):
        return [replace(entry, mpp=slide_mpp) for entry in slides_from_paths(slides, annotations, cohort)]
    if slides or annotations or slide_mpp:
        raise InputError(f"{cohort}: a table names its slides, annotations and mpp itself; leave the others out")
    return read_slides(cohort)


def _staged(entries: "list[SlideEntry]", stages: Path | None, itc: str) -> "list[SlideEntry]":
    from data_prep.cohorts import ITC_POLICIES, apply_stages

    if stages is None:
        return entries
    staged = apply_stages(entries, stages, itc)
    say(ITC_POLICIES[itc])
    return staged


def _warn_of_missing(entries: "list[SlideEntry]", folder: Path | None) -> None:
    """Say which slides have no annotation where others have one, and which files of `folder` belong to none of them."""
    from data_prep.annotations.matching import could_belong
    from data_prep.cohorts.entry import NORMAL

    bare = [entry.slide for entry in entries if entry.annotation is None and entry.label != NORMAL]
    if not bare or (folder is None and len(bare) == len(entries)):
        return
    stem = next(entry.path.stem for entry in entries if entry.slide == bare[0])
    names = f"; {folder} would hold {stem}.xml, {stem}.geojson or {stem}_mask.png" if folder else ""
    remedy = f"{names}; a table (--cohort FILE.csv) names any file in its column annotation"
    warn(f"no annotation for {_some(bare)}: their patches are unlabelled{remedy}")
    used = {path.resolve() for entry in entries for path in (entry.path, entry.annotation) if path}
    files = filter(could_belong, sorted(folder.iterdir())) if folder else ()
    if strays := [path.name for path in files if path.resolve() not in used]:
        warn(f"{folder}: {_some(strays)} belong to none of these slides by name")


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _bar(items: Iterable[Any], total: int, quiet: bool) -> Iterable[Any]:
    return progress(items, "slides", total, quiet)


def _report(out: Path, result: "Extraction") -> None:
    from data_prep.extraction.summary import totals

    if not result.states:
        say(f"{out}: complete already, made of these slides with these settings; nothing to do")
        return
    for state in result.states:
        if state.unknown:
            regions = f"regions of unknown class ({_some(list(map(repr, state.unknown)))}) are neither tumor nor normal"
            warn(f"{state.slide}: {regions}; rename those that are tumor to Tumor, those free of it to Normal")
        if state.error:
            warn(f"{state.slide}: {state.error}")
    say(f"{out}: {totals(result.states)}; see {result.summary}")
    if result.failed:
        raise SystemExit(1)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command with the flags `argv`."""
    run(extract, "python -m data_prep extract", argv)
