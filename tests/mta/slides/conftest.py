"""Two slides, and what an undisturbed run makes of them."""

import functools
import hashlib

import pytest

from mta.slides import SlideSettings, cohort, predict_slides, task
from tests.data_prep.slides.samples import write_tiff
from tests.mta.slides.samples import section

OVERLAPPING = SlideSettings(stride=16, threshold=0.4)


@pytest.fixture(scope="module")
def hastened():
    """Models are loaded once, and pictures are no more than what would be drawn: `test_overlay` looks at them."""

    def sketch(_, path, values, label, threshold):
        path.write_text(f"{label} {threshold} {hashlib.sha256(values.tobytes()).hexdigest()}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cohort, "load_predictor", functools.cache(cohort.load_predictor))
        patch.setattr(task.Overlay, "draw", sketch)
        yield


@pytest.fixture(scope="session")
def slides(tmp_path_factory):
    """Two slides of two sizes. Not to be changed."""
    folder = tmp_path_factory.mktemp("slides")
    other = section(seed=1, width=420, height=360)
    return [write_tiff(folder / "a.tif", section(), levels=2), write_tiff(folder / "b.tif", other, levels=2)]


@pytest.fixture(scope="module")
def done(hastened, scaled_run, slides, tmp_path_factory):
    """The folder that an undisturbed run wrote, and its table."""
    out = tmp_path_factory.mktemp("done") / "out"
    return out, predict_slides(scaled_run, slides, out, OVERLAPPING, quiet=True)


@pytest.fixture
def counted(monkeypatch):
    """The names of the slides that are really predicted."""
    work, names = task._predict, []
    monkeypatch.setattr(task, "_predict", lambda job, *rest: (names.append(job.entry.slide), work(job, *rest))[1])
    return names
