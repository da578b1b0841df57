"""A procedural H&E lymph node: patches whose nuclei, stains and class-centre correlation are known exactly."""

from data_prep.synthetic.cohort import plan_rows
from data_prep.synthetic.generate import BLOCK, CONCEPTS, Block, synthesize
from data_prep.synthetic.sheet import contact_sheet
from data_prep.synthetic.slides import TABLE, SlideSpec, plan_slides, synthesize_slides
from data_prep.synthetic.spec import SyntheticSpec

__all__ = [
    "BLOCK",
    "CONCEPTS",
    "TABLE",
    "Block",
    "SlideSpec",
    "SyntheticSpec",
    "contact_sheet",
    "plan_rows",
    "plan_slides",
    "synthesize",
    "synthesize_slides",
]
