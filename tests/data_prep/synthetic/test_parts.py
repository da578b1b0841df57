import numpy as np
import pytest

from data_prep.synthetic.anatomy import LYMPHOCYTE, SPINDLE, TUMOR, Nuclei, draw_nuclei, draw_regions, draw_traits
from data_prep.synthetic.looks import CENTRE_LOOKS, Look, photograph
from data_prep.synthetic.noise import fibres, fractal, share_mask, smooth
from data_prep.synthetic.paint import paint_nuclei


def one_nucleus(center: tuple[float, float], axes: tuple[float, float], angle: float = 0) -> Nuclei:
    single = {name: np.array([value]) for name, value in {"density": 1.0, "rim": 0, "chromatin": 0.3}.items()}
    return Nuclei(
        kind=np.array([LYMPHOCYTE]),
        center=np.array([center], dtype=float),
        axes=np.array([axes], dtype=float),
        angle=np.array([angle]),
        wobble=np.zeros((1, 4), complex),
        nucleolus=np.zeros(1),
        **single,
    )


def paint(nuclei: Nuclei, side: int = 64):
    return paint_nuclei(np.random.default_rng(0), nuclei, side, 0.5)


@pytest.mark.parametrize(("axes", "angle"), [((10, 10), 0), ((14, 7), 0), ((14, 7), 0.7), ((18, 4), 2.0)])
def test_an_ellipse_has_the_area_of_an_ellipse(axes, angle) -> None:
    canvas = paint(one_nucleus((31.3, 32.8), axes, angle))
    area = np.pi * axes[0] * axes[1]
    assert canvas.cover.sum() == pytest.approx(area, rel=0.02)
    assert (canvas.labels == 1).sum() == pytest.approx(area, rel=0.04)


def test_a_nucleus_lies_where_it_should() -> None:
    cover = paint(one_nucleus((20.25, 40.75), (8, 8))).cover
    ys, xs = np.mgrid[:64, :64]
    assert (cover * xs).sum() / cover.sum() == pytest.approx(20.25, abs=0.02)
    assert (cover * ys).sum() / cover.sum() == pytest.approx(40.75, abs=0.02)


def test_outlines_are_anti_aliased() -> None:
    cover = paint(one_nucleus((31.5, 31.5), (10, 10))).cover
    partial = (cover > 0.01) & (cover < 0.99)
    assert 40 < partial.sum() < 120


def test_a_nucleus_across_the_border_is_cut() -> None:
    canvas = paint(one_nucleus((-2, 30), (8, 8)))
    assert 0 < (canvas.labels == 1).sum() < np.pi * 64 / 2
    assert canvas.cover[:, 10:].sum() == 0


def test_tumor_tissue_holds_tumor_cells_and_normal_tissue_none() -> None:
    for tumor in (False, True):
        rng = np.random.default_rng(3)
        regions = draw_regions(rng, tumor, 0.0, 128, 0.5)
        nuclei = draw_nuclei(rng, regions, tumor, 0.0, draw_traits(rng), 0.5)
        assert (nuclei.kind == TUMOR).any() == tumor
        assert len(nuclei) > 20
        spindle, round_ = nuclei.axes[nuclei.kind == SPINDLE], nuclei.axes[nuclei.kind == LYMPHOCYTE]
        assert (round_[:, 0] / round_[:, 1]).mean() < 1.3
        assert not len(spindle) or (spindle[:, 0] / spindle[:, 1]).mean() > 2


def test_nuclei_hardly_overlap() -> None:
    rng = np.random.default_rng(4)
    regions = draw_regions(rng, False, 0.5, 128, 0.5)
    nuclei = draw_nuclei(rng, regions, False, 0.5, draw_traits(rng), 0.5)
    area = np.pi * nuclei.axes.prod(axis=1).sum()
    inner = paint(nuclei, 128).cover.sum() / 128**2
    assert 0.2 < inner < 0.75
    assert inner > 0.75 * area / (128 + 24) ** 2


def test_beer_lambert() -> None:
    look = Look.of((0.65, 0.70, 0.29), (0.07, 0.99, 0.11), (240, 241, 242), 0.01, 0)
    rng = np.random.default_rng(0)
    patch = photograph(rng, np.full((8, 8), 0.5), np.full((8, 8), 0.2), look, 0.5)
    density = 0.5 * look.hematoxylin + 0.2 * look.eosin
    np.testing.assert_allclose(patch[4, 4], look.white * np.exp(-density), atol=0.6)


def test_an_empty_slide_is_white() -> None:
    for look in CENTRE_LOOKS:
        patch = photograph(np.random.default_rng(0), np.zeros((32, 32)), np.zeros((32, 32)), look, 0.5)
        np.testing.assert_allclose(patch.mean(axis=(0, 1)), look.white, atol=1)


def test_mixed_looks_lie_between() -> None:
    first, second = CENTRE_LOOKS[:2]
    np.testing.assert_allclose(first.mixed(second, 0).eosin, first.eosin)
    np.testing.assert_allclose(first.mixed(second, 1).white, second.white)
    assert first.mixed(second, 0.5).blur == pytest.approx((first.blur + second.blur) / 2)


@pytest.mark.parametrize("scale", [0.7, 2, 9, 60])
def test_noise_has_unit_deviation(scale) -> None:
    rng = np.random.default_rng(0)
    for field in (smooth, fractal):
        values = np.array([field(rng, 96, scale) for _ in range(40)])
        assert abs(values.mean()) < 0.3
        assert 0.75 < values.std() < 1.35


def test_larger_scales_are_smoother() -> None:
    rng = np.random.default_rng(0)
    slopes = [np.abs(np.diff(smooth(rng, 96, scale))).mean() for scale in (2, 6, 18)]
    assert slopes[0] > 2 * slopes[1] > 4 * slopes[2]


def test_a_share_mask_covers_its_share() -> None:
    field = smooth(np.random.default_rng(1), 128, 10)
    assert share_mask(field, 0.3, 0.05).mean() == pytest.approx(0.3, abs=0.02)
    assert not share_mask(field, 0, 0.05).any()
    assert share_mask(field, 1, 0.01).mean() > 0.99


def test_fibres_run_between_0_and_1() -> None:
    field = fibres(np.random.default_rng(2), 64, 3)
    assert field.min() >= 0
    assert field.max() == pytest.approx(1, abs=0.02)
