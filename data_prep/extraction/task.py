"""Cuts the patches of one slide into its part; runs in any process on any machine that sees the files."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import pandas as pd

from data_prep.annotations import Annotation
from data_prep.errors import InputError
from data_prep.extraction.cutting import Piece, Read, block_of, cut
from data_prep.extraction.job import Job
from data_prep.extraction.preview import write_preview
from data_prep.extraction.settings import ExtractionSettings
from data_prep.extraction.state import SlideState, finished, write_state
from data_prep.extraction.survey import annotation_of, patch_side, survey
from data_prep.sampling import (
    VOID,
    Ground,
    Judge,
    generator_of,
    grid_places,
    label_of,
    original_places,
    random_places,
)
from data_prep.slides import Slide, open_slide, require_resolution
from data_prep.store import StoreWriter, make_rows
from data_prep.store.words import counted


def extract_slide(job: Job) -> SlideState:
    """Cut `job`'s slide, unless that is done, and write part, preview and state; a failure is a state too.

    The state is written last, so that it vouches for the rest. Raises `InputError` where it cannot be written.
    """
    if state := finished(job):
        return state
    try:
        state = _extract(job)
    except InputError as error:
        state = _failed(job, str(error))
    except Exception as error:  # one bad slide must not stop the others, however it is bad
        state = _failed(job, f"{job.entry.path}: {type(error).__name__}: {error}")
    write_state(job.state, state)
    return state


def _failed(job: Job, reason: str) -> SlideState:
    return SlideState(job.key, job.entry.slide, "failed", error=" ".join(reason.split()))


def _extract(job: Job) -> SlideState:
    with open_slide(job.entry.path, job.entry.mpp) as slide:
        require_resolution(slide, job.settings.patch_mpp(slide.mpp), job.settings.allow_upsampling)
        annotation = annotation_of(job.entry, slide, job.settings)
        found = survey(slide, annotation, job.settings)
        cutter = _Cutter(job, slide, found.ground)
        cutter.write()
        corners = {kind: np.concatenate(blocks) for kind, blocks in cutter.corners.items()}
        write_preview(job.preview, slide, found.picture, found.ground, corners, patch_side(slide, job.settings))
        return cutter.state(annotation or Annotation(None))


@dataclass
class _Cutter:
    """Writes the patches of one slide, class by class, and remembers where they lie."""

    job: Job
    slide: Slide
    ground: Ground
    corners: dict[str, list[np.ndarray]] = field(default_factory=lambda: defaultdict(list))
    judges: dict[str, Judge] = field(default_factory=dict)

    def write(self) -> None:
        """Write the part; none where there is not a single patch."""
        self.job.part.unlink(missing_ok=True)
        pieces = self._pieces()
        first, size = next(pieces, None), self.job.settings.size
        if first is None:
            return
        # Not flushed, as its checksums tell what a power cut has lost: a core would stand idle until the disk is done.
        with StoreWriter(self.job.part, (size, size), durable=False) as writer:
            for kind, (corners, patches) in chain([first], pieces):
                writer.append(patches, self._rows(kind, corners))
                self.corners[kind].append(corners)

    def _pieces(self) -> Iterator[tuple[str, Piece]]:
        settings, read = self.job.settings, _reader(self.slide, self.job.settings)
        block, as_original = block_of(settings.size), settings.sampling == "original"
        for kind in self.ground.kinds:
            void = None if as_original else VOID
            judge = self.judges[kind] = Judge(settings.limits, settings.sampling != "grid", void)
            places = _places(self.job, self.slide, self.ground, kind)
            for piece in cut(places, judge, settings.wanted, read, block, as_original):
                yield kind, piece

    def _rows(self, kind: str, corners: np.ndarray) -> pd.DataFrame:
        entry, done = self.job.entry, sum(map(len, chain(*self.corners.values())))
        values = {
            "source": self.job.source,
            "entry": entry.slide,
            "patch_no": np.arange(done, done + len(corners)),
            "patient": entry.patient,
            "slide": entry.slide,
            "centre": entry.centre,
            "label": label_of(kind),
            "x": corners[:, 0],
            "y": corners[:, 1],
            "mpp": self.job.settings.patch_mpp(self.slide.mpp),
            "role": entry.role,
        }
        return make_rows(len(corners), values)

    def state(self, annotation: Annotation) -> SlideState:
        """What came of it."""
        patches = {kind: sum(map(len, self.corners[kind])) for kind in self.ground.kinds}
        refused = {kind: dict(judge.refused) for kind, judge in self.judges.items()}
        total = sum(patches.values())
        return SlideState(
            self.job.key,
            self.job.entry.slide,
            "done" if total else "empty",
            self.slide.mpp,
            patches,
            refused,
            (*sorted(self.slide.notes), *annotation.notes, *self._shortage(patches, refused)),
            "" if total else self._reason(refused),
            annotation.unknown,
        )

    def _shortage(self, patches: dict[str, int], refused: dict[str, dict[str, int]]) -> tuple[str, ...]:
        wanted, notes = self.job.settings.wanted, []
        for kind, count in patches.items():
            if wanted is not None and count < wanted:
                bad = sum(refused[kind].values())
                places = f"{counted(bad, 'place')} refused; " if bad else ""
                notes.append(f"{count} of {wanted} {kind} patches: {places}{self._end(kind)}")
        return tuple(notes)

    def _end(self, kind: str) -> str:
        """Why there was no further place to look at, and what may help."""
        if self.judges[kind].exhausted:
            return "sampling ended there, as these were too many"
        known = kind == "normal" and not self.ground.tumor.is_empty
        what = "of it annotated" if kind == "tumor" else f"tissue{' outside of the annotation' if known else ''}"
        apart = " without overlap" if self.job.settings.sampling == "random" else ""
        hint = "; --tissue saturation may see more" if kind != "tumor" and self.job.settings.tissue == "otsu" else ""
        return f"no further place has enough {what}{apart}{hint}"

    def _reason(self, refused: dict[str, dict[str, int]]) -> str:
        if not self.ground.tissue.any():
            return f"{self.slide.path}: no tissue found; look at its preview, or try the other --tissue"
        tried = sum(sum(reasons.values()) for reasons in refused.values())
        if tried:
            return f"{self.slide.path}: not one of {tried} places gave a patch: all white, black or dark"
        return f"{self.slide.path}: no place for a patch: lower --coverage, --size or --margin"


def _places(job: Job, slide: Slide, ground: Ground, kind: str) -> Iterator[np.ndarray]:
    settings, side = job.settings, patch_side(slide, job.settings)
    margin, coverage = settings.margin or 0, settings.coverage
    if settings.sampling == "grid":
        stride = side * (settings.stride or settings.size) / settings.size
        return grid_places(ground, kind, side, coverage, margin, stride)
    chance = generator_of(settings.seed, job.entry.slide, kind)
    if settings.sampling == "random":
        return random_places(ground, kind, side, coverage, margin, chance)
    return original_places(ground, kind, settings.size, coverage, settings.margin, settings.wanted or 0, chance)


def _reader(slide: Slide, settings: ExtractionSettings) -> Read:
    size, mpp = settings.size, settings.patch_mpp(slide.mpp)
    return lambda x, y: slide.read(x, y, size, mpp)
