"""The model card of an export: what it is, what it was made of, what it must not be used for.

Sections follow Mitchell et al. 2019, "Model Cards for Model Reporting" (doi:10.1145/3287560.3287596); the YAML header
is in `mta.exporting.header`.
"""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from data_prep.store.opening import parse_spec
from mta.exporting.check import Check
from mta.exporting.facts import counts, markdown_table, metrics, outputs, resolution
from mta.exporting.formats import LIBRARIES, Format
from mta.exporting.header import card_header
from mta.exporting.serving import DTYPES
from mta.provenance import provenance
from mta.trained import Trained

_USE = {
    "keras": (
        "import keras",
        'model = keras.saving.load_model("{name}", compile=False)',
        "outputs = model.predict(patches)",
    ),
    "saved_model": (
        "import tensorflow as tf",
        'model = tf.saved_model.load("{name}")',
        "outputs = model.serve(patches)",
    ),
    "onnx": (
        "import onnxruntime",
        'model = onnxruntime.InferenceSession("{name}")',
        "names = [output.name for output in model.get_outputs()]",
        'outputs = dict(zip(names, model.run(names, {{"{input}": patches}})))',
    ),
}


def model_card(trained: Trained, kind: Format, which: str, name: str, rows: pd.DataFrame, check: Check) -> str:
    """The card in Markdown, with a YAML header.

    Args:
        trained: the run.
        kind: format of the export.
        which: "best" or "last", the model that was exported.
        name: file name of the export.
        rows: a row a patch of the run, see `mta.exporting.check.Sample`.
        check: result of reading the export back.
    """
    sections = {
        f"{name}: tumor classifier for histopathology patches": _USES,
        "Input": _input(trained, kind, name, rows),
        "Outputs": outputs(trained),
        "How to use": _how(trained, kind, name),
        "Training": f"{_settings(trained, which)}\n\n{counts(rows)}",
        "Measured": f"{metrics(trained)}\n\n{_READ_METRICS}",
        "Known limits": _limits(trained),
        "Check of this file": _check(check),
        "Versions": _versions(trained, kind),
        "Licenses": _LICENSES,
    }
    body = [
        f"{'#' if number == 0 else '##'} {title}\n\n{text}" for number, (title, text) in enumerate(sections.items())
    ]
    return "\n\n".join([card_header(trained, kind), *body]) + "\n"


_USES = """**For research only. Not a medical device: not for diagnosis, nor for any decision about a patient.**

For one patch of H&E-stained tissue the model says how likely it shows tumor, and estimates the concepts that it was
taught beside that. It was made with `mta` (multi-task adversarial training, Graziani et al. 2023). It has been tested
on nothing but what the section Measured names."""

_READ_METRICS = """As `mta.evaluate` last wrote them to the run folder. Intervals are 95 % bootstrap intervals over
patients; a dash is undefined (one class only, or too few patients). Only centres that have no training patches, see
above, tell how the model does elsewhere."""

_LICENSES = """The weights carry what their training data and initial weights allow; whoever passes them on must check:

- Camelyon16 and Camelyon17: CC0 1.0.
- PanNuke: CC BY-NC-SA 4.0, which excludes commercial use and binds what is derived from it.
- ImageNet weights of keras.applications: the license of each network; ImageNet itself is for research.
- Other data sets and your own data: their own terms, and the consent of the patients."""


def _input(trained: Trained, kind: Format, name: str, rows: pd.DataFrame) -> str:
    if trained.embedded:
        return _embedding(trained, rows)
    side = trained.side
    order = "channels as below" if trained.stored_channels else "RGB"
    lines = [
        f"- `image`: (n, {side}, {side}, 3) `uint8`, {order}, 0 to 255. Scaling to what the network wants is inside.",
        f"- Resolution: {resolution(rows)}.",
        f"- Stain: {_stain(trained, kind, name)}",
    ]
    if trained.stored_channels:
        lines.append(
            "- Channels: profile `original` trained on channels as the files hold them, and so expects **BGR** where "
            "the original files were BGR (Camelyon hierarchies), RGB elsewhere; the same holds for stain normalization."
        )
    return "\n".join(lines)


def _embedding(trained: Trained, rows: pd.DataFrame) -> str:
    encoder = trained.encoder or "the encoder of the training data, which its files do not name,"
    lines = [
        f"- `embedding`: (n, {trained.shape[0]}) `float32`, one patch of tissue each, as {encoder} gives it. "
        "Standardization is inside.",
        f"- Resolution: {resolution(rows)}.",
        "- Patches must be cut, and prepared for the encoder, as those of training were: this file has no pixels to "
        "judge by, and embeddings of another encoder mean nothing to it.",
    ]
    return "\n".join(lines)


def _stain(trained: Trained, kind: Format, name: str) -> str:
    if trained.normalizer is None:
        return "none; the run was trained without stain normalization."
    method = type(trained.normalizer).__name__
    slide = (
        " The training patches were normalized with the stains of their whole slide." if trained.fitted_by_slide else ""
    )
    return (
        f'normalize every patch first ({method}), `data_prep.stain.{method}.load("{_stain_file(kind, name)}")'
        f".transform(patches)`. It is not inside the file, and without it the outputs are off.{slide}"
    )


def _stain_file(kind: Format, name: str) -> str:
    return f"{name}/stain.json" if kind == "saved_model" else f"{name}.stain.json"


def _how(trained: Trained, kind: Format, name: str) -> str:
    source = trained.model.input.name
    first, load, *ask = (line.format(name=name, input=source) for line in _USE[kind])
    shape = ", ".join(map(str, trained.shape))
    lines = [
        first,
        "",
        f"# patches: (n, {shape}) {DTYPES[source]}",
        load,
        *ask,
        'probability = outputs["tumor_probability"]',
    ]
    if trained.normalizer is not None:
        method = type(trained.normalizer).__name__
        lines[1:1] = [f"from data_prep.stain import {method}"]
        lines[4:4] = [f'patches = {method}.load("{_stain_file(kind, name)}").transform(patches)']
    return "\n".join(["```python", *lines, "```"])


def _settings(trained: Trained, which: str) -> str:
    config, record = trained.config, trained.folder.record()
    values = {
        "run": f"{trained.folder.path.resolve().name}, model `{which}`, epochs: {record.get('epochs', 'not finished')}",
        "data": ", ".join(path.name for _, path in parse_spec(config.store)),
        "data fingerprints": ", ".join(value[:16] for value in record.get("inputs", {}).get("store", [])) or "unknown",
        "preset, profile": f"{config.preset}, {config.profile}",
        **_trunk(trained),
        "concepts": ", ".join(config.concepts) or "none",
        "adversary": config.adversary,
        "split": Path(config.split).name if "=" not in config.split else config.split.count("=") * "file " + "by role",
        "seed": config.seed,
        "optimizer": f"{config.optimizer}, learning rate {config.learning_rate:g}, batch size {config.batch_size}",
        # Counted only: findings name patients, and a card is passed on.
        "leaks let pass": f"{len(record.get('leaks', []))} (`run.json` of the run names them)",
    }
    return markdown_table(["setting", "value"], values.items())


def _trunk(trained: Trained) -> dict[str, str]:
    config = trained.config
    if trained.embedded:
        return {"encoder": trained.encoder or "unknown"}
    return {
        "backbone": f"{config.backbone}, trainable {config.trainable}",
        "initial weights": Path(config.weights).name,
    }


def _limits(trained: Trained) -> str:
    lines = [
        "The threshold (logit 0, probability 0.5) is not calibrated across centres or scanners: choose one on labelled "
        "patches of your own centre before reading the output as a class.",
        "Probabilities are those of the training mix of classes, not of tissue as it comes.",
        "One patch at a time, H&E only; other stains, resolutions, organs, artefacts and blank patches were not seen.",
        "Concept outputs are regressions: they may be negative or beyond what is possible.",
    ]
    if trained.config.allow_leak:
        lines.append("Patients straddle the roles of this run (`--allow-leak`): its test numbers may be too good.")
    if trained.coding.centres:
        lines.append("`domain` cannot tell a centre that was not in training: it always names one of its own.")
    return "\n".join(f"- {line}" for line in lines)


def _check(check: Check) -> str:
    text = f"Fed with {check.patches} {check.source}.\n\nThe file {check.summary()}."
    if check.differences is None:
        return text
    lines = [(f"`{name}`", f"{value:.1e}") for name, value in sorted(check.differences.items())]
    return f"{text}\n\n{markdown_table(['output', 'largest difference / scale of the output'], lines)}"


def _versions(trained: Trained, kind: Format) -> str:
    record: dict[str, Any] = trained.folder.record()
    packages = record.get("packages", {})
    git = (record.get("git") or {}).get("commit", "unknown")
    now = provenance()["packages"] | {name: version(name) for name in LIBRARIES.get(kind, ())}
    lines = [(name, packages.get(name) or "–", now[name] or "–") for name in now]
    return f"{markdown_table(['package', 'trained with', 'exported with'], lines)}\n\nSource at training: commit {git}."
