"""Extraction against OpenSlide alone: the rate at which the same regions of the same slide are read, on one core.

    PYTHONPATH=. OMP_NUM_THREADS=1 python benchmarks/extraction.py [SLIDE [MPP]] [--side N] [--count N] [--stride N] …

Without SLIDE a pyramidal TIFF of synthetic tissue is made (`--side` pixels, a multiple of 8192, JPEG tiles of 256,
levels down to 512, as scanners make them, 0.25 um/px). With `--openslide` nobody but OpenSlide decodes tiles, as in a
scanner's own format.
For each sampling (`--count` patches at random, and a grid every `--stride` pixels of a patch) an extraction says once
which places it reads, kept or refused. Then, in turns: the whole task (overview, tissue, places, reading, judging,
writing part, preview and state), its reading and judging alone, and OpenSlide's `read_region` of the same places at the
level from which the patches come, and nothing else. Printed are medians over the rounds of patches a second, and of the
ratio within each round, by wall clock and by CPU time. Last, the milliseconds of each stage of the task, and the peak
memory of tasks that cut a grid once and four times as dense.
"""

import argparse
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
from data_prep.slides import Slide, open_slide, opening
from data_prep.store import StoreWriter

MPP = 0.25
SIDE, COARSEST = 8192, 512
STAGES = {
    "opening": (task, "open_slide"),
    "overview and tissue": (task, "survey"),
    "reading": (Slide, "read"),
    "judging": (Judge, "verdict"),
    "writing": (StoreWriter, "append"),
    "closing the part": (StoreWriter, "__exit__"),
    "preview": (task, "write_preview"),
    "state": (task, "write_state"),
}
_MEMORY = """
import re, sys
from pathlib import Path
from benchmarks.extraction import fresh_job
from data_prep.extraction.task import extract_slide
path, mpp, folder, stride = sys.argv[1:]
state = extract_slide(fresh_job(Path(path), float(mpp), Path(folder), sampling="grid", stride=int(stride)))
print(state.total, int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""


def make_slide(path: Path, side: int = SIDE) -> Path:
    """A pyramid of smooth noise in the colors of a stained section; a larger one repeats that of 8192 pixels."""
    import tifffile

    rng = np.random.default_rng(0)
    texture = sum(cv2.resize(rng.normal(0, 12, (SIDE // step,) * 2), (SIDE, SIDE)) for step in (2, 4, 16, 64))
    image = np.clip(np.array([170, 90, 160]) + texture[..., None] * [1, 1.2, 0.8], 0, 255).astype(np.uint8)
    image[: SIDE // 8] = 243
    image = np.tile(image, (side // SIDE, side // SIDE, 1))
    options = {"tile": (256, 256), "compression": "jpeg", "compressionargs": {"level": 85}, "photometric": "rgb"}
    with tifffile.TiffWriter(path) as tiff:
        for level in range((side // COARSEST).bit_length()):
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


def seconds(work) -> tuple[float, float]:
    start, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - cpu


def one_round(path: Path, mpp: float, folder: Path, places: np.ndarray, options: dict) -> list[tuple[float, float]]:
    job = fresh_job(path, mpp, folder, **options)
    rivals = [
        lambda: task.extract_slide(job),
        lambda: read_and_judge(job, places),
        lambda: openslide_alone(job, places),
    ]
    return [seconds(work) for work in rivals]


def compare(path: Path, mpp: float, folder: Path, rounds: int, options: dict) -> None:
    places = places_of(fresh_job(path, mpp, folder, **options))
    times = np.array([one_round(path, mpp, folder, places, options) for _ in range(rounds)])
    rates = len(places) / np.median(times, axis=0)
    ratios = np.median(times[:, 2:] / times[:, :2], axis=0)
    print(f"  OpenSlide alone      {rates[2, 0]:7.0f} patches/s")
    for number, name in enumerate(("the whole task", "reading and judging")):
        wall, cpu = ratios[number]
        print(f"  {name:19}  {rates[number, 0]:7.0f} patches/s, {wall:.2f} of it by wall clock, {cpu:.2f} by CPU time")
    stages(fresh_job(path, mpp, folder, **options))


def stages(job: Job) -> None:
    """Print the milliseconds of CPU time in each stage of the task."""
    spent, works = dict.fromkeys(STAGES, 0.0), {name: getattr(*place) for name, place in STAGES.items()}

    def timed(name):
        def work(*values, **named):
            start = time.process_time()
            result = works[name](*values, **named)
            spent[name] += time.process_time() - start
            return result

        return work

    for name, (owner, attribute) in STAGES.items():
        setattr(owner, attribute, timed(name))
    whole = seconds(lambda: task.extract_slide(job))[1]
    for name, (owner, attribute) in STAGES.items():
        setattr(owner, attribute, works[name])
    parts = ", ".join(f"{name} {1e3 * value:.0f}" for name, value in spent.items())
    print(f"  ms of CPU time: {parts}, other {1e3 * (whole - sum(spent.values())):.0f}; in all {1e3 * whole:.0f}")


def memory(path: Path, mpp: float, folder: Path) -> None:
    for stride in (224, 112):
        arguments = [sys.executable, "-c", _MEMORY, str(path), str(mpp), str(folder), str(stride)]
        count, peak = subprocess.check_output(arguments, text=True).split()
        print(f"memory: {count} patches, {int(count) * 224 * 224 * 3 / 2**20:.0f} MiB of pixels, peak {peak} MiB")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("slide", type=Path, nargs="?")
    parser.add_argument("mpp", type=float, nargs="?", default=MPP)
    for name, value in (("side", SIDE), ("count", 300), ("stride", 224), ("rounds", 9)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--openslide", action="store_true")
    return parser.parse_args()


def main() -> None:
    cv2.setNumThreads(1)
    arguments = parsed()
    if arguments.openslide:
        opening.VENDORS = ()
    with tempfile.TemporaryDirectory() as name:
        path = arguments.slide or make_slide(Path(name) / "synthetic.tif", arguments.side)
        mpp, work = arguments.mpp, Path(name) / "work"
        print(f"{path.name} at {mpp} um/px, {arguments.rounds} rounds, OpenSlide {openslide.__library_version__}")
        grid = {"sampling": "grid", "stride": arguments.stride}
        for options in ({"sampling": "random", "count": arguments.count}, grid):
            compare(path, mpp, work, arguments.rounds, options)
        memory(path, mpp, work)


if __name__ == "__main__":
    main()
