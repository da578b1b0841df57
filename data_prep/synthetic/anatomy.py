"""What lies in the field of a patch: regions of tissue and the nuclei in them, in physical units.

Sizes follow textbook histology of lymph nodes: lymphocyte nuclei of 6 to 7 µm, round and dense; germinal-centre blasts
of 9 to 10 µm, vesicular; carcinoma cells larger, pleomorphic, vesicular with a nucleolus, in nests with stroma between.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from data_prep.synthetic.noise import fractal, share_mask, smooth

LYMPHOCYTE, BLAST, TUMOR, SPINDLE = range(4)


@dataclass(frozen=True)
class CellKind:
    """How the nuclei of one kind of cell look: mean and deviation over nuclei (lengths in µm, densities in OD)."""

    diameter: tuple[float, float]
    aspect: tuple[float, float]
    irregularity: float
    density: tuple[float, float]
    rim: float
    chromatin: tuple[float, float]
    nucleolus: float


KINDS = (
    CellKind((6.5, 0.5), (1.10, 0.08), 0.035, (1.15, 0.17), 0.20, (0.16, 0.03), 0.0),
    CellKind((9.2, 0.9), (1.15, 0.10), 0.045, (0.84, 0.16), 0.38, (0.22, 0.04), 0.40),
    CellKind((9.2, 1.5), (1.25, 0.18), 0.075, (0.90, 0.22), 0.40, (0.28, 0.05), 0.95),
    CellKind((6.3, 0.8), (3.60, 0.70), 0.030, (0.95, 0.15), 0.20, (0.18, 0.03), 0.0),
)
TUMOR_GROWTH = 3.2
"""How much wider than a blast's a tumor nucleus is at difficulty 0 (µm); at difficulty 1 they are equal."""

MARGIN = 6.0  # µm around the patch in which nuclei lie that reach into it
TRIES = 0.14  # positions tried for each µm²: about five times what finds room


@dataclass(frozen=True)
class Regions:
    """Soft masks (side, side) float32, 0..1, of a patch."""

    nest: np.ndarray
    stroma: np.ndarray
    gap: np.ndarray


@dataclass(frozen=True)
class Nuclei:
    """One row a nucleus. Centers (x, y) and semi-axes in pixels, densities in OD; centers may lie outside of the patch.

    `wobble` (n, 4) complex: relative amplitude of the outline's harmonics 2 to 5.
    """

    kind: np.ndarray
    center: np.ndarray
    axes: np.ndarray
    angle: np.ndarray
    wobble: np.ndarray
    density: np.ndarray
    rim: np.ndarray
    chromatin: np.ndarray
    nucleolus: np.ndarray

    def __len__(self) -> int:
        return len(self.kind)


@dataclass(frozen=True)
class SlideTraits:
    """What the nuclei of one slide share, as factors around 1: size, density and coarseness of the chromatin."""

    size: float
    density: float
    chromatin: float


def draw_traits(rng: np.random.Generator) -> SlideTraits:
    """Traits of one slide: biological variation between patients that has nothing to do with the class."""
    return SlideTraits(*np.exp(rng.normal(0, [0.05, 0.08, 0.15])))


def draw_regions(rng: np.random.Generator, tumor: bool, difficulty: float, side: int, mpp: float) -> Regions:
    """Where large cells, stroma and gaps lie. `side` in pixels.

    The share of large cells is normal(.15) for normal and normal(.70) for tumor tissue with deviation
    0.06 + 0.36·difficulty, cut to .02...97: that is where the classes overlap.
    """
    share = np.clip(rng.normal(0.70 if tumor else 0.15, 0.06 + 0.36 * difficulty), 0.02, 0.97)
    nest = share_mask(fractal(rng, side, 22 / mpp, 2), share, 0.12)
    supporting = rng.uniform(0, 0.40)
    stroma = share_mask(smooth(rng, side, 16 / mpp), supporting, 0.15) * (1 - nest)
    gap = share_mask(fractal(rng, side, 12 / mpp, 2), max(0.0, rng.normal(0.02, 0.04)), 0.10)
    return Regions(nest, stroma, gap)


def draw_nuclei(
    rng: np.random.Generator,
    regions: Regions,
    tumor: bool | np.ndarray,
    difficulty: float,
    traits: SlideTraits,
    mpp: float,
) -> Nuclei:
    """Nuclei that touch but hardly overlap, of the kinds that belong in the regions where they lie.

    `tumor`: whether the large cells are tumor, everywhere or for each pixel: bool (side, side).
    """
    side, margin = len(regions.nest), MARGIN / mpp
    field = ((side + 2 * margin) * mpp) ** 2
    spots = rng.uniform(-margin, side + margin, (int(field * TRIES) + 8, 2))
    kinds = _kinds_at(rng, regions, spots, np.where(np.broadcast_to(tumor, regions.nest.shape), TUMOR, BLAST))
    spots, kinds = spots[kinds >= 0], kinds[kinds >= 0]
    order = np.argsort(~large_kind(kinds), kind="stable")  # large cells find room first
    spots, kinds = spots[order], kinds[order]
    nuclei = _draw_shapes(rng, spots, kinds, difficulty, traits, mpp)
    return _subset(nuclei, _without_overlap(nuclei, rng.uniform(0.92, 1.12), mpp))


def _kinds_at(rng: np.random.Generator, regions: Regions, spots: np.ndarray, large_kinds: np.ndarray) -> np.ndarray:
    """The kind of cell for each spot (n, 2), -1 where there is none; `large_kinds` (side, side): of large ones."""
    column, line = np.clip(spots.astype(int), 0, len(regions.nest) - 1).T
    large = large_kinds[line, column]
    nest, stroma, gap = (mask[line, column] for mask in (regions.nest, regions.stroma, regions.gap))
    dice = rng.uniform(size=(4, len(spots)))
    kinds = np.where(dice[0] < nest, large, np.where(dice[0] < nest + stroma, SPINDLE, LYMPHOCYTE))
    kinds[(kinds == large) & (dice[1] < 0.06)] = LYMPHOCYTE  # lymphocytes wander into nests
    kinds[(kinds == LYMPHOCYTE) & (dice[1] > 0.985)] = BLAST
    empty = (dice[2] < gap) | ((kinds == SPINDLE) & (dice[3] > 0.12))
    return np.where(empty, -1, kinds)


def _draw_shapes(
    rng: np.random.Generator,
    spots: np.ndarray,
    kinds: np.ndarray,
    difficulty: float,
    traits: SlideTraits,
    mpp: float,
) -> Nuclei:
    n = len(kinds)
    trait = {name: np.array([getattr(kind, name) for kind in KINDS])[kinds] for name in CellKind.__dataclass_fields__}
    normal = rng.standard_normal((4, n))
    mean = trait["diameter"][:, 0] + (kinds == TUMOR) * (1 - difficulty) * TUMOR_GROWTH
    diameter = np.maximum(mean + normal[0] * trait["diameter"][:, 1], 0.6 * mean) * traits.size
    aspect = np.maximum(trait["aspect"][:, 0] + normal[1] * trait["aspect"][:, 1], 1)
    harmonics = rng.standard_normal((n, 4)) + 1j * rng.standard_normal((n, 4))
    chromatin = (trait["chromatin"][:, 0] + normal[3] * trait["chromatin"][:, 1]) * traits.chromatin
    return Nuclei(
        kind=kinds,
        center=spots,
        axes=(diameter / 2 / mpp)[:, None] * np.stack([np.sqrt(aspect), 1 / np.sqrt(aspect)], axis=1),
        angle=rng.uniform(0, np.pi, n),
        wobble=trait["irregularity"][:, None] * harmonics / np.arange(1, 5) ** 0.7,
        density=np.maximum(trait["density"][:, 0] + normal[2] * trait["density"][:, 1], 0.3) * traits.density,
        rim=trait["rim"] * rng.uniform(0.6, 1.3, n),
        chromatin=np.maximum(chromatin, 0.04),
        nucleolus=trait["nucleolus"] * rng.uniform(0.2, 1.3, n),
    )


def _without_overlap(nuclei: Nuclei, room: float, mpp: float) -> np.ndarray:
    """Which nuclei stay when each keeps `room` times its radius, and cytoplasm, clear of those before it: bool (n,).

    Large cells come before all others.
    """
    large = large_kind(nuclei.kind)
    radius = np.sqrt(nuclei.axes.prod(axis=1)) * room + np.where(large, 0.9 / mpp, 0.0)
    discs = np.column_stack([nuclei.center, radius]).astype(np.float32)
    stays = np.ones(len(nuclei), dtype=bool)
    first, second = np.flatnonzero(large), np.flatnonzero(~large)
    stays[first] = _greedy(discs[first])
    stays[second[_under(discs[first[stays[first]]], discs[second])]] = False
    second = second[stays[second]]
    stays[second] = _greedy(discs[second])
    return stays


def _greedy(discs: np.ndarray) -> np.ndarray:
    """Which of the discs (n, 3: x, y, radius) stay when each gives way to those before it that stay: bool (n,)."""
    pairs = KDTree(discs[:, :2]).query_pairs(2 * float(discs[:, 2].max(initial=0)) + 1, output_type="ndarray")
    pairs = pairs[_meet(discs[pairs[:, 0]], discs[pairs[:, 1]])]
    pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
    ends = np.cumsum(np.bincount(pairs[:, 0], minlength=len(discs)))
    stays = np.ones(len(discs), dtype=bool)
    for i in np.flatnonzero(np.diff(ends, prepend=0)):
        if stays[i]:
            stays[pairs[ends[i - 1] if i else 0 : ends[i], 1]] = False
    return stays


def _under(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Numbers of the discs of `lower` (m, 3) that overlap one of `upper` (n, 3)."""
    reach = float(upper[:, 2].max(initial=0) + lower[:, 2].max(initial=0)) + 1
    near = KDTree(upper[:, :2]).sparse_distance_matrix(KDTree(lower[:, :2]), reach, output_type="ndarray")
    return near["j"][_meet(upper[near["i"]], lower[near["j"]])]


def _meet(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Which discs of `one` (k, 3) overlap their partners in `other` (k, 3): bool (k,)."""
    (x, y, radius), (x_other, y_other, radius_other) = one.T, other.T
    return (x_other - x) ** 2 + (y_other - y) ** 2 < (radius_other + radius) ** 2


def _subset(nuclei: Nuclei, chosen: np.ndarray) -> Nuclei:
    return Nuclei(**{name: getattr(nuclei, name)[chosen] for name in Nuclei.__dataclass_fields__})


def large_kind(kinds: np.ndarray) -> np.ndarray:
    """Which kinds of cell are large and lie apart in their own cytoplasm: bool (n,)."""
    return (kinds == TUMOR) | (kinds == BLAST)
