"""The prediction of one slide, from its tissue to its files."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from data_prep.console import progress
from data_prep.errors import InputError
from data_prep.slides import Slide, open_slide
from data_prep.store.words import counted
from mta.predicting import BATCH, answers, predicted_columns
from mta.predictor import Predictor
from mta.slides.grid import Grid, lay_grid
from mta.slides.heatmap import Heatmap
from mta.slides.job import SlideJob, clear, finish, finished
from mta.slides.overlay import Overlay
from mta.slides.reading import batches
from mta.slides.regions import write_regions
from mta.slides.settings import SlideSettings
from mta.slides.staining import slide_normalization
from mta.slides.summary import DESCRIPTION, describe
from mta.slides.tables import write_csv, write_hdf5
from mta.slides.tiff import write_heatmap

TUMOR = "tumor probability"


@dataclass(frozen=True)
class Work:
    """What all slides share: model, settings, reader threads, and whether to show no progress."""

    predictor: Predictor
    settings: SlideSettings
    workers: int
    quiet: bool

    @property
    def concepts(self) -> dict[str, str]:
        """Concept -> unit."""
        return {name: scale.unit for name, scale in self.predictor.coding.scales.items()}

    @property
    def channels(self) -> list[str]:
        """What the heatmaps are called, with units."""
        return [TUMOR, *(f"{name} [{unit}]" if unit else name for name, unit in self.concepts.items())]


def predict_slide(job: SlideJob, work: Work) -> dict[str, Any]:
    """Predict `job`'s slide, unless that is done, write its files, and return its summary; a failure is one too.

    Failures leave no state, so that the next run tries again.
    """
    if summary := finished(job):
        return summary
    try:
        return _predict(job, work)
    except InputError as error:
        reason = str(error)
    except Exception as error:  # one bad slide must not stop the others, however it is bad
        reason = f"{job.entry.path}: {type(error).__name__}: {error}"
    return {"slide": job.entry.slide, "status": "failed", "error": " ".join(reason.split())}


def _predict(job: SlideJob, work: Work) -> dict[str, Any]:
    clear(job)
    predictor, settings = work.predictor, work.settings
    with open_slide(job.entry.path, job.entry.mpp) as slide:
        grid = lay_grid(slide, predictor.side, settings.patch_mpp(predictor), settings)
        found = _look(slide, grid, work)
        maps = found.heatmap.maps()
        files = _write(job.folder, grid, found, maps, work)
        regions = write_regions(job.folder / "regions.geojson", grid, maps, work.channels, settings.threshold)
        files += [job.folder / "regions.geojson", *_draw(job.folder, slide, grid, maps, work)]
        summary = _summary(job, slide, grid, found, maps, work) | {"regions": regions}
    finish(job, summary, files)
    return summary


@dataclass
class Found:
    """`columns` (n,) of all patches, `heatmap` of probability and concepts, and `notes` on the slide."""

    columns: dict[str, np.ndarray]
    heatmap: Heatmap
    notes: list[str] = field(default_factory=list)


def _look(slide: Slide, grid: Grid, work: Work) -> Found:
    """Ask the model about every patch of `grid`."""
    predictor, count = work.predictor, len(grid.places)
    normalize, note = slide_normalization(predictor, slide, grid)
    names = ["probability", *work.concepts]
    heatmap, pieces = Heatmap(grid, len(names)), []
    read = batches(slide, grid, normalize, work.workers)
    for rows, images in progress(read, f"{slide.name}: batches", -(-count // BATCH), work.quiet):
        columns = predicted_columns(answers(predictor.model, {"image": images}), predictor.coding)
        heatmap.add(grid.cells[rows], np.stack([columns[name] for name in names]))
        pieces.append(columns)
    whole = {name: np.concatenate([columns[name] for columns in pieces]) for name in pieces[0]}
    return Found(whole, heatmap, [*sorted(slide.notes), *([note] if note else [])])


def _write(folder: Path, grid: Grid, found: Found, maps: np.ndarray, work: Work) -> list[Path]:
    """The tables and the heatmap."""
    csv, hdf5, tiff = (folder / name for name in ("patches.csv", "patches.h5", "heatmap.ome.tif"))
    write_csv(csv, grid.places, found.columns)
    facts = {"size": grid.size, "mpp": grid.mpp, "level0_side": grid.side, "level0_stride": grid.stride}
    write_hdf5(hdf5, grid.places, found.columns, work.concepts, facts)
    write_heatmap(tiff, maps, work.channels, grid.cell_mpp)
    return [csv, hdf5, tiff]


def _draw(folder: Path, slide: Slide, grid: Grid, maps: np.ndarray, work: Work) -> list[Path]:
    """A picture of each heatmap."""
    paths = [folder / f"{name}.png" for name in ("probability", *work.concepts)]
    overlay = Overlay(slide, grid)
    thresholds = [work.settings.threshold, *(None for _ in work.concepts)]
    for path, values, label, threshold in zip(paths, maps, work.channels, thresholds, strict=True):
        overlay.draw(path, values, label, threshold)
    return paths


def _summary(job: SlideJob, slide: Slide, grid: Grid, found: Found, maps: np.ndarray, work: Work) -> dict[str, Any]:
    concepts = {name: found.columns[name] for name in work.concepts}
    numbers = describe(grid, found.columns["probability"], maps, concepts, work.settings.threshold)
    return {
        "slide": job.entry.slide,
        "status": "done",
        "what": DESCRIPTION,
        **numbers,
        "units": work.concepts,
        "threshold": work.settings.threshold,
        "slide_mpp": slide.mpp,
        "patch_mpp": grid.mpp,
        "patch_size": grid.size,
        "stride": work.settings.patch_stride(grid.size),
        "notes": found.notes,
    }


def line(summary: dict[str, Any]) -> str:
    """What is said of a slide that went well."""
    share = f"{summary['share_above']:.1%} of {counted(summary['patches'], 'patch')}"
    return f"{summary['slide']}: {share} at {summary['threshold']:g} or more, {summary['above_mm2']:.3g} mm2"
