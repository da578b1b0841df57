"""A picture of a synthetic data set: one row a centre, normal tissue left and tumor right."""

import numpy as np

from data_prep.synthetic.cohort import plan_rows
from data_prep.synthetic.generate import draw_patch, draw_slides
from data_prep.synthetic.spec import CENTRES, SyntheticSpec

GAP = 2  # white pixels around a patch
COLUMNS = 4  # patches of each class in a row


def contact_sheet(spec: SyntheticSpec) -> np.ndarray:
    """RGB `uint8` picture: for each of the centres four normal patches, then four tumor patches, of various patients.

    The patches are those of the data set `spec`; where a centre has too few of a class, places stay white.
    """
    rows = plan_rows(spec)
    slides = draw_slides(spec, rows)
    frame, gutter = spec.size + 2 * GAP, 4 * GAP
    sheet = np.full((CENTRES * frame, 2 * COLUMNS * frame + gutter, 3), 255, dtype=np.uint8)
    for (centre, label), group in rows.groupby(["centre", "label"]):
        picks = np.unique(np.linspace(0, len(group) - 1, COLUMNS).astype(int))
        for column, (number, row) in enumerate(group.iloc[picks].iterrows()):
            top = int(centre) * frame + GAP
            left = (label * COLUMNS + column) * frame + label * gutter + GAP
            patch = draw_patch(spec, number, slides[row["slide"]], bool(label))[0]
            sheet[top : top + spec.size, left : left + spec.size] = patch
    return sheet
