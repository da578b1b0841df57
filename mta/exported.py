"""An export, ready to predict with as a run is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_prep.errors import InputError
from data_prep.stain import load_normalizer
from mta.data.dataset import Coding
from mta.data.scale import Scale
from mta.exporting.formats import kind_of, open_model
from mta.exporting.header import NO_STAIN, read_header
from mta.exporting.placing import SUFFIXES, companions
from mta.predictor import Predictor
from mta.trained import load_run


@dataclass
class Exported(Predictor):
    """The model in an export; its concepts come in their units already.

    Attributes:
        place: the file, or the SavedModel folder.
        facts: what its model card says under `mta`, see `mta.exporting.header`.
    """

    place: Path
    facts: dict[str, Any]

    @property
    def path(self) -> Path:
        """The export."""
        return self.place

    @property
    def files(self) -> tuple[Path, ...]:
        """All that was exported."""
        if self.place.is_dir():
            return tuple(sorted(path for path in self.place.rglob("*") if path.is_file()))
        return tuple(path for path in (self.place, *companions(self.place)) if path.is_file())

    @property
    def stain_file(self) -> Path:
        """The stain file that came with it."""
        return companions(self.place)[1]

    @property
    def mpp(self) -> float | None:
        """Micrometres a pixel by the model card."""
        return self.facts["mpp"]

    @property
    def encoder(self) -> str:
        """What made the embeddings, by the model card."""
        return self.facts["encoder"]

    @property
    def stored_channels(self) -> bool:
        """Whether the card says so."""
        return self.facts["channels"] == "stored"


def load_predictor(path: str | Path, which: str = "best") -> Predictor:
    """The run folder or export `path`, ready to predict; `which` of the models of a run, "best" or "last".

    Raises:
        InputError: for what is neither, unfinished or damaged, and for an export without its card or stain file.
    """
    path = Path(path)
    if not (path / "saved_model.pb").is_file() and path.suffix not in filter(None, SUFFIXES.values()):
        return load_run(path, which)
    if which != "best":
        raise InputError(f"{path}: an export holds one model; leave out --model {which}, or name the run folder")
    return load_export(path)


def load_export(path: Path) -> Exported:
    """The export `path` with what lies beside it. Raises InputError as `load_predictor`."""
    kind = kind_of(path)
    card, stain = companions(path)
    facts = read_header(card)
    if facts["stain"] != NO_STAIN and not stain.is_file():
        raise InputError(
            f"{stain}: not found, but the model takes patches normalized by {facts['stain']}; put the stain file that "
            "came with the export there"
        )
    normalizer = None if facts["stain"] == NO_STAIN else load_normalizer(stain)
    scales = {name: Scale(0.0, 1.0, str(unit)) for name, unit in facts["concepts"].items()}
    coding = Coding(scales, tuple(map(str, facts["centres"])))
    return Exported(coding, normalizer, open_model(kind, path), path, facts)
