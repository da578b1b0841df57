"""A run that is killed goes on where it was."""

import signal
import subprocess
import sys

import pytest

from mta.slides import SlideSettings, predict_slides
from tests.data_prep.slides.samples import write_tiff
from tests.mta.slides.samples import digests, section

SETTINGS = SlideSettings(stride=16, threshold=0.4)
_KILLED = """
import os, signal, sys
from mta.slides import SlideSettings, predict_slides, task
run, out, place, turn, *slides = sys.argv[1:]
work, calls = getattr(task, place), []
def killing(*values):
    calls.append(1)
    if len(calls) == int(turn):
        os.kill(os.getpid(), signal.SIGKILL)
    return work(*values)
setattr(task, place, killing)
predict_slides(run, slides, out, SlideSettings(stride=16, threshold=0.4), quiet=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("place", "turn"), [("answers", 4), ("write_heatmap", 1), ("write_regions", 2)])
def test_killed_and_run_again_it_is_the_same_bit_for_bit(scaled_run, slide_path, tmp_path, place, turn):
    """Pictures and all: before the first slide is done, and in the middle of the second."""
    slides = [slide_path, write_tiff(tmp_path / "b.tif", section(seed=1, width=420, height=360), levels=2)]
    predict_slides(scaled_run, slides, tmp_path / "undisturbed", SETTINGS, quiet=True)
    out = tmp_path / "out"
    words = [sys.executable, "-c", _KILLED, scaled_run, out, place, str(turn), *slides]
    killed = subprocess.run(list(map(str, words)), capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]
    assert not (out / "summary.csv").exists()
    predict_slides(scaled_run, slides, out, SETTINGS, quiet=True)
    assert digests(out) == digests(tmp_path / "undisturbed")
