"""A cohort of small synthetic whole-slide images with annotations: what extraction needs, and the truth beside it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from data_prep.files import replacing
from data_prep.synthetic.anatomy import SlideTraits, draw_nuclei, draw_traits
from data_prep.synthetic.looks import CENTRE_LOOKS, EXTERNAL_LOOKS, photograph, vary
from data_prep.synthetic.paint import number_visible
from data_prep.synthetic.scene import DIFFICULTY, Outline, draw_scene
from data_prep.synthetic.slide_files import ASAP, QUPATH, write_annotation, write_labels, write_pyramid
from data_prep.synthetic.spec import CENTRES, within
from data_prep.synthetic.tissue import stain_section

TABLE = "slides.csv"
NUCLEI = "nuclei"  # folder of the true label maps
LOOKS = (*CENTRE_LOOKS, EXTERNAL_LOOKS[0])
UNSCANNED = {1: 0, 3: 255}
"""Gray level of what a centre's scanner leaves out; the others scan the glass as well."""
STREAMS = {"traits": 4, "slide": 5}  # those of the patches are 0 to 3
PEOPLE = 20  # Camelyon17 numbers its patients so that patient // 20 is the centre


@dataclass(frozen=True)
class SlideSpec:
    """Size and seed of a cohort of slides; equal specs give equal bytes.

    `slides`, `patients`: how many; a patient belongs to one of five centres in turn, and the slides beyond one for each
    are the first patient's. `side`: width in pixels; the height is four fifths of it. `mpp`: micrometres a pixel.
    Raises `InputError` on a value outside of its range.
    """

    slides: int = 8
    patients: int = 6
    side: int = 2500
    mpp: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        within(self, "slides", 1, 1000)
        within(self, "patients", 1, min(self.slides, CENTRES * PEOPLE))
        within(self, "side", 640, 4096)
        within(self, "mpp", 0.2, 1)
        within(self, "seed", 0, 2**63 - 1)


@dataclass(frozen=True)
class DrawnSlide:
    """`image` (h, w, 3) RGB uint8; `labels` (h, w) uint32 numbers the nuclei; `outlines` of its metastases."""

    image: np.ndarray
    labels: np.ndarray
    outlines: tuple[Outline, ...]


def synthesize_slides(
    folder: str | Path,
    slides: int = SlideSpec.slides,
    patients: int = SlideSpec.patients,
    side: int = SlideSpec.side,
    mpp: float = SlideSpec.mpp,
    seed: int = SlideSpec.seed,
    bar: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> Path:
    """Write a cohort of H&E lymph nodes into `folder` and return its table `slides.csv`.

    Each slide is a pyramidal tiled TIFF (JPEG, every third one deflate) whose resolution tags hold its mpp, with
    outlines of its metastases as ASAP XML, the last of several as QuPath GeoJSON; slides with an odd node number have
    none. The table's columns are slide, patient, centre, annotation and mpp, paths relative to it; mpp is empty, since
    the slides know theirs. `nuclei/NAME.tif` holds the true nuclei: uint32, 0 background, numbered from 1.
    The arguments are those of `SlideSpec`; `bar` may watch the numbers of the slides. The table is written last.
    """
    spec = SlideSpec(slides, patients, side, mpp, seed)
    folder = Path(folder)
    table = plan_slides(spec)
    for number in bar(range(len(table))):
        _write(folder, table.iloc[number], draw_slide(spec, number), spec.mpp, lossless=number % 3 == 2)
    with replacing(folder / TABLE) as temporary:
        table.to_csv(temporary, index=False)
    return folder / TABLE


def plan_slides(spec: SlideSpec) -> pd.DataFrame:
    """The slide table: columns slide, patient, centre, annotation, mpp."""
    people = np.concatenate([np.zeros(spec.slides - spec.patients, int), np.arange(spec.patients)])
    table = pd.DataFrame({"number": PEOPLE * (people % CENTRES) + people // CENTRES})
    table["patient"] = [f"patient_{number:03d}" for number in table["number"]]
    table["centre"] = (people % CENTRES).astype(str)
    name = table["patient"] + "_node_" + table.groupby("patient").cumcount().astype(str)
    suffix = np.where(np.arange(1, spec.slides + 1) == max(spec.slides, 2), QUPATH, ASAP)
    return table.assign(slide=name + ".tif", annotation=name + suffix, mpp="")[
        ["slide", "patient", "centre", "annotation", "mpp"]
    ]


def draw_slide(spec: SlideSpec, number: int) -> DrawnSlide:
    """Slide `number` of `plan_slides(spec)`."""
    row = plan_slides(spec).iloc[number]
    centre = int(row["centre"])
    rng = np.random.default_rng([spec.seed, STREAMS["slide"], number])
    side = spec.side * 4 // 5
    scene = draw_scene(rng, has_tumor(row["slide"]), side, spec.mpp)
    nuclei = draw_nuclei(rng, scene.regions, scene.tumor, DIFFICULTY, _traits(spec, row["patient"]), spec.mpp)
    hematoxylin, eosin, canvas = stain_section(rng, scene.regions, nuclei, spec.mpp)
    margin = ((0, 0), (0, spec.side - side))
    look = vary(rng, LOOKS[centre], 0.08)
    image = photograph(rng, np.pad(hematoxylin, margin), np.pad(eosin, margin), look, spec.mpp)
    if centre in UNSCANNED:
        image[:, side:] = UNSCANNED[centre]
    labels, _ = number_visible(canvas.labels, len(nuclei))
    return DrawnSlide(image, np.pad(labels, margin).astype(np.uint32), scene.outlines)


def has_tumor(slide: str) -> bool:
    """Whether the slide of this name has metastases: those of even nodes have."""
    return int(Path(slide).stem.rpartition("_")[2]) % 2 == 0


def _traits(spec: SlideSpec, patient: str) -> SlideTraits:
    number = int(patient.rpartition("_")[2])
    return draw_traits(np.random.default_rng([spec.seed, STREAMS["traits"], number]))


def _write(folder: Path, row: pd.Series, drawn: DrawnSlide, mpp: float, lossless: bool) -> None:
    write_pyramid(folder / row["slide"], drawn.image, mpp, lossless)
    write_labels(folder / NUCLEI / row["slide"], drawn.labels, mpp)
    write_annotation(folder / row["annotation"], drawn.outlines)
