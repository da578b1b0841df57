"""From whole-slide images to an evaluated model, by the commands that anyone would type.

Every step is a command; its line is printed before it runs, so that it can be copied and changed. Without slides of
your own, a synthetic cohort is made first. All pictures and the report end up in OUT/figures.

    python examples/slides_to_model.py
    python examples/slides_to_model.py --out study --slides scans/*.svs --annotations outlines --cohort camelyon
    python examples/slides_to_model.py --out study --cohort slides.csv --mpp 0.25 --size 224
"""

import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from data_prep.console import run

PROG = "python examples/slides_to_model.py"
# A small network from noise, so that it takes minutes without a GPU and needs no weights.
TRAINING = (
    "--backbone SmallCNN --weights none --trainable all --dense 64 --dropout 0.2 --l2 1e-4 "
    "--augment flips --optimizer adam --learning-rate 1e-3"
)
COHORT = "--slides 11 --patients 10"
SOME_FAILED = ("extract", 1)  # some slides could not be read; the store holds the others


@dataclass(frozen=True)
class Study:
    """What the steps share; the documentation of `slides_to_model` says what each field means."""

    out: Path
    slides: tuple[Path, ...]
    annotations: Path | None
    cohort: str
    extraction: str
    mpp: float
    size: int
    n: int
    external_centres: tuple[str, ...]
    split_from: Path | None
    epochs: tuple[int, int]
    preset: str
    seed: int

    @property
    def synthetic(self) -> bool:
        """Whether the slides are to be made."""
        return not self.slides and not self.cohort.endswith(".csv")


def slides_to_model(
    out: Path = Path("slides_to_model"),
    slides: tuple[Path, ...] = (),
    annotations: Path | None = None,
    cohort: str = "",
    extraction: str = "",
    mpp: float = 0.5,
    size: int = 128,
    n: int = 40,
    external_centres: tuple[str, ...] = (),
    split_from: Path | None = None,
    epochs: tuple[int, int] = (15, 5),
    preset: Literal["baseline", "multitask", "mta"] = "mta",
    seed: int = 0,
) -> None:
    """Extract, normalize, find nuclei, measure concepts, split, report, train and evaluate.

    Args:
        out: folder for everything; what an earlier run left there is replaced.
        slides: slides of your own (default, without a table as --cohort: a synthetic cohort).
        annotations: folder of their annotations.
        cohort: as `extract --cohort` takes it: plain, camelyon, or a table of slides (.csv).
        extraction: more flags for `extract`, as --extraction="--tissue saturation --slide-mpp 0.25".
        mpp: micrometres a pixel of the patches.
        size: edge of a patch in pixels.
        n: patches of each class and slide, at most.
        external_centres: centres kept for the external test.
        split_from: a table of roles, as `split --from` takes it (default: by patient).
        epochs: of the two phases of training.
        preset: of the training; mta needs two centres.
        seed: of every random draw.
    """
    study = Study(
        out,
        slides,
        annotations,
        cohort,
        extraction,
        mpp,
        size,
        n,
        external_centres,
        split_from,
        epochs,
        preset,
        seed,
    )
    for command in commands(study):
        call(command)
    for name in ("roc.png", "history.png"):
        shutil.copy(out / "run" / name, out / "figures" / name)
    print(f"\nlook at {out / 'figures'}:")
    for figure in sorted((out / "figures").rglob("*.*")):
        print(f"  {figure}")


def commands(study: Study) -> list[list[str]]:
    """The commands in order, each as the words after `python -m`."""
    out, figures = study.out, study.out / "figures"
    patches, normalized, nuclei = out / "patches.h5", out / "normalized.h5", out / "nuclei.h5"
    concepts, split, trained = out / "concepts.h5", out / "split.csv", out / "run"
    made = f"data_prep synthesize-slides {_word(out / 'slides')} {COHORT} --seed {study.seed}"
    lines = [
        *([made] if study.synthetic else []),
        f"data_prep extract {_source(study)} --mpp {study.mpp} --size {study.size} --n {study.n} --seed {study.seed}"
        f" --out {_word(patches)} --previews {_word(figures / 'slides')}",
        f"data_prep normalize {_word(patches)} --method macenko --reference published --fit slide --seed {study.seed}"
        f" --out {_word(normalized)} --contact-sheet {_word(figures / 'stain.png')}",
        f"data_prep nuclei {_word(normalized)} --out {_word(nuclei)} --overlay {_word(figures / 'nuclei.png')}",
        f"data_prep concepts {_word(nuclei)} --out {_word(concepts)} --csv {_word(out / 'concepts.csv')}",
        f"data_prep split {_word(nuclei)} --out {_word(split)} --seed {study.seed} {_roles(study)}",
        f"data_prep report {_word(nuclei)} --split {_word(split)} --concepts {_word(concepts)}"
        f" --out {_word(figures / 'report.html')}",
        f"mta.train {_word(nuclei)} --out {_word(trained)} --preset {study.preset} --concept-file {_word(concepts)}"
        f" --split {_word(split)} --epochs {study.epochs[0]} {study.epochs[1]} --seed {study.seed} {TRAINING}",
    ]
    return [[*shlex.split(line), "--overwrite"] for line in lines] + [["mta.evaluate", str(trained)]]


def _source(study: Study) -> str:
    """The flags of `extract` that say which slides."""
    if study.synthetic:
        return f"--cohort {_word(study.out / 'slides' / 'slides.csv')} {study.extraction}"
    flags = {"--annotations": study.annotations, "--cohort": study.cohort}
    given = [f"{flag} {_word(value)}" for flag, value in flags.items() if value]
    return " ".join([*map(_word, study.slides), *given, study.extraction])


def _roles(study: Study) -> str:
    """The flags of `split`."""
    centres = study.external_centres or (("4",) if study.synthetic else ())
    chosen = [f"--external-centres {' '.join(map(_word, centres))}"] if centres else []
    return " ".join([*chosen, *([f"--from {_word(study.split_from)}"] if study.split_from else [])])


def _word(value: object) -> str:
    return shlex.quote(str(value))


def call(command: list[str]) -> None:
    """Print `command` as one would type it, and run it; leave with its exit status where it fails."""
    print(f"\n$ python -m {shlex.join(command)}", flush=True)
    code = subprocess.run([sys.executable, "-m", *command]).returncode
    if code and (command[1], code) != SOME_FAILED:
        raise SystemExit(code)


if __name__ == "__main__":
    run(slides_to_model, PROG)
