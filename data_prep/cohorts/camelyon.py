"""What the file names of Camelyon16 and Camelyon17 say of a slide."""

import re
from pathlib import Path

from data_prep.cohorts.entry import NORMAL, TUMOR, SlideEntry
from data_prep.errors import InputError

_SEVENTEEN = re.compile(r"patient_(?P<patient>\d{3})_node_(?P<node>\d)", re.IGNORECASE)
_SIXTEEN = re.compile(r"(?P<kind>tumor|normal|test)_(?P<number>\d{3})", re.IGNORECASE)
_MASK = re.compile(r"_mask$", re.IGNORECASE)
CAMELYON16 = "5"
# Patients 0 to 99 are the training set, 20 of each centre in order; of the test set no names of centres are published.
_A_CENTRE, _TRAINING = 20, 100
_LABELS = {"tumor": TUMOR, "normal": NORMAL, "test": ""}


def camelyon_entry(path: Path) -> SlideEntry:
    """Patient, slide, centre and label of a Camelyon slide, by its file name; a mask (`_Mask.tif`) names its slide.

    Camelyon17 (`patient_004_node_4`): centre = patient // 20, "" for the test patients from 100 on. Camelyon16
    (`tumor_042`, `normal_042`, `test_042`: three different patients): centre "5", as in the original's domains; slides
    called `normal` are wholly so. Raises `InputError` for any other name.
    """
    name = _MASK.sub("", path.stem)
    if match := _SEVENTEEN.fullmatch(name):
        number = int(match["patient"])
        patient = f"camelyon17_patient{number:03d}"
        centre = str(number // _A_CENTRE) if number < _TRAINING else ""
        return SlideEntry(path, f"{patient}_node{int(match['node'])}", patient, centre)
    if match := _SIXTEEN.fullmatch(name):
        kind, number = match["kind"].lower(), int(match["number"])
        # The original calls the tumor slides patients, and so do its files (docs/formats.md).
        patient = f"camelyon16_{'patient' if kind == 'tumor' else kind}{number:03d}"
        return SlideEntry(path, patient, patient, CAMELYON16, label=_LABELS[kind])
    raise InputError(
        f"{path}: not named as in Camelyon (patient_004_node_4, tumor_042, normal_042, test_042); "
        "describe other slides in a table, or take --cohort plain"
    )
