"""What was fitted before the first epoch: written once, and the same whenever the run is taken up again."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from data_prep.errors import InputError
from data_prep.files import write_json
from data_prep.splits import write_split
from data_prep.stain import load_normalizer
from mta.cautions import fitted_by_slide
from mta.config import TrainConfig
from mta.data.coding import coding_to_json
from mta.provenance import input_fingerprints
from mta.run_folder import RunFolder
from mta.training.setup import Setup

FILES = {"split.csv": "the roles of its rows", "labels.json": "the coding of its targets", "stain.json": "its stain"}


def write_fitted(folder: Path, setup: Setup) -> None:
    """Write roles, coding and stain reference of `setup` to `folder`: `split.csv`, `labels.json`, `stain.json`."""
    write_split(folder / "split.csv", setup.data.rows, setup.data.roles)
    write_json(folder / "labels.json", coding_to_json(setup.coding))
    if setup.normalizer is not None:
        by_slide = fitted_by_slide(setup.data.patches.attributes.get("stain"))
        # The stains of each slide stay with the store: a run folder is passed on.
        write_json(folder / "stain.json", {**setup.normalizer.fields(), **({"fit": "slide"} if by_slide else {})})


def require_unchanged(folder: RunFolder, config: TrainConfig, setup: Setup) -> None:
    """Raise InputError, naming what changed, unless files and fits are those that the run in `folder` began with."""
    before, now = folder.record().get("inputs", {}), input_fingerprints(config)
    if changed := [name for name in ("store", *now, *before) if before.get(name) != now.get(name)]:
        raise _changed(folder, f"{changed[0]} {getattr(config, changed[0])}")
    # The same files and settings can still be read in another way, by another version of this package.
    with TemporaryDirectory() as again:
        write_fitted(Path(again), setup)
        for name, what in FILES.items():
            if _content(Path(again, name)) != _content(folder.file(name)):
                raise _changed(folder, f"{what} ({name})")


def _changed(folder: RunFolder, what: str) -> InputError:
    return InputError(f"{folder.path}: {what} changed since the run began; --overwrite starts it over")


def _content(path: Path) -> bytes | dict[str, Any] | None:
    if not path.exists():
        return None
    return load_normalizer(path).fields() if path.name == "stain.json" else path.read_bytes()
