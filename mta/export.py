"""`python -m mta.export`: a trained run as a file that works without this package."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from data_prep.console import run as run_command
from data_prep.console import say, warn
from mta.backend import start_quietly

if TYPE_CHECKING:
    from mta.exporting.check import Check, Sample
    from mta.exporting.formats import Format
    from mta.trained import Trained

PROG = "python -m mta.export"


def export(
    run: str | Path,
    to: Format = "saved_model",
    out: str | Path | None = None,
    model: Literal["best", "last"] = "best",
    overwrite: bool = False,
    quiet: bool = False,
) -> Path:
    """Write the inference network of a run, of stock Keras layers only, with its model card and stain file.

    Input of the export: `image` (n, side, side, 3) RGB uint8, stain-normalized, or `embedding` (n, width) float32.
    Outputs: `tumor` (logit), `tumor_probability`, `domain` where there is an adversary, and each concept in its own
    unit. The written file is read back and held against the run's network on 16 of its own test patches before it gets
    its name.

    Args:
        run: run folder.
        to: "keras" (Keras 3 file), "saved_model" (TensorFlow folder) or "onnx".
        out: file or folder to write; default RUN/export/ model.keras, saved_model or model.onnx.
        model: the epoch with the best monitored loss, or the last.
        overwrite: replace an export that is there.
        quiet: print nothing.

    Returns:
        Path of the export.

    Raises:
        InputError: for bad input, a missing library, or a file that answers otherwise than the run's network (by
            more than 1e-4 of the output's scale); nothing is left then.
    """
    from mta.exporting.placing import companions, destination, staged

    path = destination(Path(run), to, out, overwrite)
    from mta.exporting.check import draw_sample
    from mta.exporting.formats import require_support
    from mta.trained import load_run

    require_support(to)
    trained = load_run(run, model)
    sample = draw_sample(trained)
    if not quiet:
        say(f"{path}: writing, then checking on {len(sample.values)} patches (a minute for large networks)")
    with staged(path) as draft:
        check = _write(trained, to, draft, sample)
        _accompany(trained, to, model, draft, sample, check)
    if trained.normalizer is None:
        companions(path)[1].unlink(missing_ok=True)  # of an export that was replaced
    _report(path, check, quiet)
    return path


def _write(trained: Trained, to: Format, draft: Path, sample: Sample) -> Check:
    from mta.exporting.check import Check, differences, require_equal
    from mta.exporting.formats import answers, write_model
    from mta.exporting.serving import expected_outputs, serving_model

    write_model(serving_model(trained.model, trained.coding), to, draft)
    found = answers(to, draft, sample.values)
    if found is None:
        return Check(sample.source, len(sample.values), None)
    expected = expected_outputs(trained.model, trained.coding, sample.values)
    different = differences(expected, found, trained.coding)
    require_equal(different)
    return Check(sample.source, len(sample.values), different)


def _accompany(trained: Trained, to: Format, model: str, draft: Path, sample: Sample, check: Check) -> None:
    from mta.card import model_card
    from mta.exporting.placing import companions

    card, stain = companions(draft)
    if trained.normalizer is not None:
        shutil.copyfile(trained.folder.file("stain.json"), stain)
    card.write_text(model_card(trained, to, model, draft.name, sample.rows, check), encoding="utf-8")


def _report(path: Path, check: Check, quiet: bool) -> None:
    from mta.exporting.placing import companions

    if check.differences is None:
        warn("not checked: ONNX Runtime is not installed (pip install onnxruntime)")
    if not quiet:
        say(f"{path}: {check.summary()}; read {companions(path)[0]}")


def command(
    run: str,
    to: Literal["keras", "saved_model", "onnx"] = "saved_model",
    out: str = "",
    model: Literal["best", "last"] = "best",
    overwrite: bool = False,
    quiet: bool = False,
) -> None:
    """Export a trained run as a checked inference model that needs nothing of this package, with a model card.

    Input: RGB uint8 patches of the run's size (pixels), stain-normalized with the file beside the export, or float32
    embeddings for a run on those. Outputs:
    tumor logit and probability (0 to 1), domain probabilities, each concept in its own unit.

    Args:
        run: run folder
        to: keras: one Keras 3 file; saved_model: TensorFlow folder; onnx: one ONNX file (pip install onnx tf2onnx
            onnxruntime)
        out: file or folder to write (default: RUN/export/ model.keras, saved_model or model.onnx)
        model: the epoch with the best monitored loss, or the last
        overwrite: replace an export that is there
        quiet: print no result line
    """
    start_quietly()
    export(run, to, out or None, model, overwrite, quiet)


def main(argv: list[str] | None = None) -> None:
    """Entry point of the command."""
    import tyro

    run_command(tyro.conf.configure(tyro.conf.PositionalRequiredArgs)(command), PROG, argv)


if __name__ == "__main__":
    main()
