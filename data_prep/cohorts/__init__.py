"""Which slides there are, whose they are, and where their annotations lie. See `docs/slides.md`."""

from data_prep.cohorts.entry import SlideEntry
from data_prep.cohorts.paths import RULES, slides_from_paths
from data_prep.cohorts.stages import ITC_POLICIES, apply_stages
from data_prep.cohorts.table import read_slides

__all__ = ["ITC_POLICIES", "RULES", "SlideEntry", "apply_stages", "read_slides", "slides_from_paths"]
