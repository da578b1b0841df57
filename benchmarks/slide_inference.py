"""Slides against the bare model: the rate of patches from file to heatmap, beside the model on patches in memory.

    PYTHONPATH=. python benchmarks/slide_inference.py [SLIDE [MPP]] [--backbones MobileNetV2 SmallCNN] [--rounds 5]

Without SLIDE a pyramidal TIFF of synthetic tissue is made (JPEG tiles of 256 pixels, 0.25 um/px). Networks have random
weights and take 224 x 224 pixels, two concepts and two centres; stains are normalized by Reinhard. In turns, with
batches of the same size: the model on normalized patches in memory; reading, normalizing, model and heatmap
(`mta.slides.task`); and the whole slide with its tissue, tables, TIFF, pictures and regions. Printed are medians over
the rounds of patches a second by wall clock, and of the ratios within each round, by wall clock and by CPU time of the
process. The latter depends less on what else the machine does. Last, the peak memory of processes that look at a slide
with overlapping patches and with four times as many.
"""

import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import tyro

from benchmarks.extraction import SIDE, make_slide
from data_prep.cohorts import SlideEntry
from data_prep.slides import open_slide
from data_prep.stain import Reinhard
from mta.backend import start_quietly
from mta.data.dataset import Coding
from mta.data.scale import Scale
from mta.predicting import BATCH, answers
from mta.predictor import Predictor
from mta.slides.grid import Grid, lay_grid
from mta.slides.job import make_jobs
from mta.slides.settings import SlideSettings
from mta.slides.task import Work, _look, predict_slide


class Random(Predictor):
    """A network with random weights."""

    path, stain_file, files = Path("random"), Path("none"), ()
    mpp, stored_channels, fitted_by_slide = None, False, False


def random_predictor(backbone: str, normalizer: Reinhard) -> Random:
    from mta.model import ModelSpec, build_model

    spec = ModelSpec(
        concepts=("ncount", "narea"), domains=2, backbone=backbone, weights=None, trainable="none", size=224
    )
    scales = {"ncount": Scale(20.0, 5.0, "nuclei"), "narea": Scale(300.0, 50.0, "px")}
    return Random(Coding(scales, ("0", "1")), normalizer, build_model(spec))


def in_memory(path: Path, grid: Grid, normalizer: Reinhard) -> list[np.ndarray]:
    with open_slide(path) as slide:
        patches = np.stack([slide.read(x, y, grid.size, grid.mpp) for x, y in grid.places.tolist()])
    normal = normalizer.transform(patches)
    return [normal[start : start + BATCH] for start in range(0, len(normal), BATCH)]


def timed(work) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def compare(path: Path, backbone: str, settings: SlideSettings, rounds: int, workers: int, folder: Path) -> None:
    with open_slide(path) as slide:
        grid = lay_grid(slide, 224, settings.mpp or 0, settings)
        normalizer = Reinhard().fit(slide.read(*grid.places[0].tolist(), 224, grid.mpp))
    predictor = random_predictor(backbone, normalizer)
    work, batches = Work(predictor, settings, workers, quiet=True), in_memory(path, grid, normalizer)

    def bare():
        for images in batches:
            answers(predictor.model, {"image": images})

    def pipeline():
        with open_slide(path) as slide:
            _look(slide, grid, work)

    def whole():
        [job] = make_jobs([SlideEntry(path, path.stem)], predictor, settings, folder)
        job.state.unlink(missing_ok=True)
        summary = predict_slide(job, work)
        assert summary["status"] == "done", summary

    answers(predictor.model, {"image": batches[0]})
    times = np.array([[timed(rival) for rival in (bare, pipeline, whole)] for _ in range(rounds)])
    count = len(grid.places)
    print(f"{backbone}, {count} patches, batches of {BATCH}, {workers} reader threads, {rounds} rounds")
    for number, name in enumerate(("bare model", "file to heatmap", "whole slide")):
        wall, cpu = (times[:, 0] / times[:, number]).T
        spread = f"{wall.min():.2f} to {wall.max():.2f}"
        rate = count / statistics.median(times[:, number, 0])
        print(f"  {name:16} {rate:7.1f} patches/s, {np.median(wall):.2f} of the bare model ({spread}); "
              f"by CPU time {np.median(cpu):.2f}")  # fmt: skip


def peak(path: Path, mpp: float, stride: int) -> None:
    """Patches of a slide and peak memory of this process, which looks at it with a small network; printed."""
    settings = SlideSettings(mpp=mpp, tissue="saturation", stride=stride)
    with open_slide(path) as slide:
        grid = lay_grid(slide, 224, mpp, settings)
        work = Work(random_predictor("SmallCNN", Reinhard().fit(slide.read(*grid.places[0].tolist(), 224, mpp))),
                    settings, 4, quiet=True)  # fmt: skip
        _look(slide, grid, work)
    status = Path("/proc/self/status").read_text()
    print(len(grid.places), int(re.search(r"VmHWM:\s+(\d+)", status)[1]) // 1024)


def memory(path: Path, settings: SlideSettings) -> None:
    for stride in (112, 56):
        code = "import sys; from pathlib import Path; from benchmarks.slide_inference import peak; "
        code += "peak(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))"
        words = [sys.executable, "-c", code, str(path), str(settings.mpp), str(stride)]
        count, most = subprocess.check_output(words, text=True, stderr=subprocess.DEVNULL).split()
        print(f"memory: {count} patches, {int(count) * 224 * 224 * 3 / 2**20:.0f} MiB of pixels, peak {most} MiB")


def main(
    slide: tyro.conf.Positional[str] = "",
    mpp: tyro.conf.Positional[float] = 0.25,
    /,
    backbones: tuple[str, ...] = ("MobileNetV2", "SmallCNN"),
    rounds: int = 5,
    workers: int = 4,
    side: int = SIDE,
) -> None:
    start_quietly()
    settings = SlideSettings(mpp=mpp, tissue="saturation")
    with tempfile.TemporaryDirectory() as name:
        path = Path(slide) if slide else make_slide(Path(name) / "synthetic.tif", side)
        for backbone in backbones:
            compare(path, backbone, settings, rounds, workers, Path(name) / "out")
        memory(path, settings)


if __name__ == "__main__":
    tyro.cli(main)
