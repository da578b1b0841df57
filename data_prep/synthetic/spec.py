"""What a synthetic data set is made of."""

from dataclasses import dataclass

from data_prep.errors import InputError

CENTRES = 5
"""The last one is external: it contributes `external_test` rows only."""
LEAST_PATIENTS = 3  # a centre's patients: at least one each for train, validation and internal_test


@dataclass(frozen=True)
class SyntheticSpec:
    """Size, scale and difficulty of a synthetic data set; equal specs give equal bytes.

    `patches`: how many in all. `patients`: how many in all, shared evenly by the five centres, at least 15.
    `size`: edge of a patch in pixels. `mpp`: micrometres a pixel; nuclei keep their physical size.
    `shortcut` (0..1): how strongly the class goes with the centre in `train` and `validation` rows: the share of tumor
    in centre c is 0.5 + shortcut·(p_c - 0.5) with p = (.05, .95, .1, .9); test rows are half tumor in every centre.
    `difficulty` (0..1): how much the two classes overlap in morphology. `seed`: of every random draw.
    Raises `InputError` on a value outside of its range.
    """

    patches: int = 2400
    patients: int = 40
    size: int = 96
    mpp: float = 0.5
    shortcut: float = 0.9
    difficulty: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        within(self, "patients", CENTRES * LEAST_PATIENTS, 10_000)
        within(self, "patches", self.patients, 10_000_000)
        within(self, "size", 16, 2048)
        within(self, "mpp", 0.1, 4)
        within(self, "shortcut", 0, 1)
        within(self, "difficulty", 0, 1)
        within(self, "seed", 0, 2**63 - 1)


def within(spec: object, name: str, least: float, most: float) -> None:
    """Raise `InputError` where the field `name` of a specification is not a number from `least` to `most`."""
    value = getattr(spec, name)
    if not least <= value <= most:
        raise InputError(f"synthesize: {name} is {value}: give a value from {least} to {most}")
