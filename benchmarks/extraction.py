"""Extraction against OpenSlide alone: the rate at which the same regions of the same slide are read, on one core.

    PYTHONPATH=. OMP_NUM_THREADS=1 python benchmarks/extraction.py [SLIDE [MPP]]

Without SLIDE a pyramidal TIFF of synthetic tissue is made (JPEG tiles of 256 pixels, 0.25 um/px). For each sampling an
extraction says once which places it reads, kept or refused. Then, in turns: the whole task (overview, tissue,
places, reading, judging, writing part, preview and state), its reading and judging alone, and OpenSlide's `read_region`
of the same places at the level from which the patches come, and nothing else. Printed are medians over the rounds of
patches a second, and of the ratio within each round. Last, the peak memory of tasks that cut a grid once and four times
as dense.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import openslide

from data_prep.cohorts import SlideEntry
from data_prep.extraction import task
from data_prep.extraction.cutting import block_of, cut
from data_prep.extraction.job import Job, make_jobs
from data_prep.extraction.settings import ExtractionSettings
from data_prep.sampling import Judge
from data_prep.slides import open_slide

ROUNDS = 9
MPP = 0.25
METHODS = {"random": {"count": 300}, "grid": {}}
_MEMORY = """
import re, sys
from pathlib import Path
from benchmarks.extraction import fresh_job
from data_prep.extraction.task import extract_slide
path, mpp, folder, stride = sys.argv[1:]
state = extract_slide(fresh_job(Path(path), float(mpp), Path(folder), sampling="grid", stride=int(stride)))
print(state.total, int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""


def make_slide(path: Path, side: int = 8192) -> Path:
    """A pyramid of smooth noise in the colors of a stained section, three levels."""
    import tifffile

    rng = np.random.default_rng(0)
    texture = sum(cv2.resize(rng.normal(0, 12, (side // step,) * 2), (side, side)) for step in (2, 4, 16, 64))
    image = np.clip(np.array([170, 90, 160]) + texture[..., None] * [1, 1.2, 0.8], 0, 255).astype(np.uint8)
    image[: side // 8] = 243
    options = {"tile": (256, 256), "compression": "jpeg", "compressionargs": {"level": 85}, "photometric": "rgb"}
    with tifffile.TiffWriter(path) as tiff:
        for level in range(3):
            shrunk = image if not level else cv2.resize(image, (side >> level,) * 2, interpolation=cv2.INTER_AREA)
            per_cm = 1e4 / (MPP * 2**level)
            tiff.write(shrunk, subfiletype=int(level > 0), resolution=(per_cm, per_cm), resolutionunit=3, **options)
    return path


def fresh_job(path: Path, mpp: float, folder: Path, **options) -> Job:
    """The job of one slide, with nothing left of an earlier one."""
    shutil.rmtree(folder, ignore_errors=True)
    settings = ExtractionSettings(mpp=mpp, **options)
    [job] = make_jobs([SlideEntry(path=path, slide=path.stem)], settings, folder / "store.h5", folder)
    return job


def places_of(job: Job) -> np.ndarray:
    """Every place that the task of `job` reads, in its order."""
    places, reader = [], task._reader

    def recording(slide, settings):
        read = reader(slide, settings)
        return lambda x, y: (places.append((x, y)), read(x, y))[1]

    task._reader = recording
    state = task.extract_slide(job)
    task._reader = reader
    print(f"{job.settings.sampling}: {state.total} patches of {len(places)} places")
    return np.array(places)


def read_and_judge(job: Job, places: np.ndarray) -> None:
    settings = job.settings
    with open_slide(job.entry.path) as slide:
        read = lambda x, y: slide.read(x, y, settings.size, settings.mpp)  # noqa: E731
        for _ in cut([places], Judge(settings.limits, adaptive=False), None, read, block_of(settings.size)):
            pass


def openslide_alone(job: Job, places: np.ndarray) -> None:
    with open_slide(job.entry.path) as ours, openslide.OpenSlide(job.entry.path) as slide:
        scale = job.settings.mpp / ours.mpp
        level = slide.get_best_level_for_downsample(scale * 1.01)
        length = round(job.settings.size * scale / slide.level_downsamples[level])
        for x, y in places:
            slide.read_region((int(x), int(y)), level, (length, length))


def seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def one_round(path: Path, mpp: float, folder: Path, places: np.ndarray, options: dict) -> list[float]:
    job = fresh_job(path, mpp, folder, **options)
    rivals = [
        lambda: task.extract_slide(job),
        lambda: read_and_judge(job, places),
        lambda: openslide_alone(job, places),
    ]
    return [seconds(work) for work in rivals]


def compare(path: Path, mpp: float, folder: Path, name: str, options: dict) -> None:
    job = fresh_job(path, mpp, folder, sampling=name, **options)
    places = places_of(job)
    options = {"sampling": name, **options}
    times = np.array([one_round(path, mpp, folder, places, options) for _ in range(ROUNDS)])
    task, reading, alone = len(places) / np.median(times, axis=0)
    ratios = np.median(times[:, 2:] / times[:, :2], axis=0)
    print(f"  OpenSlide alone      {alone:7.0f} patches/s")
    print(f"  reading and judging  {reading:7.0f} patches/s, {ratios[1]:.2f} of it")
    print(f"  the whole task       {task:7.0f} patches/s, {ratios[0]:.2f} of it")


def memory(path: Path, mpp: float, folder: Path) -> None:
    for stride in (224, 112):
        arguments = [sys.executable, "-c", _MEMORY, str(path), str(mpp), str(folder), str(stride)]
        count, peak = subprocess.check_output(arguments, text=True).split()
        print(f"memory: {count} patches, {int(count) * 224 * 224 * 3 / 2**20:.0f} MiB of pixels, peak {peak} MiB")


def main() -> None:
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = Path(sys.argv[1]) if len(sys.argv) > 1 else make_slide(folder / "synthetic.tif")
        mpp = float(sys.argv[2]) if len(sys.argv) > 2 else MPP
        print(f"{path.name} at {mpp} um/px, {ROUNDS} rounds, OpenSlide {openslide.__library_version__}")
        for method, options in METHODS.items():
            compare(path, mpp, folder / "work", method, options)
        memory(path, mpp, folder / "work")


if __name__ == "__main__":
    main()
